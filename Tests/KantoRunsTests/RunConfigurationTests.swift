import KantoDescriptions
import KantoGAN
import KantoNN
import KantoRuns
import Testing

/// A run as data: what a person says, on top of a preset and the defaults.
@Suite struct RunConfigurationTests {
    private func read(_ members: [String: DescriptionValue]) throws(DescriptionError) -> RunConfiguration {
        try RunConfiguration(completing: .object(members))
    }

    private func message(_ members: [String: DescriptionValue]) -> String {
        do throws(DescriptionError) { _ = try read(members) } catch { return error.description }
        return "nothing was thrown"
    }

    @Test func aPresetAndOneNumberAreARun() throws {
        let run = try read(["preset": .text("digits"), "batch_size": .integer(32)])
        var expected = Preset.digits.configuration
        expected.training.batchSize = 32
        #expect(run == expected)
        #expect(run.training.optimizer.learningRate == 2e-4 && run.networks.latentSize == 32)
    }

    @Test func networksAreARunWithoutAPreset() throws {
        let networks = NetworkPairDescription(
            generator: NetworkDescription(input: [2], Dense.Description(8), ReLU(), Dense.Description(3)),
            critic: NetworkDescription(input: [3], Dense.Description(8), LeakyReLU(0.1), Dense.Description(1)))
        let run = try read(["networks": networks.descriptionValue, "data": .text("points.npy")])
        #expect(run.networks == networks && run.training == TrainingConfiguration() && run.data.path == "points.npy")
        #expect(message(["data": .text("points.npy")]) == "'networks' is missing, or an 'architecture' in their place")
        // No preset, with words of the command line on top.
        let value = DescriptionValue.object(["preset": .null, "networks": networks.descriptionValue])
        #expect(try RunConfiguration(completing: value, setting: [(path: "seed", value: .word("7"))]).training.seed == 7)
    }

    /// What a run's folder keeps holds everything, and is read as the same run.
    @Test func whatIsWrittenIsRead() throws {
        for preset in Preset.all {
            let whole = preset.configuration.described(isWhole: true)
            #expect(try RunConfiguration(completing: whole) == preset.configuration)
            guard case .object(let members) = whole else {
                Issue.record("no object")
                continue
            }
            let keys = Set(RunConfiguration.keys.map(\.name))
            let absent = [
                "architecture", "conditioning", "critic_optimizer", "generator_optimizer", "average_decay", "generator_batch_size",
                "data_digest", "machine", "precision", "critic_precision", "generator_precision",
            ]
            let training = preset.configuration.training
            let given =
                (training.generatorBatchSize == nil ? [] : ["generator_batch_size"])
                + (training.averageDecay == nil ? [] : ["average_decay"])
            #expect(Set(members.keys) == keys.subtracting(absent).union(given))
        }
    }

    @Test func keysAndValuesAreNamed() {
        #expect(message(["preset": .text("digits"), "dta": .text("x")]) .hasPrefix("there is no key 'dta'; did you mean 'data'? The keys are preset, data, networks, architecture,"))
        #expect(message(["preset": .text("digit")]) == "there is no preset 'digit'; did you mean 'digits'? The presets are digits, ring8, grid25, swissroll, mnist, stacked-mnist, cifar, cifar-resnet, resnet64, dcgan64, ring8-original, grid25-original, swissroll-original")
        #expect(message(["preset": .text("digits"), "seed": .number(1.5)]).hasPrefix("seed: expected a whole number from 0"))
        #expect(message(["preset": .text("digits"), "seed": .integer(-1)]).hasPrefix("seed: expected a whole number from 0"))
        #expect(
            message(["preset": .text("digits"), "regularizer": .object(["name": .text("one-side")])])
                .hasPrefix("regularizer: there is no regularizer 'one-side'; did you mean 'one-sided'?"))
        #expect(
            message(["preset": .text("digits"), "regularizer": .object(["wieght": .integer(1)])])
                .hasPrefix("regularizer: two-sided: there is no key 'wieght'; did you mean 'weight'?"))
        #expect(
            message(["preset": .text("digits"), "optimizer": .object(["learning_rate": .number(1e30)])])
                == "optimizer.learning_rate: adam: expected a number from 1e-12 to 1, found 1e+30")
        let generator = NetworkDescription(input: [2], Dense.Description(3))
        let critic = NetworkDescription(input: [4], Dense.Description(1))
        #expect(
            message(["networks": NetworkPairDescription(generator: generator, critic: critic).descriptionValue])
                == "networks.critic.input: is [4], but the generator gives samples of shape [3]")
    }

    /// Every loss, regularizer, optimizer and schedule of the library is reached by a word of the command line.
    @Test func everythingIsReachedByItsPath() throws {
        func set(_ words: (String, String)...) throws -> TrainingConfiguration {
            try RunConfiguration(
                completing: .object(["preset": .text("digits")]), setting: words.map { (path: $0.0, value: .word($0.1)) }
            ).training
        }
        for kind in LossKinds.kinds { #expect(try set(("loss", kind.name)).loss.name == kind.name) }
        for kind in RegularizerKinds.kinds {
            let regularizer = try set(("regularizer.name", kind.name), ("regularizer.weight", "3")).regularizer
            #expect(regularizer.name == kind.name && regularizer.weight == 3)
        }
        for kind in OptimizerKinds.kinds {
            #expect(try set(("critic_optimizer.name", kind.name)).criticOptimizer?.name == kind.name)
        }
        for kind in ScheduleKinds.kinds {
            let training = try set(("generator_optimizer.schedule", kind.name), ("average_decay", "0.99"), ("critic_steps", "2"))
            #expect(training.generatorOptimizer?.common.schedule.name == kind.name)
            #expect(training.averageDecay == 0.99 && training.criticSteps == 2)
        }
        #expect(try set(("optimizer.beta2", "0.5")).optimizer.learningRate == 2e-4)
        // In whatever order they come.
        let penalty = try set(("regularizer.samples", "both"), ("regularizer.name", "zero-centered")).regularizer.regularizer
        #expect((penalty as? ZeroCenteredPenalty)?.samples == .both)
        // One network's own optimizer is at first that of both.
        #expect(try set(("critic_optimizer.beta1", "0.5")).criticOptimizer?.learningRate == 2e-4)
    }
}
