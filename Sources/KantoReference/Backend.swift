import KantoABI

// The definition of every op: plain loops, accumulated in double precision, the same result for any number of threads.
// An op is planned as independent pieces of work and a body that computes one of them.

/// The reference backend's table; the same pointer at each call.
public func referenceBackend() -> UnsafePointer<kanto_backend> { UnsafePointer(table) }

nonisolated(unsafe) private let table: UnsafeMutablePointer<kanto_backend> = {
    let table = UnsafeMutablePointer<kanto_backend>.allocate(capacity: 1)
    table.initialize(to: kanto_backend())
    table.pointee.struct_size = UInt32(MemoryLayout<kanto_backend>.size)
    table.pointee.name = cString("reference")
    table.pointee.description = cString("plain scalar Swift, accumulating in float64: the definition of every op")
    let offers = UnsafeMutablePointer<UInt32>.allocate(capacity: KANTO_OP_RANDOM + 1)
    for op in 0...KANTO_OP_RANDOM { offers[op] = op == 0 ? 0 : 1 << KANTO_DTYPE_F32 | 1 << KANTO_DTYPE_F64 }
    table.pointee.offers = UnsafePointer(offers)
    table.pointee.offer_count = UInt32(KANTO_OP_RANDOM + 1)
    table.pointee.make = { _, problem, host, kernel, message in
        makeKernel(problem!, host!, kernel!, message)
    }
    return table
}()

/// What an operand consists of.
protocol Number {
    /// The value in double precision. (`Double.init` of a generic float goes by way of bit patterns.)
    var wide: Double { get }
}

/// A float type that kernels compute in.
protocol Element: Number, BinaryFloatingPoint {}

extension Float: Element {
    @inline(__always) var wide: Double { Double(self) }
}

extension Double: Element {
    @inline(__always) var wide: Double { self }
}

/// A factor of a product of bfloat16, in memory one of float32.
struct RoundedFloat: Number {
    private let value: Float
    @inline(__always) var wide: Double { roundedToBfloat16(value) }
}

/// The same of float64 that float32 can hold.
struct RoundedDouble: Number {
    private let value: Double
    @inline(__always) var wide: Double { roundedToBfloat16(Float(value)) }
}

/// To nearest, ties to even; subnormal numbers are zeros of their sign, NaN stays NaN.
private func roundedToBfloat16(_ value: Float) -> Double {
    let bits = value.bitPattern
    if value.isNaN { return .nan }
    if bits & 0x7f80_0000 == 0 { return value.sign == .minus ? -0.0 : 0 }
    return Double(Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000))
}

/// The body of a product by its types of element and of factor.
func productBody(
    _ problem: kanto_problem, float32: kanto_body, float64: kanto_body, rounded32: kanto_body, rounded64: kanto_body
) -> kanto_body {
    let rounds = problem.precision == KANTO_PRECISION_BFLOAT16
    return problem.dtype == KANTO_DTYPE_F64 ? (rounds ? rounded64 : float64) : (rounds ? rounded32 : float32)
}

/// Why a problem is not served.
struct Declined: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// How an op is computed: `pieceCount` independent pieces, whatever the number of threads.
struct Work {
    var description: StaticString
    var pieceCount: Int
    var body: kanto_body
    var scratchBytesPerWorker = 0
    /// How many of `kanto_arguments.scalars` are read.
    var scalarCount = 0
    var axes: [Axis] = []
}

/// One piece of work of one run.
struct Piece {
    let problem: UnsafePointer<kanto_problem>
    let axes: UnsafeBufferPointer<Axis>
    let index: Int
    /// The worker's own scratch.
    let scratch: UnsafeMutableRawPointer
    private let arguments: UnsafePointer<kanto_arguments>

    init(_ context: UnsafeMutableRawPointer?, _ index: Int64, _ worker: Int64) {
        let run = context.unsafelyUnwrapped.assumingMemoryBound(to: Run.self)
        let kernel = run.pointee.kernel
        problem = UnsafePointer(kernel.pointer(to: \.problem)!)
        axes = UnsafeBufferPointer(kernel.pointee.axes)
        arguments = run.pointee.arguments
        self.index = Int(index)
        scratch =
            (arguments.pointee.scratch ?? UnsafeMutableRawPointer(run))
            + Int(worker) * kernel.pointee.scratchBytesPerWorker
    }

    func input<T: Number>(_ index: Int, as type: T.Type) -> UnsafePointer<T> {
        (kanto_input(arguments, UInt32(index)) ?? placeholder).assumingMemoryBound(to: T.self)
    }

    func output<T: Element>(_ index: Int, as type: T.Type) -> UnsafeMutablePointer<T> {
        (kanto_output(arguments, UInt32(index)) ?? UnsafeMutableRawPointer(mutating: placeholder)).assumingMemoryBound(to: T.self)
    }

    func scalar(_ index: Int) -> Double { arguments.pointee.scalars[index] }

    /// An operand without elements may be NULL; this stands for its address, which is never read.
    private var placeholder: UnsafeRawPointer { UnsafeRawPointer(arguments) }
}

/// A made kernel; the host sees its first member.
private struct Kernel {
    var header: kanto_kernel
    var problem: kanto_problem
    var axes: UnsafeMutableBufferPointer<Axis>
    var pieceCount: Int
    var scratchBytesPerWorker: Int
    var scalarCount: Int
    var threadCount: UInt32
    var body: kanto_body
}

private struct Run {
    let kernel: UnsafeMutablePointer<Kernel>
    let arguments: UnsafePointer<kanto_arguments>
}

private typealias KernelSlot = UnsafeMutablePointer<UnsafeMutablePointer<kanto_kernel>?>

private func makeKernel(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot,
    _ message: UnsafeMutablePointer<kanto_message>?
) -> kanto_status {
    let work: Work
    do throws(Declined) {
        work = try plan(problem)
    } catch {
        write(error.reason, to: message)
        return kanto_status(KANTO_STATUS_DECLINED)
    }
    let axes = UnsafeMutableBufferPointer<Axis>.allocate(capacity: work.axes.count)
    _ = axes.initialize(from: work.axes)
    let threadCount = max(1, host.pointee.thread_count)
    let header = kanto_kernel(
        struct_size: UInt32(MemoryLayout<kanto_kernel>.size), prepared_count: 0,
        scratch_bytes: work.scratchBytesPerWorker * Int(threadCount), description: cString(work.description),
        run: run, release: release, prepared_bytes: nil, prepare: nil)
    let kernel = UnsafeMutablePointer<Kernel>.allocate(capacity: 1)
    kernel.initialize(
        to: Kernel(
            header: header, problem: problem.pointee, axes: axes, pieceCount: work.pieceCount,
            scratchBytesPerWorker: work.scratchBytesPerWorker, scalarCount: work.scalarCount, threadCount: threadCount,
            body: work.body))
    slot.pointee = kernel.pointer(to: \.header)
    return kanto_status(KANTO_STATUS_OK)
}

private func plan(_ problem: UnsafePointer<kanto_problem>) throws(Declined) -> Work {
    let size = MemoryLayout<kanto_problem>.size
    guard problem.pointee.struct_size >= size else {
        throw Declined("the problem's struct_size is \(problem.pointee.struct_size), expected \(size) or more")
    }
    let problem = problem.pointee
    guard [KANTO_DTYPE_F32, KANTO_DTYPE_F64].contains(Int(problem.dtype)) else {
        throw Declined("unknown dtype \(problem.dtype)")
    }
    guard [0, problem.dtype].contains(problem.output_dtype) else {
        throw Declined("outputs of dtype \(problem.output_dtype) from inputs of dtype \(problem.dtype), expected the same")
    }
    let precisions = KANTO_OP_MATMUL...KANTO_OP_CONV2D_WEIGHT_GRADIENT ~= Int(problem.op) ? [0, KANTO_PRECISION_BFLOAT16] : [0]
    guard precisions.contains(Int(problem.precision)) else {
        throw Declined(
            "precision \(problem.precision) is asked for, expected \(precisions.map(String.init).joined(separator: " or "))")
    }
    switch Int(problem.op) {
    case KANTO_OP_MATMUL: return try planMatmul(problem)
    case KANTO_OP_CONV2D_FORWARD: return try planForward(problem)
    case KANTO_OP_CONV2D_INPUT_GRADIENT: return try planInputGradient(problem)
    case KANTO_OP_CONV2D_WEIGHT_GRADIENT: return try planWeightGradient(problem)
    case KANTO_OP_UNARY, KANTO_OP_BINARY, KANTO_OP_TERNARY: return try planElementwise(problem)
    case KANTO_OP_REDUCE: return try planReduce(problem)
    case KANTO_OP_OPTIMIZE: return try planOptimize(problem)
    case KANTO_OP_STATISTICS: return try planStatistics(problem)
    case KANTO_OP_RANDOM: return try planRandom(problem)
    default: throw Declined("unknown op \(problem.op)")
    }
}

/// What the header's table says of the problem's function; declines one that it does not have.
func function(of problem: kanto_problem) throws(Declined) -> kanto_function_info {
    guard let info = kanto_find_function(problem.op, problem.function) else {
        throw Declined("unknown function \(problem.function) of op \(problem.op)")
    }
    return info.pointee
}

/// Declines flags that the op does not define.
func check(flagsOf problem: kanto_problem, among allowed: Int) throws(Declined) {
    let unknown = problem.flags & ~UInt32(allowed)
    guard unknown == 0 else { throw Declined("flags 0x\(String(unknown, radix: 16)) have no meaning in this op") }
}

/// Declines an activation where there is none, or one that is unknown, and a derivative of nothing or that its output does
/// not determine.
func check(activationOf problem: kanto_problem, allowed: Bool) throws(Declined) {
    let isDerivative = problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0
    if isDerivative {
        guard problem.activation != KANTO_ACTIVATION_NONE else { throw Declined("the derivative of no activation is asked for") }
        guard problem.flags & UInt32(KANTO_FLAG_BIAS) == 0 else {
            throw Declined("a derivative and a bias are asked for, which have one place")
        }
        guard problem.activation != KANTO_ACTIVATION_LEAKY_RELU || problem.parameter >= 0 else {
            throw Declined("the output of a leaky ReLU of slope \(problem.parameter) does not tell its derivative")
        }
    }
    if problem.activation == KANTO_ACTIVATION_NONE { return }
    guard allowed else { throw Declined("this op has no epilogue, but activation \(problem.activation) is asked for") }
    guard problem.activation <= KANTO_ACTIVATION_SIGMOID else {
        throw Declined("unknown activation \(problem.activation)")
    }
}

/// The product of sizes and strides, which may not be negative nor more than any memory holds: sums of several such
/// products, in bytes, cannot overflow.
@discardableResult
func elementCount(_ sizes: [Int64]) throws(Declined) -> Int {
    for size in sizes where size < 0 { throw Declined("a size or stride is \(size), expected 0 or more") }
    if sizes.contains(0) { return 0 }
    var product: Int64 = 1
    for size in sizes {
        guard size <= (1 << 48) / product else { throw Declined("sizes of \(sizes) are more than 2^48 elements") }
        product *= size
    }
    return Int(product)
}

/// The number of elements of an op over contiguous operands alone, which has neither flags nor an activation.
func contiguousCount(_ problem: kanto_problem, _ operands: String) throws(Declined) -> Int {
    try check(flagsOf: problem, among: 0)
    try check(activationOf: problem, allowed: false)
    guard problem.iteration.rank == 1 else {
        throw Declined("the rank is \(problem.iteration.rank), expected 1: \(operands) contiguous")
    }
    return try elementCount([problem.iteration.extent.0])
}

/// `count / size`, rounded up.
func pieces(_ count: Int, of size: Int) -> Int { count / size + (count % size == 0 ? 0 : 1) }

private func run(
    _ kernel: UnsafePointer<kanto_kernel>?, _ arguments: UnsafePointer<kanto_arguments>?,
    _ message: UnsafeMutablePointer<kanto_message>?
) -> kanto_status {
    let kernel = UnsafeMutableRawPointer(mutating: kernel!).assumingMemoryBound(to: Kernel.self)
    let arguments = arguments!
    let host = arguments.pointee.host!
    if kernel.pointee.pieceCount == 0 { return kanto_status(KANTO_STATUS_OK) }
    guard host.pointee.thread_count <= kernel.pointee.threadCount else {
        write(
            "the kernel was made for \(kernel.pointee.threadCount) threads and is run on \(host.pointee.thread_count)",
            to: message)
        return kanto_status(KANTO_STATUS_FAILED)
    }
    let scalarCount = kernel.pointee.scalarCount
    guard scalarCount == 0 || kanto_scalars(arguments, UInt32(scalarCount)) != nil else {
        write("the op reads \(scalarCount) scalars, but \(arguments.pointee.scalar_count) are given", to: message)
        return kanto_status(KANTO_STATUS_FAILED)
    }
    var run = Run(kernel: kernel, arguments: arguments)
    host.pointee.parallel_for(host, Int64(kernel.pointee.pieceCount), kernel.pointee.body, &run)
    return kanto_status(KANTO_STATUS_OK)
}

private func release(_ kernel: UnsafeMutablePointer<kanto_kernel>?) {
    let kernel = UnsafeMutableRawPointer(kernel!).assumingMemoryBound(to: Kernel.self)
    kernel.pointee.axes.deallocate()
    kernel.deallocate()
}

private func cString(_ string: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
}

private func write(_ text: String, to message: UnsafeMutablePointer<kanto_message>?) {
    guard let message, message.pointee.capacity > 0, let buffer = message.pointee.text else { return }
    var length = 0
    for byte in text.utf8.prefix(message.pointee.capacity - 1) {
        buffer[length] = CChar(bitPattern: byte)
        length += 1
    }
    buffer[length] = 0
}
