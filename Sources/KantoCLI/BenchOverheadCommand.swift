import ArgumentParser
import KantoKernels

struct BenchOverheadCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "overhead", abstract: "Measure what the host itself costs: a warm look-up, and a run of nothing.",
        discussion: """
            The look-up finds one of a hundred kernels in the cache. The kernel that is then run is that of an empty problem, so \
            that the time is the way into a backend and back. Each sample is a thousand calls.
            """)

    @Option(help: "Seconds that the measurement takes.")
    var seconds = 0.5

    @Flag(help: "One JSON object a line.")
    var json = false

    func execute() throws {
        try Failure.requirePositive(seconds: seconds)
        for size in 1..<100 { _ = try Kernels.kernel(for: .matmul(m: size, n: size, k: size)) }
        let problem = Problem.iteration(.unary, .copy, extents: [0], output: [1], inputs: [[1]])
        let calls = 1000
        var lookUp = Timings(), both = Timings()
        var nothing: Float = 0
        let end = monotonicSeconds() + seconds
        repeat {
            try lookUp.measure(runs: calls) {
                for _ in 0..<calls { _ = try Kernels.kernel(for: problem) }
            }
            try both.measure(runs: calls) {
                for _ in 0..<calls { try Kernels.kernel(for: problem).run(nil, into: &nothing) }
            }
        } while both.count < 3 || monotonicSeconds() < end

        let rows = [("look-up", lookUp), ("look-up and run", both)]
        if json {
            for (step, timings) in rows {
                print(
                    jsonLine([
                        "step": "\"\(step)\"", "median_ns": fixed(timings.median * 1e9, 1),
                        "best_ns": fixed(timings.minimum * 1e9, 1),
                    ]))
            }
        } else {
            printTable(
                ["STEP", "MEDIAN", "BEST"],
                rows.map { [$0.0, fixed($0.1.median * 1e9, 0) + " ns", fixed($0.1.minimum * 1e9, 0) + " ns"] })
        }
    }
}
