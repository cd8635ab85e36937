import KantoData
import KantoGAN
import KantoNN
import KantoRuns
import TestSupport
import Testing

/// `config.json`, as people and other programs write it.
@Suite struct ConfigurationFileTests {
    private static let valid = #"{"preset": "digits", "iterations": 2, "seed": 18446744073709551615, "batch_size": 64, "#
        + #""critic_steps": 5, "optimizer": {"learning_rate": 2e-4, "beta1": 0, "beta2": 0.9}, "regularizer": {"weight": 10}, "#
        + #""sample_interval": 500}"#

    private func read(_ text: String) throws -> RunConfiguration {
        let folder = try TemporaryFolder()
        return try RunConfiguration(contentsOf: folder.write(text, to: "config.json"))
    }

    @Test func comesBackAsItWasWritten() throws {
        let folder = try TemporaryFolder()
        var configuration = Preset.digits.configuration
        configuration.data.path = "some/\"folder\"\n"
        configuration.training.criticStep = .taped
        configuration.training.seed = .max
        configuration.training.optimizer = OptimizerDescription(SGD.Description(), learningRate: 1.0 / 3, schedule: LinearSchedule())
        var machine = MachineDescription()
        (machine.backends, machine.instructionSet, machine.threadCount) = (["onednn", "simd"], "avx2", 3)
        configuration.machine = machine
        try configuration.write(to: folder.path + "/config.json")
        #expect(try RunConfiguration(contentsOf: folder.path + "/config.json") == configuration)
    }

    @Test func numbersMayBeWrittenAsOtherProgramsDo() throws {
        let configuration = try read(
            Self.valid.replacing("2e-4", with: "1E-05").replacing("64", with: "64.0").replacing(#""iterations": 2"#, with: #""iterations": 1e3"#)
                .replacing(#""preset""#, with: #""data": null, "machine": null, "preset""#))
        let training = configuration.training
        #expect((training.optimizer.learningRate, training.batchSize, training.iterations) == (1e-5, 64, 1000))
        #expect(training.seed == .max && configuration.data == Preset.digits.configuration.data)
    }

    /// Files of earlier versions have some keys at the top.
    @Test func keysOfEarlierVersionsStandForTheirPlaces() throws {
        let configuration = try read(
            #"{"preset": "digits", "learning_rate": 1e-3, "beta1": 0.5, "penalty_weight": 3, "backends": ["auto"], "thread_count": 2}"#)
        let optimizer = try #require(configuration.training.optimizer.optimizer as? Adam.Description)
        #expect((optimizer.learningRate, optimizer.beta1, optimizer.beta2) == (1e-3, 0.5, 0.9))
        #expect(configuration.training.regularizer.weight == 3)
        #expect(configuration.machine?.backends == ["auto"] && configuration.machine?.threadCount == 2)
        let word = try RunConfiguration(
            completing: .object(["preset": .text("digits")]), setting: [(path: "learning_rate", value: .word("1e-3"))])
        #expect(word.training.optimizer.learningRate == 1e-3)
    }

    @Test(arguments: [
        // Keys that are unknown or stand twice.
        (#""sample_interval": 500"#, #""sample_interval": 500, "dta": "missing-folder""#, "there is no key 'dta'; did you mean 'data'?"),
        (#""sample_interval""#, #""sampleInterval""#, "there is no key 'sampleInterval'; did you mean 'sample_interval'?"),
        (#""seed""#, #""learning_rate": 0.1, "seed""#, "optimizer.learning_rate: stands twice: as 'learning_rate' and as 'optimizer.learning_rate'"),
        (#""seed""#, #""target": 2, "seed""#, "there is no key 'target'; did you mean 'regularizer.target'?"),
        (#""beta1": 0"#, #""beta1": 0, "learning_rate": 0.1"#, "the key 'learning_rate' stands twice"),
        (#""beta1": 0"#, #""beta1": 0, "learning\u005frate": 0.1"#, "the key 'learning_rate' stands twice"),
        (#""preset": "digits", "#, "", "'networks' is missing"),
        // Values.
        ("18446744073709551615", "1.5", "seed: expected a whole number from 0 to 18446744073709551615, found 1.5"),
        ("18446744073709551615", "-1", "seed: expected a whole number from 0 to 18446744073709551615, found -1"),
        ("18446744073709551615", "18446744073709551616", "seed: expected a whole number from 0"),
        (#""iterations": 2"#, #""iterations": "2""#, #"iterations: expected a whole number from 1 to 1000000000, found "2""#),
        (#""iterations": 2"#, #""iterations": null"#, "iterations: expected a whole number from 1 to 1000000000, found null"),
        (#""iterations": 2"#, #""iterations": [2]"#, "iterations: expected a whole number from 1 to 1000000000, found a list"),
        ("64", "0", "batch_size: expected a whole number from 1 to 1000000000, found 0"),
        ("2e-4", "1e30", "optimizer.learning_rate: adam: expected a number from 1e-12 to 1, found 1e+30"),
        ("2e-4", "0", "optimizer.learning_rate: adam: expected a number from 1e-12 to 1, found 0"),
        ("2e-4", "true", "optimizer.learning_rate: adam: expected a number from 1e-12 to 1, found true"),
        ("0.9", "1", "optimizer.beta2: adam: expected a number from 0 up to, not including, 1, found 1"),
        (#"weight": 10"#, #"weight": 1e300"#, "regularizer.weight: expected a number from 0 to 1e9, found 1e+300"),
        (#""digits""#, #""digit""#, "there is no preset 'digit'; did you mean 'digits'?"), (#""digits""#, "3", "expected a text, found 3"),
        (#""preset""#, #""data": 3, "preset""#, "data.path: expected a text, found 3"),
        (#""preset""#, #""critic_step": "guessed", "preset""#, "critic_step: there is no value 'guessed'; the values are automatic, taped"),
        (#""preset""#, #""machine": {"backends": ["simd", 1]}, "preset""#, "machine.backends.1: expected a text, found 1"),
        (#""preset""#, #""machine": {"thread_count": 1.5}, "preset""#, "machine.thread_count: expected a whole number, found 1.5"),
        // What is no such object at all.
        (valid, "[]", "not an object that describes a run, found a list"), (valid, "", "byte 0: expected a value"),
        (valid, "{", "byte 1: expected a key"), (valid, "{} {}", "byte 3: expected the end"),
        (valid, "{\"a\": NaN}", "byte 6: expected a value"),
    ])
    func tellsWhatIsWrong(_ part: String, _ other: String, _ reason: String) throws {
        let error = #expect(throws: DataError.self) { _ = try read(Self.valid.replacing(part, with: other)) }
        #expect(error?.kind == .badInput)
        #expect(error?.description.contains("config.json: ") == true)
        #expect(error?.description.contains(": " + reason) == true, "\(String(describing: error))")
    }
}
