import KantoABI

// The one-line form of a problem, as logs, errors and benchmarks print it and Problem(parsing:) reads it:
// conv2d_forward f32 n50 h14 w14 c64 k5x5 s2 p2 o128 bias leaky_relu(0.2)

extension Problem: CustomStringConvertible {
    public var description: String {
        guard let op, let elementType, let outputElementType else {
            return "unknown op \(raw.op) of element type \(raw.dtype)" + (raw.output_dtype == 0 ? "" : ">\(raw.output_dtype)")
        }
        let isMixed = outputElementType != elementType
        var words = [op.description, isMixed ? "\(elementType)>\(outputElementType)" : elementType.description]
        switch op {
        case .matmul: words += matmulWords
        case .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient: words += convolutionWords
        case .unary, .binary, .ternary, .reduce, .optimize, .statistics, .random: words += iterationWords
        }
        if has(KANTO_FLAG_BIAS) { words.append("bias") }
        if has(KANTO_FLAG_DERIVATIVE) { words.append("derivative") }
        switch Int(raw.activation) {
        case KANTO_ACTIVATION_RELU: words.append("relu")
        case KANTO_ACTIVATION_LEAKY_RELU: words.append("leaky_relu(\(raw.parameter))")
        case KANTO_ACTIVATION_TANH: words.append("tanh")
        case KANTO_ACTIVATION_SIGMOID: words.append("sigmoid")
        default: break
        }
        if has(KANTO_FLAG_ACCUMULATE) { words.append("accumulate") }
        if raw.precision != 0 { words.append(precision?.description ?? "unknown precision \(raw.precision)") }
        return words.joined(separator: " ")
    }

    func has(_ flag: Int) -> Bool { raw.flags & UInt32(flag) != 0 }

    private var matmulWords: [String] {
        let matmul = raw.matmul
        var words = ["m\(matmul.m)", "n\(matmul.n)", "k\(matmul.k)"]
        if matmul.batch != 1 { words.insert("batch\(matmul.batch)", at: 0) }
        if has(KANTO_FLAG_TRANSPOSE_A) { words.append("transpose_a") }
        if has(KANTO_FLAG_TRANSPOSE_B) { words.append("transpose_b") }
        let rows = [matmul.row_stride_a, matmul.row_stride_b, matmul.row_stride_c]
        let batches = [matmul.batch_stride_a, matmul.batch_stride_b, matmul.batch_stride_c]
        var dense = self
        dense.setDenseMatrices()
        if dense != self {
            let isOneProduct = matmul.batch == 1 && batches == [0, 0, 0]
            words.append(strideWords(zip(batches, rows).map { isOneProduct ? [$1] : [$0, $1] }))
        }
        return words
    }

    /// Strides of the inputs, then of the output, axis by axis.
    private func strideWords(_ strides: [[Int64]]) -> String {
        let lists = strides.map { $0.map(String.init).joined(separator: ",") }
        return "strides " + lists.dropLast().joined(separator: ";") + ">" + lists.last!
    }

    private var convolutionWords: [String] {
        let c = raw.convolution
        var words = ["n\(c.batch)", "h\(c.height)", "w\(c.width)", "c\(c.channels)", "k\(c.kernel_height)x\(c.kernel_width)"]
        words.append(c.stride_y == c.stride_x ? "s\(c.stride_y)" : "s\(c.stride_y)x\(c.stride_x)")
        let pads = [c.pad_top, c.pad_left, c.pad_bottom, c.pad_right]
        words.append(Set(pads).count == 1 ? "p\(pads[0])" : "p" + pads.map(String.init).joined(separator: ","))
        if c.dilation_y != 1 || c.dilation_x != 1 {
            words.append(c.dilation_y == c.dilation_x ? "d\(c.dilation_y)" : "d\(c.dilation_y)x\(c.dilation_x)")
        }
        if c.groups != 1 { words.append("g\(c.groups)") }
        words.append("o\(c.output_channels)")
        return words
    }

    private var iterationWords: [String] {
        var words: [String] = []
        if let function = Function(rawValue: raw.function) {
            words.append(function.hasSlope ? "\(function)(\(raw.parameter))" : function.description)
        }
        words.append("[" + axes(of: raw.iteration.extent).map(String.init).joined(separator: "x") + "]")
        if let op, op.hasStrides {
            let inputs = (0..<Self.inputCount(op, Function(rawValue: raw.function))).map {
                axes(of: raw.iteration.input_stride, at: $0)
            }
            words.append(strideWords(inputs + [axes(of: raw.iteration.output_stride)]))
        }
        return words
    }

    /// The axes in use of one row of a C array of extents or strides.
    func axes(of array: some Any, at row: Int = 0) -> [Int64] {
        let rank = Int(min(max(0, raw.iteration.rank), Int64(KANTO_MAXIMUM_RANK)))
        return withUnsafeBytes(of: array) { bytes in
            (0..<rank).map { bytes.load(fromByteOffset: (row * Int(KANTO_MAXIMUM_RANK) + $0) * 8, as: Int64.self) }
        }
    }
}

extension ElementType: CustomStringConvertible {
    public var description: String { self == .float32 ? "f32" : "f64" }
}

extension Precision: CustomStringConvertible {
    /// The precision whose description is `name`.
    public init?(named name: String) {
        guard let precision = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = precision
    }

    public var description: String {
        switch self {
        case .float32: "float32"
        case .relaxed: "relaxed"
        case .bfloat16: "bfloat16"
        }
    }
}

extension Op {
    /// Whether a product, whose epilogue and precision are asked for.
    package var isProduct: Bool { rawValue <= Op.convolution2DWeightGradient.rawValue }

    /// Whether a loop nest with strides of its own is walked, rather than contiguous elements.
    var hasStrides: Bool { self != .optimize && self != .random }
}

extension Op: CustomStringConvertible {
    public var description: String {
        switch self {
        case .matmul: "matmul"
        case .convolution2DForward: "conv2d_forward"
        case .convolution2DInputGradient: "conv2d_input_gradient"
        case .convolution2DWeightGradient: "conv2d_weight_gradient"
        case .unary: "unary"
        case .binary: "binary"
        case .ternary: "ternary"
        case .reduce: "reduce"
        case .optimize: "optimize"
        case .statistics: "statistics"
        case .random: "random"
        }
    }
}
