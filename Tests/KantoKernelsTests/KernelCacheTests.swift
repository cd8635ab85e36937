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
