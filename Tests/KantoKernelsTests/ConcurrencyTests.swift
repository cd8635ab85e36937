import KantoABI
import Testing

@testable import KantoKernels

/// One registry, used by many tasks at once. What these tests are worth they are worth under the thread sanitizer
/// (`.ci/races`): a race rarely shows in a result.
@Suite struct ConcurrencyTests {
    @Test(arguments: [1, 2]) func oneRegistryServesManyTasks(threadCount: Int) async throws {
        let registry = try makeRegistry()
        let names = registry.backends.filter { $0.origin == .builtIn && $0.variantOf == nil }.map(\.name)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<60 {
                        // The same few problems of all tasks, on different backends in turn.
                        let size = 1 + (task + round) % 7
                        let name = names[(task + round / 7) % names.count]
                        let problem = Problem.matmul(m: size, n: size, k: size)
                        let kernel = try registry.kernel(problem, name, threadCount: threadCount)
                        #expect(kernel.backend.name == name)
                        let operands = try Buffer(byteCount: 3 * 4 * size * size)
                        operands.pointer.initializeMemory(as: Float.self, repeating: 1, count: 3 * size * size)
                        let (a, b, c) = (operands.pointer, operands.pointer + 4 * size * size, operands.pointer + 8 * size * size)
                        if round % 2 == 0 {
                            try kernel.run(a, b, into: c)
                        } else {
                            try Kernels.run { try kernel.run(a, b, into: c) }
                        }
                        let result = UnsafeBufferPointer(start: c.assumingMemoryBound(to: Float.self), count: size * size)
                        #expect(result.allSatisfy { $0 == Float(size) })
                        if round % 10 == 0 {
                            let selection = try registry.selection([name])
                            let explanation = try registry.explain(problem, selection: selection, threadCount: threadCount)
                            #expect(explanation.server?.name == name)
                            #expect(registry.cacheStatistics.hits >= 0 && Memory.statistics.inUse > 0)
                            Diagnostics.warnOnce("concurrent \(size)", key: "concurrent \(size)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let statistics = registry.cacheStatistics
        #expect(statistics.hits + statistics.misses == 8 * 60)
        #expect(statistics.misses <= 7 * names.count)
    }

    /// A cache that is too small for the tasks, so that kernels go while others find and run theirs.
    @Test func kernelsGoWhileOthersRun() async throws {
        let registry = try makeRegistry()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var c: Float = 0
                    for n in 0..<400 {
                        let kernel = try registry.kernel(.matmul(m: 1, n: 1, k: task * 400 + n), "reference")
                        if n % 8 == 0 {
                            let ones = [Float](repeating: 1, count: task * 400 + n)
                            try kernel.run(ones, ones, into: &c)
                            #expect(c == Float(task * 400 + n))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(registry.cacheStatistics == (hits: 0, misses: 1600, evictions: 1600 - 1024))
    }

    /// The registry of the process, its selection and its plugins, first asked for by many at once.
    @Test func manyTasksFindTheProcessesKernels() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let problem = Problem.matmul(m: 3, n: task % 3 + 1, k: 3)
                    for _ in 0..<20 {
                        let kernel = try Kernels.kernel(for: problem)
                        #expect(try Kernels.kernel(for: problem) === kernel)
                        let other = try withBackend("reference") { try Kernels.kernel(for: problem) }
                        #expect(other.backend.name == "reference")
                        #expect(try Backend.available.contains(other.backend))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
