import ArgumentParser
import KantoCommunication
import KantoKernels

struct BenchAllReduceCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "all-reduce", abstract: "Measure sums over the ranks of a job, by their size.",
        discussion: """
            To be started by a launcher: mpirun -n 4 kanto bench all-reduce. A training sums the gradients of the critic, and then of the \
            generator, once a step each: four bytes a parameter. BANDWIDTH is what each rank sends, 2 (n - 1) / n of the bytes for n \
            ranks, in the median time. The first line's time is the latency.
            """)

    @Option(help: "Seconds that the measurement takes, about.")
    var seconds = 2.0

    @Option(help: "The largest size in MiB.")
    var largest = 64

    @Flag(help: "One JSON object a line.")
    var json = false

    func execute() throws {
        try Failure.requirePositive(seconds: seconds)
        guard 1...4096 ~= largest else { throw Failure.usage("--largest \(largest): expected a whole number from 1 to 4096") }
        guard let communicator = try RankedProcess.join() else {
            throw Failure.usage("one rank has nobody to sum with: start it as mpirun -n 2 kanto bench all-reduce")
        }
        let n = communicator.rankCount
        var sizes: [Int] = [4]
        while sizes.last! < largest << 20 { sizes.append(min(sizes.last! * 8, largest << 20)) }
        var rows: [[String]] = []
        for bytes in sizes {
            let timings = try measure(bytes / 4, communicator, seconds: seconds / Double(sizes.count))
            let bandwidth = 2 * Double(n - 1) / Double(n) * Double(bytes) / timings.median
            if json {
                print(
                    jsonLine([
                        "ranks": "\(n)", "local_ranks": "\(communicator.localRankCount)", "bytes": "\(bytes)",
                        "median_us": fixed(timings.median * 1e6, 2), "best_us": fixed(timings.minimum * 1e6, 2),
                        "bytes_per_second": fixed(bandwidth, 0),
                    ]))
            }
            rows.append([
                "\(bytes)", fixed(timings.median * 1e6, 1) + " us", fixed(timings.minimum * 1e6, 1) + " us",
                fixed(bandwidth / 1e9, 3) + " GB/s",
            ])
        }
        if json { return }
        print("\(n) ranks, \(communicator.localRankCount) on this machine, \(communicator.description)")
        printTable(["BYTES", "MEDIAN", "BEST", "BANDWIDTH"], rows)
    }

    /// Sums float32 numbers, as many times on each rank.
    private func measure(_ count: Int, _ communicator: Communicator, seconds: Double) throws -> Timings {
        var timings = Timings()
        var values = [Float](repeating: 0, count: count)
        let expected = Float(communicator.rankCount * (communicator.rankCount + 1) / 2)
        let start = monotonicSeconds()
        var isOver = false
        while !isOver {
            for index in values.indices { values[index] = Float(communicator.rank + 1) }
            try communicator.barrier()
            try values.withUnsafeMutableBytes { bytes in
                try timings.measure(runs: 1) { try communicator.sum(bytes.baseAddress!, count: count, .float32) }
            }
            guard let wrong = values.first(where: { $0 != expected }) else {
                // The first rank's clock.
                isOver = try communicator.fromFirst([timings.count >= 5 && monotonicSeconds() - start > seconds ? 1 : 0]) == [1]
                continue
            }
            throw Failure(message: "a sum of \(count) numbers is \(wrong), expected \(expected)", code: Failure.broken)
        }
        return timings
    }
}
