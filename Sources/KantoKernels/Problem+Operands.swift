import KantoABI

extension Problem {
    /// What a kernel for a problem is handed: a pointer to each input and each output.
    public struct Operand: Sendable, Equatable {
        /// As `kanto_backend.h` calls it.
        public let name: String
        /// Whether a run writes it.
        public let isOutput: Bool
        /// Elements along each axis, as they lie in memory; 1 where a stride of 0 uses one element again and again.
        public let shape: [Int]
        /// From the first byte to the last, gaps included.
        public let byteCount: Int
    }

    /// The inputs, then the outputs, in the order of a run.
    ///
    /// - Throws: `KernelError.problem` if a size or stride makes no sense, or an operand would hold more than 2^48 elements.
    public func operands() throws(KernelError) -> [Operand] {
        guard let op, let elementType, let outputElementType else { throw .problem(description) }
        guard let precision else { throw .problem("an unknown precision, \(raw.precision)") }
        guard precision == .float32 || op.isProduct && elementType == .float32 else {
            throw .problem("\(op) in \(elementType) has no precision, but \(precision) is asked for; products in f32 have one")
        }
        func dense(_ operands: (name: String, isOutput: Bool, shape: [Int64])?...) throws(KernelError) -> [Operand] {
            var made: [Operand] = []
            for case let operand? in operands {
                let type = operand.isOutput ? outputElementType : elementType
                made.append(try Operand(operand.name, isOutput: operand.isOutput, operand.shape, type))
            }
            return made
        }
        switch op {
        case .matmul:
            return try matrices(
                elementType, outputElementType, bias: dense(has(KANTO_FLAG_BIAS) ? ("bias", false, [raw.matmul.n]) : nil))
        case .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient:
            let (x, w, y) = try convolutionShapes()
            let perChannel = has(KANTO_FLAG_BIAS) ? [raw.convolution.output_channels] : nil
            let isDerivative = has(KANTO_FLAG_DERIVATIVE)
            switch op {
            case .convolution2DForward:
                return try dense(
                    ("x", false, x), ("w", false, w), perChannel.map { ("bias", false, $0) },
                    isDerivative ? ("saved", false, y) : nil, ("y", true, y))
            case .convolution2DInputGradient:
                return try dense(("dy", false, y), ("w", false, w), isDerivative ? ("saved", false, x) : nil, ("dx", true, x))
            default:
                return try dense(("x", false, x), ("dy", false, y), ("dw", true, w), perChannel.map { ("db", true, $0) })
            }
        case .unary, .binary, .ternary, .reduce, .statistics:
            var made: [Operand] = []
            let inputCount = Self.inputCount(op, Function(rawValue: raw.function))
            for (index, name) in ["a", "b", "c"].prefix(inputCount).enumerated() {
                made.append(try walked(name, isOutput: false, axes(of: raw.iteration.input_stride, at: index), elementType))
            }
            for name in op == .statistics ? ["mean", "variance"] : ["output"] {
                made.append(try walked(name, isOutput: true, axes(of: raw.iteration.output_stride), outputElementType))
            }
            return made
        case .optimize:
            let shape = axes(of: raw.iteration.extent)
            var made = try dense(("gradient", false, shape), ("parameter", true, shape))
            for moment in 1..<max(1, functionInfo?.output_count ?? 1) { made += try dense(("moment \(moment)", true, shape)) }
            return made
        case .random:
            return try dense(("output", true, axes(of: raw.iteration.extent)))
        }
    }

    /// Whether a run reads what its outputs hold.
    public var readsOutputs: Bool { op == .optimize || has(KANTO_FLAG_ACCUMULATE) }

    /// An operand of a loop nest.
    private func walked(
        _ name: String, isOutput: Bool, _ strides: [Int64], _ type: ElementType
    ) throws(KernelError) -> Operand {
        let shape = zip(axes(of: raw.iteration.extent), strides).map { $1 == 0 ? 1 : $0 }
        return try Operand(name, isOutput: isOutput, shape, strides: strides, type)
    }

    private func matrices(
        _ type: ElementType, _ outputType: ElementType, bias: [Operand]
    ) throws(KernelError) -> [Operand] {
        let matmul = raw.matmul
        guard matmul.batch <= 1 || matmul.batch_stride_c != 0 else {
            throw .problem("a batch of \(matmul.batch) whose results would be written to one place: the batch stride of C is 0")
        }
        guard matmul.m <= 1 || matmul.row_stride_c >= matmul.n else {
            throw .problem("rows of C that overlap: \(matmul.n) columns, a row stride of \(matmul.row_stride_c)")
        }
        func matrix(
            _ name: String, isOutput: Bool = false, _ shape: [Int64], rowStride: Int64, batchStride: Int64,
            isStoredTransposed: Bool = false
        ) throws(KernelError) -> Operand {
            let batch = batchStride == 0 ? 1 : matmul.batch
            let shape = (matmul.batch == 1 ? [] : [batch]) + (isStoredTransposed ? shape.reversed() : shape)
            let strides = [batchStride, rowStride, 1].suffix(shape.count)
            return try Operand(name, isOutput: isOutput, shape, strides: Array(strides), isOutput ? outputType : type)
        }
        let a = try matrix(
            "A", [matmul.m, matmul.k], rowStride: matmul.row_stride_a, batchStride: matmul.batch_stride_a,
            isStoredTransposed: has(KANTO_FLAG_TRANSPOSE_A))
        let b = try matrix(
            "B", [matmul.k, matmul.n], rowStride: matmul.row_stride_b, batchStride: matmul.batch_stride_b,
            isStoredTransposed: has(KANTO_FLAG_TRANSPOSE_B))
        func result(_ name: String, isOutput: Bool) throws(KernelError) -> Operand {
            try matrix(
                name, isOutput: isOutput, [matmul.m, matmul.n], rowStride: matmul.row_stride_c,
                batchStride: matmul.batch_stride_c)
        }
        let saved = has(KANTO_FLAG_DERIVATIVE) ? [try result("saved", isOutput: false)] : []
        return [a, b] + bias + saved + [try result("C", isOutput: true)]
    }

    /// The shapes of the input, the weights and the output of the forward convolution.
    private func convolutionShapes() throws(KernelError) -> (x: [Int64], w: [Int64], y: [Int64]) {
        let c = raw.convolution
        guard c.groups > 0, c.channels % c.groups == 0, c.output_channels % c.groups == 0 else {
            throw .problem(
                "\(c.groups) groups, expected a divisor of the \(c.channels) input and \(c.output_channels) output channels")
        }
        // No sum or product of two of them overflows.
        let largest = Int64(Int32.max)
        func output(
            _ extent: Int64, _ pads: (Int64, Int64), _ kernel: Int64, stride: Int64, dilation: Int64
        ) throws(KernelError) -> Int64 {
            for step in [stride, dilation] where !(1...largest).contains(step) {
                throw .problem("a stride or dilation of \(step), expected 1 to \(largest)")
            }
            for size in [extent, pads.0, pads.1, kernel] where !(0...largest).contains(size) {
                throw .problem("a size or padding of \(size), expected 0 to \(largest)")
            }
            return kanto_output_extent(extent, pads.0, pads.1, kernel, stride, dilation)
        }
        let height = try output(
            c.height, (c.pad_top, c.pad_bottom), c.kernel_height, stride: c.stride_y, dilation: c.dilation_y)
        let width = try output(
            c.width, (c.pad_left, c.pad_right), c.kernel_width, stride: c.stride_x, dilation: c.dilation_x)
        return (
            [c.batch, c.height, c.width, c.channels],
            [c.kernel_height, c.kernel_width, c.channels / c.groups, c.output_channels],
            [c.batch, height, width, c.output_channels]
        )
    }
}

extension Problem.Operand {
    static let maximumElementCount: Int64 = 1 << 48

    /// An operand whose rows lie one behind the other.
    fileprivate init(_ name: String, isOutput: Bool, _ shape: [Int64], _ type: ElementType) throws(KernelError) {
        var strides: [Int64] = []
        for extent in [1] + shape.reversed().dropLast() { strides.append((strides.last ?? 1) &* max(1, extent)) }
        try self.init(name, isOutput: isOutput, shape, strides: strides.reversed(), type)
    }

    fileprivate init(
        _ name: String, isOutput: Bool, _ shape: [Int64], strides: [Int64], _ type: ElementType
    ) throws(KernelError) {
        for size in shape + strides where size < 0 {
            throw .problem("\(name) has a size or stride of \(size), expected 0 or more")
        }
        // Elements, and the place of the last one, as if no axis were empty: an empty axis does not hide what overflows.
        var count: Int64 = 1, last: Int64 = 0
        for (extent, stride) in zip(shape, strides) {
            let product = count.multipliedReportingOverflow(by: max(1, extent))
            let reach = max(0, extent - 1).multipliedReportingOverflow(by: stride)
            let sum = last.addingReportingOverflow(reach.partialValue)
            guard !product.overflow, !reach.overflow, !sum.overflow,
                max(product.partialValue, sum.partialValue) <= Self.maximumElementCount
            else { throw .problem("\(name) has more than 2^48 elements, which no memory holds") }
            (count, last) = (product.partialValue, sum.partialValue)
        }
        self.name = name
        self.isOutput = isOutput
        self.shape = shape.map { Int($0) }
        byteCount = shape.contains(0) ? 0 : Int(last + 1) * type.size
    }
}
