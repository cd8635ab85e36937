import ArgumentParser
import Kanto

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure kernels and training steps.",
        subcommands: [BenchMatmulCommand.self, BenchStepsCommand.self])
}

/// Sorted times of one thing that was measured again and again.
struct Timings {
    private var seconds: [Double] = []
    var count: Int { seconds.count }
    var median: Double { seconds.sorted()[seconds.count / 2] }
    var minimum: Double { seconds.min() ?? .nan }

    mutating func measure(_ body: () throws -> Void) rethrows {
        let start = monotonicSeconds()
        try body()
        seconds.append(monotonicSeconds() - start)
    }

    mutating func append(_ value: Double) { seconds.append(value) }
}

/// One JSON object on a line, in the order given.
func jsonLine(_ fields: KeyValuePairs<String, String>) -> String {
    "{" + fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
}
