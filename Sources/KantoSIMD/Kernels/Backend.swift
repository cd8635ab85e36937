import KantoABI

// One source, compiled once per instruction set (see Lanes.swift beside the link to this folder). Nothing here may use
// generics of other modules that are left as calls (arrays, dictionaries, strings): their specializations are weak
// symbols of one name, and the linker might hand this instruction set's code to another.

/// This variant's table; the same pointer at each call. Only to be called on a processor that has the instruction set.
public func simdBackend() -> UnsafePointer<kanto_backend> { UnsafePointer(table) }

/// The same for convolutions alone, by direct sums.
public func simdDirectBackend() -> UnsafePointer<kanto_backend> { UnsafePointer(directTable) }

/// The same for convolutions alone, by minimal filtering.
public func simdFilteredBackend() -> UnsafePointer<kanto_backend> { UnsafePointer(filteredTable) }

nonisolated(unsafe) private let table = makeTable(backendName, backendDescription, ops: KANTO_OP_MATMUL...KANTO_OP_RANDOM) {
    make($1!, $2!, $3!, $4)
}
nonisolated(unsafe) private let directTable = makeTable(directBackendName, directDescription, ops: convolutions) {
    make($1!, $2!, $3!, $4, .direct)
}
nonisolated(unsafe) private let filteredTable = makeTable(filteredBackendName, filteredDescription, ops: convolutions) {
    make($1!, $2!, $3!, $4, .filtered)
}

private var convolutions: ClosedRange<Int> { KANTO_OP_CONV2D_FORWARD...KANTO_OP_CONV2D_WEIGHT_GRADIENT }
private var directDescription: StaticString { "convolutions of this variant by direct sums" }
private var filteredDescription: StaticString { "convolutions of this variant by minimal filtering" }

private typealias MakeFunction =
    @convention(c) (
        UnsafePointer<kanto_backend>?, UnsafePointer<kanto_problem>?, UnsafePointer<kanto_host>?,
        UnsafeMutablePointer<UnsafeMutablePointer<kanto_kernel>?>?, UnsafeMutablePointer<kanto_message>?
    ) -> kanto_status

private func makeTable(
    _ name: StaticString, _ description: StaticString, ops: ClosedRange<Int>, _ make: MakeFunction
) -> UnsafeMutablePointer<kanto_backend> {
    let table = UnsafeMutablePointer<kanto_backend>.allocate(capacity: 1)
    table.initialize(to: kanto_backend())
    table.pointee.struct_size = UInt32(MemoryLayout<kanto_backend>.size)
    table.pointee.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    table.pointee.description = UnsafeRawPointer(description.utf8Start).assumingMemoryBound(to: CChar.self)
    let offers = UnsafeMutablePointer<UInt32>.allocate(capacity: KANTO_OP_RANDOM + 1)
    for op in 0...KANTO_OP_RANDOM { offers[op] = ops ~= op ? 1 << KANTO_DTYPE_F32 : 0 }
    table.pointee.offers = UnsafePointer(offers)
    table.pointee.offer_count = UInt32(KANTO_OP_RANDOM + 1)
    table.pointee.make = make
    return table
}

typealias KernelSlot = UnsafeMutablePointer<UnsafeMutablePointer<kanto_kernel>?>
typealias Message = UnsafeMutablePointer<kanto_message>

private func make(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?,
    _ algorithm: ConvolutionAlgorithm = .any
) -> kanto_status {
    guard problem.pointee.dtype == UInt32(KANTO_DTYPE_F32), kanto_output_dtype(problem) == UInt32(KANTO_DTYPE_F32) else {
        return decline(message, "the SIMD backend computes in float32 only")
    }
    switch Int(problem.pointee.precision) {
    case KANTO_PRECISION_FLOAT32: return makeExact(problem, host, kernel, message, algorithm)
    case KANTO_PRECISION_RELAXED where convolutions ~= Int(problem.pointee.op):
        return makeExact(problem, host, kernel, message, algorithm)
    case KANTO_PRECISION_BFLOAT16 where algorithm != .filtered: return makeProductOfPairs(problem, host, kernel, message)
    default: return decline(message, "the SIMD backend has no such product of less precision than float32")
    }
}

/// Makes a kernel of numbers as they are, or, in a product of bfloat16, of words.
func makeExact(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?,
    _ algorithm: ConvolutionAlgorithm
) -> kanto_status {
    switch Int(problem.pointee.op) {
    case KANTO_OP_MATMUL: return makeMatmul(problem, host, kernel, message)
    case KANTO_OP_CONV2D_FORWARD: return makeConvolutionForward(problem, host, kernel, message, algorithm)
    case KANTO_OP_CONV2D_INPUT_GRADIENT: return makeConvolutionInputGradient(problem, host, kernel, message, algorithm)
    case KANTO_OP_CONV2D_WEIGHT_GRADIENT: return makeConvolutionWeightGradient(problem, host, kernel, message, algorithm)
    case KANTO_OP_UNARY, KANTO_OP_BINARY, KANTO_OP_TERNARY: return makeElementwise(problem, host, kernel, message)
    case KANTO_OP_REDUCE: return makeReduction(problem, host, kernel, message)
    case KANTO_OP_STATISTICS: return makeStatistics(problem, host, kernel, message)
    case KANTO_OP_OPTIMIZE: return makeOptimize(problem, host, kernel, message)
    case KANTO_OP_RANDOM: return makeRandom(problem, host, kernel, message)
    default: return decline(message, "no such op in the SIMD backend")
    }
}

/// Writes the reason and returns KANTO_STATUS_DECLINED.
func decline(_ message: Message?, _ reason: StaticString) -> kanto_status {
    if let message, message.pointee.capacity > 0, let text = message.pointee.text {
        let count = min(reason.utf8CodeUnitCount, message.pointee.capacity - 1)
        UnsafeMutableRawPointer(text).copyMemory(from: reason.utf8Start, byteCount: count)
        text[count] = 0
    }
    return kanto_status(KANTO_STATUS_DECLINED)
}

/// Writes what broke and returns KANTO_STATUS_FAILED.
func fail(_ message: Message?, _ reason: StaticString) -> kanto_status {
    _ = decline(message, reason)
    return kanto_status(KANTO_STATUS_FAILED)
}
