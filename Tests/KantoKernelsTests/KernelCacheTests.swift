import Glibc
import TestSupport
import Testing

@testable import KantoKernels

@Suite struct KernelCacheTests {
    private func key(_ number: Int) -> KernelCache.Key {
        .init(problem: .matmul(m: number, n: 1, k: 1), selection: 0, threadCount: 1)
    }
    private func kernel(_ registry: Registry, _ number: Int) throws -> Kernel {
        try registry.kernel(.matmul(m: number, n: 1, k: 1), "reference")
    }

    @Test func keyHoldsEverything() {
        let problem = Problem.matmul(m: 1, n: 1, k: 1)
        let keys: Set<KernelCache.Key> = [
            key(1), key(2), .init(problem: problem, selection: 1, threadCount: 1),
            .init(problem: problem, selection: 0, threadCount: 2),
        ]
        #expect(keys.count == 4)
    }

    @Test func dropsWhatWasUsedLongestAgo() throws {
        let registry = try makeRegistry()
        var cache = KernelCache(capacity: 3)
        let kernels = try (0..<5).map { try kernel(registry, $0) }
        for number in 0..<3 { cache.insert(kernels[number], for: key(number)) }
        #expect(cache.find(key(0)) === kernels[0])
        cache.insert(kernels[3], for: key(3))
        #expect(cache.find(key(1)) == nil)
        #expect(cache.find(key(2)) === kernels[2])
        cache.insert(kernels[4], for: key(4))
        #expect(cache.find(key(0)) == nil)
        #expect([2, 3, 4].allSatisfy { cache.find(key($0)) === kernels[$0] })
        #expect(cache.statistics == .init(hits: 5, misses: 2, evictions: 2))
    }

    @Test func ofCapacityOne() throws {
        let registry = try makeRegistry()
        var cache = KernelCache(capacity: 1)
        for number in 0..<3 {
            cache.insert(try kernel(registry, number), for: key(number))
            #expect(cache.find(key(number))?.problem == key(number).problem)
            #expect(cache.find(key(number - 1)) == nil)
        }
        #expect(cache.statistics.evictions == 2)
    }

    /// A slow `make`, asked by many at once, is called once.
    @Test func concurrentMissesMakeOneKernel() async throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "counting")
        source.make = "static int made; made++; nanosleep(&(struct timespec){0, 50000000}, NULL);"
        source.finish = "(*kernel)->scratch_bytes = made;"
        source.header += "\n#include <time.h>"
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": try source.compile(in: folder)])
        try registry.checkNamedPlugins()
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 {
                group.addTask { try registry.kernel(.matmul(m: 1, n: 1, k: 1), "counting").scratchByteCount }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(counts == [1])
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 2), "counting").scratchByteCount == 2)
    }

    /// A run keeps its kernel: it is released when the run has ended, not when it is evicted.
    @Test func evictionWaitsForTheRun() throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "evicted")
        // Waits for the test's mark, then says whether it was released meanwhile.
        source.run = """
            volatile float *output = arguments->outputs[0];
            output[0] = 1;
            while (output[1] == 0) nanosleep(&(struct timespec){0, 1000000}, NULL);
            output[2] = kernel->scratch_bytes == 7 ? 42 : -1;
            return KANTO_STATUS_OK;
            """
        source.finish = "(*kernel)->scratch_bytes = 7;"
        source.release = "kernel->scratch_bytes = 0;"
        source.header += "\n#include <time.h>"
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": try source.compile(in: folder)])
        try registry.checkNamedPlugins()
        let buffer = try Buffer(byteCount: 64)
        buffer.pointer.initializeMemory(as: Float.self, repeating: 0, count: 16)
        func output(_ index: Int) -> Float { (buffer.pointer + 4 * index).load(as: Float.self) }
        final class Run: @unchecked Sendable { var isDone = sem_t(), error: (any Error)? }
        let run = Run()
        sem_init(&run.isDone, 0, 0)
        let status = startThread(stackSize: 1 << 20) {
            do {
                try registry.kernel(.matmul(m: 1, n: 1, k: 1), "evicted").run(nil, into: buffer.pointer)
            } catch {
                run.error = error
            }
            sem_post(&run.isDone)
        }
        try #require(status == 0)
        while output(0) == 0 { usleep(1000) }
        for n in 0..<1024 { _ = try registry.kernel(.matmul(m: 1, n: n, k: 1), "reference") }
        #expect(registry.cacheStatistics.evictions == 1)
        (buffer.pointer + 4).storeBytes(of: 1, as: Float.self)
        while sem_wait(&run.isDone) != 0 {}
        #expect(run.error == nil && output(2) == 42)
    }

    /// Against the plainest model: a list in the order of use.
    @Test func followsAList() throws {
        let registry = try makeRegistry()
        let kernels = try (0..<20).map { try kernel(registry, $0) }
        var cache = KernelCache(capacity: 7), model: [Int] = []
        var state: UInt64 = 1
        for _ in 0..<5_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Int(state >> 33) % 20
            let found = cache.find(key(number))
            #expect((found != nil) == model.contains(number))
            if let found { #expect(found === kernels[number]) } else { cache.insert(kernels[number], for: key(number)) }
            model.removeAll { $0 == number }
            model.insert(number, at: 0)
            if model.count > 7 { model.removeLast() }
        }
        #expect(cache.statistics.hits + cache.statistics.misses == 5_000)
        #expect(cache.statistics.evictions == cache.statistics.misses - 7)
    }
}
