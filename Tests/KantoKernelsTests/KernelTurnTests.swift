import Glibc
import TestSupport
import Testing

@testable import KantoKernels

private struct Mishap: Error, Equatable { let number: Int }

private func counted(_ name: String, _ calls: inout Int) throws -> Int {
    calls += 1
    return name.count
}

@Suite struct KernelTurnTests {
    @Test func resultsAndErrorsComeThrough() {
        #expect(Kernels.run { [1, 2, 3] } == [1, 2, 3])
        #expect(Kernels.run { nil as Int? } == nil)
        do throws(Mishap) {
            try Kernels.run { () throws(Mishap) in throw Mishap(number: 7) }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.number == 7)
        }
        // The turn goes on.
        #expect(Kernels.run { 5 } == 5)
    }

    @Test func nestedRunIsInline() {
        let (outer, inner) = Kernels.run { (pthread_self(), Kernels.run { Kernels.run { pthread_self() } }) }
        #expect(outer == inner)
        #expect(outer == Kernels.run { pthread_self() })
        #expect(outer == pthread_self())
        #expect(!KernelTurn.isHeld && Kernels.run { KernelTurn.isHeld })
    }

    /// A closure that is written in code of an actor belongs to it and must run there, or it traps: so those of a program's
    /// `main.swift`, which is the main actor's.
    @MainActor @Test func closuresOfTheMainActorRun() throws {
        let names = ["a", "bb"]
        var calls = 0
        #expect(try Kernels.run { try names.map { name in try counted(name, &calls) } } == [1, 2])
        #expect(try Kernels.withThreadCount(2) { try names.map { name in try counted(name, &calls) } } == [1, 2])
        #expect(try withBackend("reference") { try Kernels.run { try names.map { name in try counted(name, &calls) } } } == [1, 2])
        #expect(calls == 6)
    }

    private actor Accountant {
        private var sum = 0
        func add(_ numbers: [Int]) -> Int { Kernels.run { numbers.map { number in sum += number; return sum }.max()! } }
    }

    @Test func closuresOfAnActorRun() async {
        #expect(await Accountant().add([1, 2, 3]) == 6)
    }

    @Test(.timeLimit(.minutes(1)))
    func servesAllCallersOneAtATime() async {
        final class Counter: @unchecked Sendable { var value = 0 }
        let counter = Counter()
        let thrown = await withTaskGroup(of: Int.self) { group in
            for task in 0..<64 {
                group.addTask {
                    var thrown = 0
                    for round in 0..<100 {
                        do throws(Mishap) {
                            try Kernels.run { () throws(Mishap) in
                                // Nothing guards it but the turn.
                                counter.value += 1
                                if (task + round) % 10 == 0 { throw Mishap(number: task) }
                            }
                        } catch {
                            if error.number == task { thrown += 1 }
                        }
                    }
                    return thrown
                }
            }
            return await group.reduce(0, +)
        }
        #expect(counter.value == 6400)
        #expect(thrown == 640)
    }

    #if arch(x86_64)
    /// A turn has the default floating-point environment, whatever the caller's is, who finds his own again afterwards.
    @Test func turnsHonorDenormals() throws {
        let kernel = try Kernels.kernel(for: .matmul(m: 1, n: 1, k: 1))
        let (tiny, one): ([Float], [Float]) = ([0x1p-130], [1])
        var (inTurn, stray): (Float, Float) = (0, 0)
        var usual = fenv_t(), flushing = fenv_t(), after = fenv_t()
        fegetenv(&usual)
        flushing = usual
        flushing.__mxcsr |= 0x8040  // Denormals are read as zero and written as zero.
        fesetenv(&flushing)
        defer { fesetenv(&usual) }
        try Kernels.run { try kernel.run(tiny, one, into: &inTurn) }
        try kernel.run(tiny, one, into: &stray)
        fegetenv(&after)
        #expect(inTurn.bitPattern == tiny[0].bitPattern && stray.bitPattern == tiny[0].bitPattern)
        #expect(after.__mxcsr & 0x8040 == 0x8040)
    }
    #endif

    /// A stray caller, who takes a turn for each kernel, allocates nothing either.
    @Test(.enabled(if: Allocations.areCounted)) func queuingAllocatesNothing() throws {
        let kernel = try Kernels.kernel(for: .matmul(m: 2, n: 2, k: 2))
        let pointer = try Memory.allocate(byteCount: 64)
        defer { Memory.release(pointer, byteCount: 64) }
        pointer.initializeMemory(as: Float.self, repeating: 1, count: 16)
        try kernel.run(pointer, pointer, into: pointer + 32)
        let allocations = try Allocations.count {
            for _ in 0..<1000 { try kernel.run(pointer, pointer, into: pointer + 32) }
        }
        #expect(allocations.count == 0, "\(allocations)")
    }

    @Test func carriesTheScope() throws {
        let usual = try (Backend.selected.map(\.name), Kernels.threadCount())
        let count = usual.1 + 3
        let (names, threads, records) = try withBackend("reference") {
            try Kernels.withThreadCount(count) {
                try Kernels.recordingGradients(false) {
                    try Kernels.run {
                        (try Backend.selected.map(\.name), try Kernels.threadCount(), Kernels.recordsGradients)
                    }
                }
            }
        }
        #expect(names.first == "reference")
        #expect(threads == count)
        #expect(!records)
        // Nothing of it stays behind, there or here.
        #expect(try Kernels.run { try Backend.selected.map(\.name) } == usual.0)
        #expect(try Kernels.run { try Kernels.threadCount() } == usual.1)
        #expect(Kernels.run { Kernels.recordsGradients } && Kernels.recordsGradients)
    }

    @Test(arguments: [0, -1, 1025, .max]) func threadCountsOutOfRangeAreRefused(_ count: Int) throws {
        let error = #expect(throws: KernelError.self) { try Kernels.withThreadCount(count) {} }
        #expect(error?.description == "a thread count of \(count), expected 1 to 1024")
    }

    @Test func scopesNest() throws {
        try Kernels.run { () throws in
            try withBackend("reference") { () throws in
                try withBackend("simd-baseline") { () throws in
                    #expect(try Backend.selected.map(\.name).prefix(1) == ["simd-baseline"])
                }
                #expect(try Backend.selected.map(\.name).prefix(1) == ["reference"])
                #expect(throws: Mishap(number: 1)) { try Kernels.withThreadCount(2) { throw Mishap(number: 1) } }
            }
        }
    }

    @Test func kernelKnowsItsThreadCount() throws {
        for count in [1, 2, 5] {
            let kernel = try Kernels.withThreadCount(count) { try Kernels.kernel(for: .matmul(m: 2, n: 2, k: 2)) }
            #expect(kernel.host.pointer.pointee.thread_count == UInt32(count))
        }
    }
}
