import ArgumentParser
import Kanto

struct PresetsCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "presets", abstract: "Show each preset with its networks, numbers, data and source.")

    func execute() throws {
        for (index, preset) in Preset.all.enumerated() {
            if index > 0 { print("") }
            let numbers = preset.configuration
            let networks = try preset.networks(seed: 1)
            print("\(preset.name): \(preset.summary)")
            print("  critic      \(preset.criticSummary) (\(networks.critic.parameterCount) parameters)")
            print("  generator   \(preset.generatorSummary) (\(networks.generator.parameterCount) parameters)")
            print("  training    \(preset.iterations) iterations of \(numbers.criticSteps) critic steps and a generator step, batch \(numbers.batchSize),")
            print("              Adam \(numbers.learningRate) (\(numbers.beta1), \(numbers.beta2)), gradient penalty weight \(numbers.penaltyWeight)")
            print("  data        \(preset.dataSummary)")
            print("              \(preset.dataAttribution)")
            print("  source      \(preset.source)")
        }
    }
}
