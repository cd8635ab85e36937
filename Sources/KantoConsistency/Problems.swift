import KantoABI
import KantoKernels

// Builders of problems in float32; `dtype` is changed where another is wanted.

/// A problem of the op with every other field zero.
public func problem(_ op: Int, function: Int = 0, flags: Int = 0) -> kanto_problem {
    var problem = kanto_problem()
    problem.struct_size = UInt32(MemoryLayout<kanto_problem>.size)
    problem.op = UInt32(op)
    problem.dtype = UInt32(KANTO_DTYPE_F32)
    problem.function = UInt32(function)
    problem.flags = UInt32(flags)
    return problem
}

extension kanto_problem {
    func has(_ flag: Int) -> Bool { flags & UInt32(flag) != 0 }

    /// What there is to know of its function; nil where it has none.
    var functionInfo: kanto_function_info? { Problem(raw: self).functionInfo }

    /// Whether a reduction is a sum, which may accumulate.
    var isSum: Bool { op == KANTO_OP_REDUCE && functionInfo?.has(KANTO_TRAIT_SUM) == true }
}

/// The functions of an op, as `kanto_functions.h` lists them.
func functions(of op: Int) -> [Int] { Function.all(of: Op(rawValue: UInt32(op))!).map { Int($0.rawValue) } }

/// Inputs of an elementwise op or a reduction.
func inputCount(_ op: Int, function: Int) -> Int {
    Problem.inputCount(Op(rawValue: UInt32(op))!, Function(rawValue: UInt32(function)))
}

/// What an epilogue may add to matmul or to a convolution.
public struct EpilogueOptions: Sendable {
    public var bias = false
    public var accumulate = false
    /// Multiply by the activation's derivative, taken from its output, instead of applying it.
    public var derivative = false
    public var activation = KANTO_ACTIVATION_NONE
    public var slope = 0.0

    public init(
        bias: Bool = false, accumulate: Bool = false, derivative: Bool = false, activation: Int = KANTO_ACTIVATION_NONE,
        slope: Double = 0
    ) {
        self.derivative = derivative
        self.bias = bias
        self.accumulate = accumulate
        self.activation = activation
        self.slope = slope
    }

    func apply(to problem: inout kanto_problem) {
        if bias { problem.flags |= UInt32(KANTO_FLAG_BIAS) }
        if derivative { problem.flags |= UInt32(KANTO_FLAG_DERIVATIVE) }
        if accumulate { problem.flags |= UInt32(KANTO_FLAG_ACCUMULATE) }
        problem.activation = UInt32(activation)
        problem.parameter = slope
    }
}

/// C [m, n] = op(A) [m, k] op(B) [k, n].
/// - Parameters:
///   - rowGap: elements between the end of a row and the next row, in all three matrices.
///   - batchGap: elements between the end of a matrix and the next one of the batch.
///   - sharedB: whether the batch has one B.
public func matmul(
    _ m: Int, _ n: Int, _ k: Int, batch: Int = 1, transposeA: Bool = false, transposeB: Bool = false,
    rowGap: Int = 0, batchGap: Int = 0, sharedB: Bool = false, _ epilogue: EpilogueOptions = EpilogueOptions()
) -> kanto_problem {
    var problem = problem(
        KANTO_OP_MATMUL,
        flags: (transposeA ? KANTO_FLAG_TRANSPOSE_A : 0) | (transposeB ? KANTO_FLAG_TRANSPOSE_B : 0))
    epilogue.apply(to: &problem)
    func batchStride(rows: Int, rowStride: Int) -> Int64 { batch > 1 ? Int64(max(1, rows * rowStride) + batchGap) : 0 }
    let rowA = (transposeA ? m : k) + rowGap
    let rowB = (transposeB ? k : n) + rowGap
    let rowC = n + rowGap
    problem.matmul = kanto_matmul(
        batch: Int64(batch), m: Int64(m), n: Int64(n), k: Int64(k),
        row_stride_a: Int64(rowA), row_stride_b: Int64(rowB), row_stride_c: Int64(rowC),
        batch_stride_a: batchStride(rows: transposeA ? k : m, rowStride: rowA),
        batch_stride_b: sharedB ? 0 : batchStride(rows: transposeB ? n : k, rowStride: rowB),
        batch_stride_c: batchStride(rows: m, rowStride: rowC))
    return problem
}

/// A forward convolution's geometry; `padding` is top, left, bottom, right.
public func convolution(
    batch: Int = 1, _ height: Int, _ width: Int, channels: Int, outputChannels: Int, kernel: (Int, Int),
    stride: (Int, Int) = (1, 1), padding: (Int, Int, Int, Int) = (0, 0, 0, 0), dilation: (Int, Int) = (1, 1),
    groups: Int = 1
) -> kanto_convolution {
    kanto_convolution(
        batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
        output_channels: Int64(outputChannels), kernel_height: Int64(kernel.0), kernel_width: Int64(kernel.1),
        stride_y: Int64(stride.0), stride_x: Int64(stride.1), pad_top: Int64(padding.0), pad_left: Int64(padding.1),
        pad_bottom: Int64(padding.2), pad_right: Int64(padding.3), dilation_y: Int64(dilation.0),
        dilation_x: Int64(dilation.1), groups: Int64(groups))
}

/// One of the three convolution ops over a geometry.
public func convolution(
    _ op: Int, _ geometry: kanto_convolution, _ epilogue: EpilogueOptions = EpilogueOptions()
) -> kanto_problem {
    var problem = problem(op)
    epilogue.apply(to: &problem)
    problem.convolution = geometry
    return problem
}

/// Row-major strides of a contiguous array.
public func contiguousStrides(_ extents: [Int]) -> [Int] {
    var strides = extents
    var next = 1
    for axis in extents.indices.reversed() {
        strides[axis] = next
        next *= max(1, extents[axis])
    }
    return strides
}

/// A loop nest; strides that are not given are contiguous.
public func iteration(_ extents: [Int], output: [Int]? = nil, inputs: [[Int]]) -> kanto_iteration {
    var iteration = kanto_iteration()
    iteration.rank = Int64(extents.count)
    fill(&iteration.extent, extents)
    fill(&iteration.output_stride, output ?? contiguousStrides(extents))
    if inputs.count > 0 { fill(&iteration.input_stride.0, inputs[0]) }
    if inputs.count > 1 { fill(&iteration.input_stride.1, inputs[1]) }
    if inputs.count > 2 { fill(&iteration.input_stride.2, inputs[2]) }
    return iteration
}

/// An elementwise op; inputs whose strides are not given are contiguous.
public func elementwise(
    _ op: Int, function: Int = 0, _ extents: [Int], output: [Int]? = nil, inputs: [[Int]]? = nil, parameter: Double = 0
) -> kanto_problem {
    var problem = problem(op, function: function)
    let count = inputCount(op, function: function)
    problem.parameter = parameter
    problem.iteration = iteration(
        extents, output: output, inputs: inputs ?? Array(repeating: contiguousStrides(extents), count: count))
    return problem
}

/// A reduction of contiguous inputs over `axes`, or of a first one with the given strides.
public func reduce(
    _ function: Int, _ extents: [Int], over axes: Set<Int>, input: [Int]? = nil, accumulate: Bool = false
) -> kanto_problem {
    var problem = problem(KANTO_OP_REDUCE, function: function, flags: accumulate ? KANTO_FLAG_ACCUMULATE : 0)
    let contiguous = contiguousStrides(extents)
    let inputs = [input ?? contiguous, contiguous].prefix(inputCount(KANTO_OP_REDUCE, function: function))
    problem.iteration = iteration(extents, output: strides(extents, reducedOver: axes), inputs: Array(inputs))
    return problem
}

/// Mean and variance over `axes` of a contiguous input, or of one with the given strides.
public func statistics(_ extents: [Int], over axes: Set<Int>, input: [Int]? = nil) -> kanto_problem {
    var problem = problem(KANTO_OP_STATISTICS)
    problem.iteration = iteration(
        extents, output: strides(extents, reducedOver: axes), inputs: [input ?? contiguousStrides(extents)])
    return problem
}

/// Strides of a contiguous output that lacks some axes.
private func strides(_ extents: [Int], reducedOver axes: Set<Int>) -> [Int] {
    var strides = contiguousStrides(extents.indices.map { axes.contains($0) ? 1 : extents[$0] })
    for axis in axes { strides[axis] = 0 }
    return strides
}

/// `count` random numbers of a distribution.
public func random(_ distribution: Int, count: Int) -> kanto_problem {
    var problem = problem(KANTO_OP_RANDOM, function: distribution)
    problem.iteration = iteration([count], inputs: [])
    return problem
}

/// An optimizer's update of `count` contiguous parameters.
public func optimize(_ function: Int, count: Int) -> kanto_problem {
    var problem = problem(KANTO_OP_OPTIMIZE, function: function)
    problem.iteration = iteration([count], inputs: [[1]])
    return problem
}

/// The first `count` values of a C array that is imported as a tuple.
func values<Tuple>(_ tuple: Tuple, _ count: Int) -> [Int] {
    withUnsafeBytes(of: tuple) { $0.bindMemory(to: Int64.self).prefix(count).map(Int.init) }
}

private func fill<Tuple>(_ tuple: inout Tuple, _ values: [Int]) {
    withUnsafeMutableBytes(of: &tuple) {
        let fields = $0.bindMemory(to: Int64.self)
        for index in values.indices { fields[index] = Int64(values[index]) }
    }
}
