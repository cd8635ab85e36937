import Kanto
import TestSupport
import Testing

@Suite struct RunConfigurationTests {
    private static let valid = #"{"preset": "digits", "iterations": 2, "seed": 18446744073709551615, "batch_size": 64, "#
        + #""critic_steps": 5, "learning_rate": 2e-4, "beta1": 0, "beta2": 0.9, "penalty_weight": 10, "sample_interval": 500}"#

    private func read(_ text: String) throws -> RunConfiguration {
        let folder = try TemporaryFolder()
        return try RunConfiguration(contentsOf: folder.write(text, to: "config.json"))
    }

    @Test func comesBackAsItWasWritten() throws {
        let folder = try TemporaryFolder()
        var configuration = RunConfiguration(.digits)
        configuration.data = "some/\"folder\""
        configuration.criticStep = .taped
        configuration.seed = .max
        configuration.learningRate = 1.0 / 3
        (configuration.backends, configuration.instructionSet, configuration.threadCount) = (["onednn", "simd"], "avx2", 3)
        try configuration.write(to: folder.path + "/config.json")
        #expect(try RunConfiguration(contentsOf: folder.path + "/config.json") == configuration)
    }

    @Test func numbersMayBeWrittenAsOtherProgramsDo() throws {
        let configuration = try read(
            Self.valid.replacing("2e-4", with: "1E-05").replacing("64", with: "64.0").replacing(#""iterations": 2"#, with: #""iterations": 1e3"#)
                .replacing(#""preset""#, with: #""data": null, "backends": null, "preset""#))
        #expect((configuration.learningRate, configuration.batchSize, configuration.iterations) == (1e-5, 64, 1000))
        #expect(configuration.seed == .max && configuration.data == nil)
    }

    @Test(arguments: [
        // Keys that are unknown or stand twice.
        (#""sample_interval": 500"#, #""sample_interval": 500, "dta": "missing-folder""#, "there is no key 'dta'; did you mean 'data'?"),
        (#""sample_interval""#, #""sampleInterval""#, "there is no key 'sampleInterval'; did you mean 'sample_interval'?"),
        (#""beta1": 0"#, #""beta1": 0, "learning_rate": 0.1"#, "the key 'learning_rate' stands twice"),
        (#""beta1": 0"#, #""beta1": 0, "learning\u005frate": 0.1"#, "the key 'learning_rate' stands twice"),
        (#""beta1": 0, "#, "", "'beta1' is missing"), (#""preset": "digits", "#, "", "'preset' is missing"),
        // Values.
        ("18446744073709551615", "1.5", "seed=1.5 is not valid: expected a whole number of at least 0"),
        ("18446744073709551615", "-1", "seed=-1 is not valid: expected a whole number of at least 0"),
        ("18446744073709551615", "18446744073709551616", "seed=18446744073709551616 is not valid"),
        (#""iterations": 2"#, #""iterations": "2""#, #"iterations="2" is not valid: expected a whole number from 1"#),
        (#""iterations": 2"#, #""iterations": null"#, "iterations=null is not valid: expected a whole number from 1"),
        (#""iterations": 2"#, #""iterations": [2]"#, "iterations=[…] is not valid"),
        ("64", "0", "batch_size=0 is not valid"), ("2e-4", "1e30", "learning_rate=1e30 is not valid: expected a number from 1e-12 to 1"),
        ("2e-4", "0", "learning_rate=0 is not valid"), ("2e-4", "true", "learning_rate=true is not valid"),
        ("0.9", "1", "beta2=1 is not valid: expected a number from 0 to below 1"),
        (#"weight": 10"#, #"weight": 1e300"#, "penalty_weight=1e300 is not valid: expected a number from 0 to 1e9"),
        (#""digits""#, #""digit""#, "there is no preset 'digit'; did you mean 'digits'?"), (#""digits""#, "3", "preset=3 is not valid: expected a name"),
        (#""preset""#, #""data": 3, "preset""#, "data=3 is not valid: expected a text in quotes"),
        (#""preset""#, #""critic_step": "guessed", "preset""#, "critic_step=guessed is not valid: expected automatic, taped, four-pass"),
        (#""preset""#, #""backends": ["simd", 1], "preset""#, "backends is not valid: expected a list of names"),
        (#""preset""#, #""thread_count": 1.5, "preset""#, "thread_count=1.5 is not valid: expected a whole number"),
        // What is no such object at all.
        (valid, "[]", "not a JSON object that describes a run"), (valid, "", "byte 0: expected a value"), (valid, "{", "byte 1: expected a key"),
        (valid, "{} {}", "byte 3: expected the end"), (valid, "{\"a\": NaN}", "byte 6: expected a value"),
    ])
    func tellsWhatIsWrong(_ part: String, _ other: String, _ reason: String) throws {
        let error = #expect(throws: DataError.self) { _ = try read(Self.valid.replacing(part, with: other)) }
        #expect(error?.kind == .badInput)
        #expect(error?.description.contains("config.json: " + reason) == true || error?.description.contains(": " + reason) == true, "\(String(describing: error))")
    }

    @Test(arguments: [("learning_rate", "1e30"), ("learning_rate", "1.5"), ("learning_rate", "nan"), ("penalty_weight", "1e300"), ("penalty_weight", "-1")])
    func absurdNumbersAreRefused(_ name: String, _ value: String) throws {
        var configuration = RunConfiguration(.digits)
        let error = #expect(throws: DataError.self) { try configuration.set(name, to: value) }
        #expect(error?.description.contains("\(name)=\(value) is not valid") == true)
        #expect(configuration == RunConfiguration(.digits))
    }

    @Test func aMistypedSettingIsToldWithItsNeighbor() throws {
        var configuration = RunConfiguration(.digits)
        let error = #expect(throws: DataError.self) { try configuration.set("learning-rte", to: "1") }
        #expect(error?.description.hasPrefix("there is no setting 'learning-rte'; did you mean 'learning_rate'? The settings are iterations,") == true)
    }
}
