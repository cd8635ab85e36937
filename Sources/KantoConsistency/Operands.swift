import KantoABI
import KantoKernels

/// Where the elements of one operand lie.
public struct Operand {
    /// Elements from the first to the last, gaps included.
    public let span: Int
    /// For each place of the span, whether it is an element and not a gap.
    public let isElement: [Bool]

    init(offsets: some Sequence<Int>) {
        let offsets = Array(offsets)
        span = (offsets.max() ?? -1) + 1
        var isElement = [Bool](repeating: false, count: span)
        for offset in offsets { isElement[offset] = true }
        self.isElement = isElement
    }

    init(count: Int) {
        span = count
        isElement = [Bool](repeating: true, count: count)
    }
}

/// The operands of a problem, in the order of `kanto_arguments`.
public struct Operands {
    /// In the order that the op states.
    public var inputs: [Operand]
    /// In the order that the op states.
    public var outputs: [Operand]
    /// Whether the old content of the outputs is read.
    public var readsOutputs: Bool
    /// The longest sum that makes one output element: 1 where nothing is summed.
    public var termCount: Int
}

/// The operands of a problem, derived from its geometry.
public func operands(of problem: kanto_problem) -> Operands {
    let accumulates = problem.has(KANTO_FLAG_ACCUMULATE)
    let extra = (accumulates ? 1 : 0) + (problem.has(KANTO_FLAG_BIAS) ? 1 : 0)
    switch Int(problem.op) {
    case KANTO_OP_MATMUL:
        let (inputs, output) = matmulOperands(problem)
        return Operands(
            inputs: inputs, outputs: [output], readsOutputs: accumulates, termCount: Int(problem.matmul.k) + extra)
    case KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT, KANTO_OP_CONV2D_WEIGHT_GRADIENT:
        var operands = convolutionOperands(problem)
        operands.readsOutputs = accumulates
        operands.termCount += extra
        return operands
    case KANTO_OP_OPTIMIZE:
        let operand = Operand(count: Int(problem.iteration.extent.0))
        return Operands(
            inputs: [operand],
            outputs: Array(repeating: operand, count: Int(problem.functionInfo?.output_count ?? 1)), readsOutputs: true,
            termCount: 1)
    case KANTO_OP_RANDOM:
        return Operands(
            inputs: [], outputs: [Operand(count: Int(problem.iteration.extent.0))], readsOutputs: false, termCount: 1)
    default:
        let nest = problem.iteration
        let rank = Int(nest.rank)
        let extents = values(nest.extent, rank)
        let strides = [nest.input_stride.0, nest.input_stride.1, nest.input_stride.2]
        let count = Problem.inputCount(Op(rawValue: problem.op)!, Function(rawValue: problem.function))
        let outputStrides = values(nest.output_stride, rank)
        var termCount = 1
        var outputExtents = extents
        if problem.op == KANTO_OP_REDUCE || problem.op == KANTO_OP_STATISTICS {
            for axis in 0..<rank where outputStrides[axis] == 0 {
                termCount *= extents[axis]
                outputExtents[axis] = 1
            }
        }
        let output = Operand(offsets: offsets(outputExtents, outputStrides))
        return Operands(
            inputs: strides.prefix(count).map { Operand(offsets: offsets(extents, values($0, rank))) },
            outputs: problem.op == KANTO_OP_STATISTICS ? [output, output] : [output],
            readsOutputs: accumulates, termCount: termCount + extra)
    }
}

private func matmulOperands(_ problem: kanto_problem) -> (inputs: [Operand], output: Operand) {
    let p = problem.matmul
    func matrices(_ rows: Int64, _ columns: Int64, _ rowStride: Int64, _ batchStride: Int64) -> Operand {
        Operand(
            offsets: offsets(
                [Int(p.batch), Int(rows), Int(columns)], [Int(batchStride), Int(rowStride), 1]))
    }
    let transposesA = problem.has(KANTO_FLAG_TRANSPOSE_A)
    let transposesB = problem.has(KANTO_FLAG_TRANSPOSE_B)
    var inputs = [
        matrices(transposesA ? p.k : p.m, transposesA ? p.m : p.k, p.row_stride_a, p.batch_stride_a),
        matrices(transposesB ? p.n : p.k, transposesB ? p.k : p.n, p.row_stride_b, p.batch_stride_b),
    ]
    let c = matrices(p.m, p.n, p.row_stride_c, p.batch_stride_c)
    if problem.has(KANTO_FLAG_BIAS) { inputs.append(Operand(count: Int(p.n))) }
    if problem.has(KANTO_FLAG_DERIVATIVE) { inputs.append(c) }
    return (inputs, c)
}

private func convolutionOperands(_ problem: kanto_problem) -> Operands {
    let c = problem.convolution
    let outputHeight = kanto_output_extent(
        c.height, c.pad_top, c.pad_bottom, c.kernel_height, c.stride_y, c.dilation_y)
    let outputWidth = kanto_output_extent(c.width, c.pad_left, c.pad_right, c.kernel_width, c.stride_x, c.dilation_x)
    let taps = c.kernel_height * c.kernel_width
    let x = Operand(count: Int(c.batch * c.height * c.width * c.channels))
    let w = Operand(count: Int(taps * (c.channels / c.groups) * c.output_channels))
    let y = Operand(count: Int(c.batch * outputHeight * outputWidth * c.output_channels))
    let perChannel = problem.has(KANTO_FLAG_BIAS) ? [Operand(count: Int(c.output_channels))] : []
    let isDerivative = problem.has(KANTO_FLAG_DERIVATIVE)
    switch Int(problem.op) {
    case KANTO_OP_CONV2D_FORWARD:
        return Operands(
            inputs: [x, w] + perChannel + (isDerivative ? [y] : []), outputs: [y], readsOutputs: false,
            termCount: Int(taps * (c.channels / c.groups)))
    case KANTO_OP_CONV2D_INPUT_GRADIENT:
        return Operands(
            inputs: [y, w] + (isDerivative ? [x] : []), outputs: [x], readsOutputs: false,
            termCount: Int(taps * (c.output_channels / c.groups)))
    default:
        return Operands(
            inputs: [x, y], outputs: [w] + perChannel, readsOutputs: false,
            termCount: Int(c.batch * outputHeight * outputWidth))
    }
}

/// The offsets of all elements of a strided array, in row-major order.
private func offsets(_ extents: [Int], _ strides: [Int]) -> [Int] {
    var offsets = [0]
    for (extent, stride) in zip(extents, strides) {
        offsets = offsets.flatMap { offset in (0..<extent).map { offset + $0 * stride } }
    }
    return offsets
}
