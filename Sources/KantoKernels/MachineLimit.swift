import KantoABI
import KantoSIMDAVX2
import KantoSIMDAVX512
import KantoSIMDBaseline

/// What the machine can do at most, measured, so that a kernel's speed can be told as a share of it.
public enum MachineLimit {
    /// Billions of floating-point operations a second that multiply-adds in registers reach on the threads in force, with
    /// the instruction set that the SIMD backend uses: the best of four tries, which take about `seconds` together. Where
    /// something else takes a core meanwhile it is less; who wants the limit takes the best of several calls.
    ///
    /// - Parameter precision: of bfloat16, the instruction for pairs where the processor has it.
    public static func multiplyAddRate(
        of precision: Precision = .float32, seconds: Double = 0.005
    ) throws(KernelError) -> Double {
        let registry = try Registry.shared()
        let (loop, operations): (@convention(c) (Int) -> Float, Int) =
            switch registry.configuration.instructionSet {
            case .baseline:
                ({ KantoSIMDBaseline.multiplyAddRounds($0) }, KantoSIMDBaseline.multiplyAddRoundOperations())
            case .avx2: ({ KantoSIMDAVX2.multiplyAddRounds($0) }, KantoSIMDAVX2.multiplyAddRoundOperations())
            case .avx512 where precision == .bfloat16 && KantoSIMDAVX512.multipliesPairs():
                ({ KantoSIMDAVX512.pairRounds($0) }, 2 * KantoSIMDAVX512.multiplyAddRoundOperations())
            case .avx512: ({ KantoSIMDAVX512.multiplyAddRounds($0) }, KantoSIMDAVX512.multiplyAddRoundOperations())
            }
        let threadCount = try Kernels.threadCount()
        // The workers are those of the kernels: any kernel knows its host.
        let host = try Kernels.kernel(for: .matmul(m: 1, n: 1, k: 1)).host
        struct Work { let loop: @convention(c) (Int) -> Float; var rounds: Int; var sink: Float = 0 }
        return Kernels.run {
            var work = Work(loop: loop, rounds: 5_000)
            func run() -> Double {
                let start = monotonicSeconds()
                host.pointer.pointee.parallel_for(
                    host.pointer, Int64(threadCount),
                    { context, _, _ in
                        let work = context!.assumingMemoryBound(to: Work.self)
                        if work.pointee.loop(work.pointee.rounds) == 0 { work.pointee.sink = 1 }
                    }, &work)
                return monotonicSeconds() - start
            }
            // Rounds that fill the time, by the best of some short tries: on a busy machine one of them may wait for a worker
            // longer than it runs, and so few rounds would measure that wait again.
            let shortest = (0..<4).map { _ in run() }.min()!
            work.rounds = max(work.rounds, Int(Double(work.rounds) * seconds / 4 / shortest))
            let total = Double(work.rounds) * Double(operations * threadCount)
            return total / (0..<4).map { _ in run() }.min()! / 1e9
        }
    }
}

extension MachineLimit {
    /// Bytes that the caches of so many threads hold, about.
    package static func cacheByteCount(threadCount: Int) -> Int {
        let caches = Processor.caches
        return caches.level3 + caches.level2 * threadCount
    }

    /// Billions of bytes a second that the threads in force move between memory and registers, from arrays that no cache
    /// holds: the better of reading one array and of reading and writing one in place.
    public static func memoryRate() throws(KernelError) -> Double {
        let count = 1 << 25
        let read = Problem.iteration(.reduce, .sum, extents: [count], output: [0], inputs: [[1]])
        let change = Problem.iteration(.unary, .affine, extents: [count], output: [1], inputs: [[1]])
        let reader = try Kernels.kernel(for: read), changer = try Kernels.kernel(for: change)
        return try Kernels.run { () throws(KernelError) in
            let array = try Memory.allocate(byteCount: 4 * count)
            defer { Memory.release(array, byteCount: 4 * count) }
            array.initializeMemory(as: UInt8.self, repeating: 0, count: 4 * count)
            var sum: Float = 0
            var reading = Timings(), changing = Timings()
            for _ in 0..<3 {
                try reading.measure { () throws(KernelError) in try reader.run(array, into: &sum) }
                try changing.measure { () throws(KernelError) in try changer.run(array, into: array, scalars: [1, 0]) }
            }
            return max(4 * Double(count) / reading.minimum, 8 * Double(count) / changing.minimum) / 1e9
        }
    }
}
