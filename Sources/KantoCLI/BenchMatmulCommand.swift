import ArgumentParser
import Kanto

struct BenchMatmulCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "matmul", abstract: "Time square float32 matrix products on each backend.",
        discussion: """
            The share is of the multiply-add limit: what multiply-adds in registers alone reach on the same threads. Limit and \
            backends are measured in turn, so that the machine's noise hits all alike.
            """)

    @Argument(help: ArgumentHelp("Sizes of the matrices.", valueName: "size"))
    var sizes = [256, 512, 1024]

    @Option(help: "Worker threads.")
    var threads = 1

    @Option(help: "Seconds a size.")
    var seconds = 3.0

    @Flag(help: "One JSON object a line.")
    var json = false

    mutating func execute() throws {
        guard threads > 0, seconds > 0, sizes.allSatisfy({ (1...16_384).contains($0) }) else {
            throw Failure.usage("sizes go from 1 to 16384; threads and seconds are positive")
        }
        let backends = try Backend.available.filter { $0.offers(.matmul, .float32) && $0.name != "reference" }.map(\.name)
        if !json { print("size   backend        median ms   GFLOP/s   share of the limit, \(threads) thread\(threads == 1 ? "" : "s")") }
        for size in sizes {
            for line in try Kernels.withThreadCount(threads, { try measure(size, backends) }) { print(line) }
        }
    }

    private func measure(_ size: Int, _ backends: [String]) throws -> [String] {
        var random = Random(seed: 1)
        let a = try random.normal([size, size]), b = try random.normal([size, size])
        var limits = Timings()
        var timings = Array(repeating: Timings(), count: backends.count)
        // Every list names all backends, so that the worker threads are the same ones throughout. Those of another set would
        // still spin for a while after their last kernel, and take a core from the next one: on two cores the limit read half.
        let lists = backends.map { first in ([first] + backends.filter { $0 != first }).joined(separator: ",") }
        for list in lists { try withBackend(list) { _ = try a.matmul(b) } }
        let end = monotonicSeconds() + seconds
        repeat {
            limits.append(try withBackend(lists[0]) { try MachineLimit.multiplyAddRate() })
            for (index, list) in lists.enumerated() {
                try withBackend(list) { try timings[index].measure { _ = try a.matmul(b) } }
            }
        } while monotonicSeconds() < end || limits.count < 5

        let operations = 2 * Double(size) * Double(size) * Double(size)
        let limit = limits.median
        return zip(backends, timings).map { backend, timing in
            let rate = operations / timing.median / 1e9
            if json {
                return jsonLine([
                    "op": "\"matmul\"", "size": "\(size)", "backend": "\"\(backend)\"", "threads": "\(threads)",
                    "median_ms": fixed(timing.median * 1e3, 4), "gflops": fixed(rate, 1), "limit_gflops": fixed(limit, 1),
                    "share": fixed(rate / limit, 3),
                ])
            }
            func cell(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
            return "\(size)".padded(to: 7) + backend.padded(to: 15) + cell(fixed(timing.median * 1e3, 3), 9) + cell(fixed(rate, 1), 10)
                + cell("\(fixed(100 * rate / limit, 1))% of \(fixed(limit, 1))", 20)
        }
    }
}
