import KantoABI

/// A problem with the scalars that it is run with.
public struct TestProblem: Sendable, CustomStringConvertible {
    public var problem: kanto_problem
    public var scalars: [Double]

    public init(_ problem: kanto_problem, scalars: [Double] = []) {
        self.problem = problem
        self.scalars = scalars
    }

    /// One line that tells the problem from every other one.
    public var description: String {
        let dtype = problem.dtype == KANTO_DTYPE_F64 ? "f64" : "f32"
        var words: [String]
        switch Int(problem.op) {
        case KANTO_OP_MATMUL:
            let p = problem.matmul
            words = ["matmul", dtype, "batch\(p.batch) m\(p.m) n\(p.n) k\(p.k)"]
            if has(KANTO_FLAG_TRANSPOSE_A) { words.append("transpose_a") }
            if has(KANTO_FLAG_TRANSPOSE_B) { words.append("transpose_b") }
            words.append("rows \(p.row_stride_a),\(p.row_stride_b),\(p.row_stride_c)")
            if p.batch > 1 { words.append("batches \(p.batch_stride_a),\(p.batch_stride_b),\(p.batch_stride_c)") }
        case KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT, KANTO_OP_CONV2D_WEIGHT_GRADIENT:
            let c = problem.convolution
            words = [
                ["conv2d_forward", "conv2d_input_gradient", "conv2d_weight_gradient"][
                    Int(problem.op) - KANTO_OP_CONV2D_FORWARD],
                dtype, "n\(c.batch) h\(c.height) w\(c.width) c\(c.channels) k\(c.kernel_height)x\(c.kernel_width)",
                "s\(c.stride_y)x\(c.stride_x) p\(c.pad_top),\(c.pad_left),\(c.pad_bottom),\(c.pad_right)",
                "d\(c.dilation_y)x\(c.dilation_x) g\(c.groups) o\(c.output_channels)",
            ]
        default:
            let nest = problem.iteration
            let rank = Int(nest.rank)
            let inputs = [nest.input_stride.0, nest.input_stride.1, nest.input_stride.2]
                .map { "\(values($0, rank))" }.joined(separator: " ")
            words = [
                ["unary", "binary", "select", "reduce", "optimize"][Int(problem.op) - KANTO_OP_UNARY],
                dtype, "function \(problem.function)", "extents \(values(nest.extent, rank))",
                "output \(values(nest.output_stride, rank)) inputs \(inputs)",
            ]
        }
        if has(KANTO_FLAG_BIAS) { words.append("bias") }
        if has(KANTO_FLAG_ACCUMULATE) { words.append("accumulate") }
        if problem.activation != 0 { words.append("activation \(problem.activation)") }
        if problem.parameter != 0 { words.append("slope \(problem.parameter)") }
        return words.joined(separator: " ")
    }

    private func has(_ flag: Int) -> Bool { problem.flags & UInt32(flag) != 0 }
}
