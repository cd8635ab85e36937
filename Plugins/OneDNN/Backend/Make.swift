import KantoABI

/// A kernel for `problem`, planned for `threadCount` threads, or the reason why not.
func makeKernel(for problem: kanto_problem, threadCount: Int32) throws(Refusal) -> KernelPointer {
    guard problem.struct_size >= MemoryLayout<kanto_problem>.size else {
        throw .declined("the problem has \(problem.struct_size) bytes, fewer than version 1.0 of the ABI states")
    }
    guard problem.dtype == UInt32(KANTO_DTYPE_F32), [0, problem.dtype].contains(problem.output_dtype) else {
        throw .declined("the oneDNN plugin computes in float32 only")
    }
    guard problem.precision == UInt32(KANTO_PRECISION_FLOAT32) else {
        throw .declined("the oneDNN plugin has products of precision float32 only")
    }
    guard problem.function == 0 else {
        throw .declined("the oneDNN plugin does not know function \(problem.function) of op \(problem.op)")
    }
    try declineImpossibleDerivative(problem)
    let accumulate = UInt32(KANTO_FLAG_ACCUMULATE)
    let bias = UInt32(KANTO_FLAG_BIAS)
    let transposes = UInt32(KANTO_FLAG_TRANSPOSE_A | KANTO_FLAG_TRANSPOSE_B)
    let derivative = UInt32(KANTO_FLAG_DERIVATIVE)
    switch problem.op {
    case UInt32(KANTO_OP_MATMUL):
        try decline(flagsOf: problem, beyond: accumulate | bias | transposes | derivative)
        return makeKernel(doing: try Matmul(problem).work(threadCount: threadCount))
    case UInt32(KANTO_OP_CONV2D_FORWARD):
        try decline(flagsOf: problem, beyond: accumulate | bias | derivative)
        return makeKernel(doing: try Convolution(problem).forward(threadCount: threadCount))
    case UInt32(KANTO_OP_CONV2D_INPUT_GRADIENT):
        try decline(flagsOf: problem, beyond: accumulate | derivative)
        return makeKernel(doing: try Convolution(problem).inputGradient(threadCount: threadCount))
    case UInt32(KANTO_OP_CONV2D_WEIGHT_GRADIENT):
        try decline(flagsOf: problem, beyond: accumulate | bias)
        return makeKernel(doing: try Convolution(problem).weightGradient(threadCount: threadCount))
    default:
        throw .declined("the oneDNN plugin does not offer op \(problem.op)")
    }
}

private func declineImpossibleDerivative(_ problem: kanto_problem) throws(Refusal) {
    guard problem.isDerivative else { return }
    guard !problem.hasBias else { throw .declined("a derivative is not taken together with a bias") }
    guard problem.activation != UInt32(KANTO_ACTIVATION_NONE) else {
        throw .declined("the derivative of no activation is asked for")
    }
    // The sign of such an output is not that of its input.
    guard problem.activation != UInt32(KANTO_ACTIVATION_LEAKY_RELU) || problem.parameter >= 0 else {
        throw .declined(
            "the derivative of a leaky ReLU of negative slope \(problem.parameter) cannot be told from its output")
    }
}

private func decline(flagsOf problem: kanto_problem, beyond known: UInt32) throws(Refusal) {
    let unknown = problem.flags & ~known
    guard unknown == 0 else {
        throw .declined("the oneDNN plugin does not know flags 0x\(String(unknown, radix: 16)) of op \(problem.op)")
    }
}

extension kanto_problem {
    func has(_ flag: UInt32) -> Bool { flags & flag != 0 }
    var accumulates: Bool { has(UInt32(KANTO_FLAG_ACCUMULATE)) }
    var hasBias: Bool { has(UInt32(KANTO_FLAG_BIAS)) }
    var isDerivative: Bool { has(UInt32(KANTO_FLAG_DERIVATIVE)) }
}
