import ArgumentParser

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure kernels and training steps.",
        subcommands: [BenchKernelsCommand.self, BenchStepsCommand.self, BenchOverheadCommand.self, BenchAllReduceCommand.self],
        defaultSubcommand: BenchKernelsCommand.self)
}

/// One JSON object on a line, in the order given.
func jsonLine(_ fields: KeyValuePairs<String, String>) -> String { jsonLine(Array(fields)) }

func jsonLine(_ fields: [(key: String, value: String)]) -> String {
    "{" + fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
}
