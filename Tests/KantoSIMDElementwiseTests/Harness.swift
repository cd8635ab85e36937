import Dispatch
import KantoABI
import KantoSIMDAVX2
import KantoSIMDAVX512
import KantoSIMDBaseline
import KantoShims
import Testing

/// A backend under test, on a host of one or two threads.
struct Setup: CustomTestStringConvertible, @unchecked Sendable {
    var backend: UnsafePointer<kanto_backend>
    var threadCount: Int
    var testDescription: String { "\(String(cString: backend.pointee.name)), \(threadCount) threads" }

    /// Every variant that this processor runs, with each thread count.
    static let all: [Setup] = variants.flatMap { backend in
        [1, 2].map { Setup(backend: backend, threadCount: $0) }
    }

    nonisolated(unsafe) private static let variants: [UnsafePointer<kanto_backend>] = {
        var variants = [KantoSIMDBaseline.simdBackend()]
        if kanto_cpu_has_avx2() { variants.append(KantoSIMDAVX2.simdBackend()) }
        if kanto_cpu_has_avx512() { variants.append(KantoSIMDAVX512.simdBackend()) }
        return variants
    }()

    fileprivate var host: kanto_host {
        var host = kanto_host()
        host.struct_size = UInt32(MemoryLayout<kanto_host>.size)
        host.thread_count = UInt32(threadCount)
        host.parallel_for = { host, count, body, context in
            let workers = Int(host!.pointee.thread_count)
            nonisolated(unsafe) let context = context
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for index in stride(from: worker, to: Int(count), by: workers) {
                    body!(context, Int64(index), Int64(worker))
                }
            }
        }
        host.level1_cache_bytes = 32 << 10
        host.level2_cache_bytes = 1 << 20
        host.level3_cache_bytes = 16 << 20
        return host
    }

    /// Makes the kernel of a problem and runs it, or returns why not. NaN fills the scratch before the run.
    func run(
        _ problem: kanto_problem, inputs: [UnsafePointer<Float>?], outputs: [UnsafeMutablePointer<Float>?],
        scalars: [Double] = []
    ) -> Outcome {
        var problem = problem
        var host = host
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            var message = kanto_message(text: text.baseAddress, capacity: 256)
            var kernel: UnsafeMutablePointer<kanto_kernel>?
            let made = backend.pointee.make(backend, &problem, &host, &kernel, &message)
            guard made == KANTO_STATUS_OK, let kernel else { return .declined(String(cString: text.baseAddress!)) }
            defer { kernel.pointee.release(kernel) }
            let guardBytes = 256
            let scratch = UnsafeMutableRawBufferPointer.allocate(
                byteCount: kernel.pointee.scratch_bytes + guardBytes, alignment: 64)
            defer { scratch.deallocate() }
            for index in scratch.indices { scratch[index] = 0xFF }
            var arguments = kanto_arguments()
            arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
            arguments.scratch = kernel.pointee.scratch_bytes > 0 ? scratch.baseAddress : nil
            (arguments.input_count, arguments.output_count) = (UInt32(inputs.count), UInt32(outputs.count))
            arguments.scalar_count = UInt32(scalars.count)
            func run(
                _ host: UnsafePointer<kanto_host>, _ inputs: UnsafePointer<UnsafeRawPointer?>,
                _ outputs: UnsafePointer<UnsafeMutableRawPointer?>, _ scalars: UnsafePointer<Double>
            ) -> kanto_status {
                (arguments.host, arguments.inputs, arguments.outputs) = (host, inputs, outputs)
                if arguments.scalar_count > 0 { arguments.scalars = scalars }
                return kernel.pointee.run(kernel, &arguments, &message)
            }
            let status = run(
                &host, inputs.map { UnsafeRawPointer($0) }, outputs.map { UnsafeMutableRawPointer($0) }, scalars)
            #expect(scratch.suffix(guardBytes).allSatisfy { $0 == 0xFF }, "the scratch was overrun")
            return status == KANTO_STATUS_OK ? .done : .failed(String(cString: text.baseAddress!))
        }
    }
}

enum Outcome: Equatable {
    case done
    case declined(String)
    case failed(String)
}

/// Floats between sentinels, at an address that is aligned to its element only.
final class Guarded {
    private static let sentinel: UInt32 = 0xFFC0_DEAD
    private static let margin = 67
    private let memory: UnsafeMutableBufferPointer<Float>
    let count: Int
    var start: UnsafeMutablePointer<Float> { memory.baseAddress! + Guarded.margin }

    /// All floats are sentinels, which are NaN.
    init(_ count: Int) {
        self.count = count
        memory = .allocate(capacity: count + 2 * Guarded.margin)
        memory.initialize(repeating: Float(bitPattern: Guarded.sentinel))
    }

    convenience init(_ count: Int, values: (Int) -> Float) {
        self.init(count)
        for index in 0..<count { start[index] = values(index) }
    }

    deinit { memory.deallocate() }

    var values: [Float] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// Whether an element, or one before or behind the floats, is as it was at first.
    func isUntouched(_ index: Int) -> Bool { start[index].bitPattern == Guarded.sentinel }

    var marginsAreUntouched: Bool {
        (-Guarded.margin..<0).allSatisfy(isUntouched) && (count..<count + Guarded.margin).allSatisfy(isUntouched)
    }
}

/// A loop nest, as lists.
struct Nest: CustomTestStringConvertible {
    var extents: [Int]
    var output: [Int]
    var inputs: [[Int]]
    var testDescription: String { "\(extents) -> \(output) <- \(inputs)" }

    func problem(op: Int, function: Int, flags: Int = 0, parameter: Double = 0) -> kanto_problem {
        var problem = kanto_problem()
        problem.struct_size = UInt32(MemoryLayout<kanto_problem>.size)
        problem.op = UInt32(op)
        problem.dtype = UInt32(KANTO_DTYPE_F32)
        problem.function = UInt32(function)
        problem.flags = UInt32(flags)
        problem.parameter = parameter
        problem.iteration.rank = Int64(extents.count)
        set(&problem.iteration.extent, extents)
        set(&problem.iteration.output_stride, output)
        if inputs.count > 0 { set(&problem.iteration.input_stride.0, inputs[0]) }
        if inputs.count > 1 { set(&problem.iteration.input_stride.1, inputs[1]) }
        if inputs.count > 2 { set(&problem.iteration.input_stride.2, inputs[2]) }
        return problem
    }

    private func set<Tuple>(_ tuple: inout Tuple, _ values: [Int]) {
        withUnsafeMutableBytes(of: &tuple) { bytes in
            for (index, value) in values.enumerated() {
                bytes.storeBytes(of: Int64(value), toByteOffset: 8 * index, as: Int64.self)
            }
        }
    }

    /// The elements that an operand of these strides spans.
    func span(_ strides: [Int]) -> Int {
        if extents.contains(0) { return 0 }
        return 1 + zip(extents, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
    }

    /// The index of each element in each operand: the output, then the inputs.
    func forEach(_ body: (_ output: Int, _ inputs: [Int]) -> Void) {
        guard !extents.contains(0) else { return }
        var index = [Int](repeating: 0, count: extents.count)
        var target = 0
        var sources = [Int](repeating: 0, count: inputs.count)
        while true {
            body(target, sources)
            var axis = extents.count - 1
            while axis >= 0 {
                let steps = index[axis] + 1 < extents[axis] ? 1 : -index[axis]
                index[axis] += steps
                target += steps * output[axis]
                for number in inputs.indices { sources[number] += steps * inputs[number][axis] }
                if steps > 0 { break }
                axis -= 1
            }
            if axis < 0 { return }
        }
    }

    /// Row-major strides of a tensor whose axes have these lengths, 0 where the length is 1 and the nest's is not.
    static func strides(_ lengths: [Int], broadcastTo extents: [Int]) -> [Int] {
        var stride = 1
        var strides = [Int](repeating: 0, count: lengths.count)
        for axis in lengths.indices.reversed() {
            strides[axis] = lengths[axis] == 1 && extents[axis] != 1 ? 0 : stride
            stride *= max(lengths[axis], 1)
        }
        return strides
    }

    /// A dense tensor whose axes are stored in another order: order[0] is the outermost axis of storage.
    static func strides(_ extents: [Int], storedAs order: [Int]) -> [Int] {
        var strides = [Int](repeating: 0, count: extents.count)
        var stride = 1
        for axis in order.reversed() {
            strides[axis] = stride
            stride *= max(extents[axis], 1)
        }
        return strides
    }
}

/// Random floats, about normal, the same at each run.
func randomValue(_ seed: Int) -> (Int) -> Float {
    { index in
        var state = UInt64(truncatingIfNeeded: index &* 0x9E37 &+ seed &* 0x1F35_7B1D) &* 0x9E37_79B9_7F4A_7C15
        var sum: Float = 0
        for _ in 0..<4 {
            state ^= state >> 29
            state &*= 0xBF58_476D_1CE4_E5B9
            sum += Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
        }
        return sum
    }
}

/// How far a float is from the exact value, in units in the last place of the latter. Infinity where one is NaN or
/// infinite and the other is not the same.
func distance(_ actual: Float, from exact: Double) -> Double {
    let rounded = Float(exact)
    if exact.isNaN || actual.isNaN { return exact.isNaN && actual.isNaN ? 0 : .infinity }
    if rounded.isInfinite || actual.isInfinite { return actual == rounded ? 0 : .infinity }
    return abs(Double(actual) - exact) / Double(max(rounded.ulp, .leastNonzeroMagnitude))
}
