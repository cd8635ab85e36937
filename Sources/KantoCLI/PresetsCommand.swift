import ArgumentParser
import Kanto

struct PresetsCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "presets", abstract: "Show each preset with its networks, numbers, data and source.")

    @Argument(help: ArgumentHelp("One preset only.", valueName: "name"))
    var name: String?

    @Flag(help: "The configuration as a file for 'kanto train' to start from.")
    var json = false

    func execute() throws {
        let presets = try name.map { name in
            do throws(DescriptionError) { return [try Preset(named: name)] } catch { throw Failure.usage(error.reason) }
        }
        if json {
            guard let preset = presets?.first else { throw Failure.usage("--json shows one preset: name it") }
            print(preset.configuration.described(isWhole: true).json)
            return
        }
        for (index, preset) in (presets ?? Preset.all).enumerated() {
            if index > 0 { print("") }
            try show(preset)
        }
    }

    private func show(_ preset: Preset) throws {
        let (networks, training) = (preset.configuration.networks, preset.configuration.training)
        let regularizer = training.regularizer
        let width = terminalWidth()
        let batches = "batch \(training.batchSize)" + (training.generatorBatchSize.map { ", \($0) of the generator" } ?? "")
        for (label, text) in [
            ("\(preset.name): ", preset.summary), ("  critic      ", try summary(networks.critic)),
            ("  generator   ", try summary(networks.generator)),
            (
                "  training    ",
                "\(training.iterations) iterations of \(training.criticSteps) critic steps and a generator step, "
                    + "\(batches), \(training.optimizer.summary), penalty "
                    + regularizer.regularizer.formula(weight: regularizer.weight)
            ),
            ("  data        ", preset.dataSummary), ("              ", preset.dataAttribution), ("  source      ", preset.source),
        ] {
            print(paragraph(label, text, width: width))
        }
    }

    /// The layers, and how many parameters they have.
    private func summary(_ network: NetworkDescription) throws -> String {
        let parameterCount = try network.parameterShapes().reduce(0) { $0 + $1.shape.reduce(1, *) }
        return try network.summary().map(\.layer).joined(separator: ", ") + " (\(parameterCount) parameters)"
    }
}
