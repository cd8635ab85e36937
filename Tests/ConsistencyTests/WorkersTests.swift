import KantoABI
import KantoConsistency
import Testing

/// Workers that a backend lends to all.
@Suite struct WorkersTests {
    private typealias ParallelFor = @convention(c) (Int64, Int64, kanto_body?, UnsafeMutableRawPointer?) -> Void

    private func flaw(of parallelFor: ParallelFor) -> String? {
        var backend = kanto_backend()
        backend.parallel_for = parallelFor
        return flawOfWorkers(&backend)
    }

    @Test func soundWorkersHaveNoFlaw() {
        #expect(flaw { _, count, body, context in for index in 0..<count { body!(context, index, 0) } } == nil)
    }

    @Test func flawsAreTold() {
        let skips = flaw { _, count, body, context in for index in 0..<max(0, count - 1) { body!(context, index, 0) } }
        #expect(skips == "index 0 was run 0 times, in a loop of 1 on 1 threads")
        let exceeds = flaw { _, count, body, context in for index in 0..<(count == 0 ? 0 : count + 1) { body!(context, index, 0) } }
        #expect(exceeds == "index 1 was run, in a loop of 1 on 1 threads")
        let strays = flaw { threads, count, body, context in for index in 0..<count { body!(context, index, threads) } }
        #expect(strays == "worker 1 ran an index, in a loop of 1 on 1 threads")
    }
}
