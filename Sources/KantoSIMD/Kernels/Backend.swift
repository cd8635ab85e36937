import KantoABI

// One source, compiled once per instruction set (see Lanes.swift beside the link to this folder). Nothing here may use
// generics of other modules that are left as calls (arrays, dictionaries, strings): their specializations are weak
// symbols of one name, and the linker might hand this instruction set's code to another.

/// This variant's table; the same pointer at each call. Only to be called on a processor that has the instruction set.
public func simdBackend() -> UnsafePointer<kanto_backend> { UnsafePointer(table) }

nonisolated(unsafe) private let table: UnsafeMutablePointer<kanto_backend> = {
    let table = UnsafeMutablePointer<kanto_backend>.allocate(capacity: 1)
    table.initialize(to: kanto_backend())
    table.pointee.struct_size = UInt32(MemoryLayout<kanto_backend>.size)
    table.pointee.name = UnsafeRawPointer(backendName.utf8Start).assumingMemoryBound(to: CChar.self)
    table.pointee.description = UnsafeRawPointer(backendDescription.utf8Start).assumingMemoryBound(to: CChar.self)
    let offers = UnsafeMutablePointer<UInt32>.allocate(capacity: KANTO_OP_RANDOM + 1)
    for op in 0...KANTO_OP_RANDOM { offers[op] = op == 0 ? 0 : 1 << KANTO_DTYPE_F32 }
    table.pointee.offers = UnsafePointer(offers)
    table.pointee.offer_count = UInt32(KANTO_OP_RANDOM + 1)
    table.pointee.make = { _, problem, host, kernel, message in
        make(problem!, host!, kernel!, message)
    }
    return table
}()

typealias KernelSlot = UnsafeMutablePointer<UnsafeMutablePointer<kanto_kernel>?>
typealias Message = UnsafeMutablePointer<kanto_message>

private func make(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?
) -> kanto_status {
    guard problem.pointee.dtype == UInt32(KANTO_DTYPE_F32), kanto_output_dtype(problem) == UInt32(KANTO_DTYPE_F32) else {
        return decline(message, "the SIMD backend computes in float32 only")
    }
    guard problem.pointee.precision == UInt32(KANTO_PRECISION_FLOAT32) else {
        return decline(message, "the SIMD backend has products of precision float32 only")
    }
    switch Int(problem.pointee.op) {
    case KANTO_OP_MATMUL: return makeMatmul(problem, host, kernel, message)
    case KANTO_OP_CONV2D_FORWARD: return makeConvolutionForward(problem, host, kernel, message)
    case KANTO_OP_CONV2D_INPUT_GRADIENT: return makeConvolutionInputGradient(problem, host, kernel, message)
    case KANTO_OP_CONV2D_WEIGHT_GRADIENT: return makeConvolutionWeightGradient(problem, host, kernel, message)
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
