import Glibc
import KantoABI
import KantoConsistency
import KantoKernels
import Testing

/// Workers that a backend lends to all.
@Suite struct WorkersTests {
    private typealias ParallelFor = @convention(c) (Int64, Int64, kanto_body?, UnsafeMutableRawPointer?) -> Void

    private func flaw(of parallelFor: ParallelFor) -> String? {
        var backend = kanto_backend()
        backend.parallel_for = parallelFor
        return flawOfWorkers(&backend)
    }

    @Test(arguments: try Registry.shared().backends) func workersHaveNoFlaw(_ backend: Backend) {
        #expect(flawOfWorkers(backend.table) == nil)
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
        // A new thread for each index, within a loop too.
        let spawns = flaw { _, count, body, context in
            for index in 0..<count {
                var index = (index, body!, context)
                var thread = pthread_t()
                pthread_create(
                    &thread, nil,
                    { index in
                        let (index, body, context) = index!
                            .assumingMemoryBound(to: (Int64, kanto_body, UnsafeMutableRawPointer?).self).pointee
                        body(context, index, 0)
                        return nil
                    }, &index)
                pthread_join(thread, nil)
            }
        }
        #expect(spawns == "a loop within a loop on 1 threads does not run inline")
    }
}
