import KantoABI
import OneDNNAdapter

/// The three convolution ops over one forward geometry. Activations stay NHWC; weights (HWIO) are reordered to the
/// layout that oneDNN prefers: with plain HWIO it fell to a general matrix multiplication in every case tried.
struct Convolution {
    private let size: kanto_convolution
    private let outputHeight: Int64
    private let outputWidth: Int64
    private let problem: kanto_problem
    private let activation: Activation

    init(_ problem: kanto_problem) throws(Refusal) {
        self.problem = problem
        activation = try Activation(problem)
        size = problem.convolution
        guard size.groups > 0, size.channels % size.groups == 0, size.output_channels % size.groups == 0 else {
            throw .declined(
                "\(size.groups) groups do not divide \(size.channels) channels and \(size.output_channels) output channels")
        }
        guard size.stride_y > 0, size.stride_x > 0, size.dilation_y > 0, size.dilation_x > 0 else {
            throw .declined("strides and dilations of a convolution are at least 1")
        }
        outputHeight = kanto_output_extent(
            size.height, size.pad_top, size.pad_bottom, size.kernel_height, size.stride_y, size.dilation_y)
        outputWidth = kanto_output_extent(
            size.width, size.pad_left, size.pad_right, size.kernel_width, size.stride_x, size.dilation_x)
    }

    func forward(threadCount: Int32) throws(Refusal) -> Work {
        if outputCount == 0 { return .nothing }
        return try Work(threadCount: threadCount, inputCount == 0 || weightCount == 0 ? buildEpilogueOfZero : buildForward)
    }

    func inputGradient(threadCount: Int32) throws(Refusal) -> Work {
        guard problem.isDerivative || !activation.isPresent else {
            throw .declined("an input gradient has an activation only as a derivative")
        }
        if inputCount == 0 { return .nothing }
        return try Work(
            threadCount: threadCount, outputCount == 0 || weightCount == 0 ? buildEpilogueOfZero : buildInputGradient)
    }

    func weightGradient(threadCount: Int32) throws(Refusal) -> Work {
        guard !activation.isPresent else { throw .declined("a weight gradient has no activation") }
        if size.output_channels == 0 || weightCount == 0 && !problem.hasBias { return .nothing }
        return try Work(
            threadCount: threadCount,
            [outputCount, inputCount, weightCount].contains(0) ? buildEmptyWeightGradient : buildWeightGradient)
    }

    // MARK: Plans

    private func buildForward(_ plan: Plan) throws(Refusal) {
        let bias = problem.hasBias ? try Layout(sizes: [size.output_channels], strides: [1]) : nil
        let addsApart = problem.accumulates && hasWindowInPadding && onednn_fails_to_add_to_padding()
        let activatesApart = problem.isDerivative || activation.isPresent && (addsApart || activation.function == nil)
        let convolution = try describe(
            dnnl_forward_training, bias: bias,
            try Attributes(
                accumulate: problem.accumulates && !addsApart, activation: activatesApart ? .none : activation))
        let y = try output()
        let weights = try Layout(of: dnnl_query_weights_md, in: convolution.handle)
        let target = addsApart ? plan.reserve(y.byteCount) : .output(0)
        var bindings = [
            Binding(DNNL_ARG_SRC, try input(), .input(0)),
            Binding(DNNL_ARG_WEIGHTS, weights, try reorderedWeights(to: weights, plan)),
            Binding(DNNL_ARG_DST, y, target),
        ]
        if let bias { bindings.append(Binding(DNNL_ARG_BIAS, bias, .input(2))) }
        try plan.append(convolution, isMain: true, bindings)
        if addsApart { try deliver(target, y, to: .output(0), y, plan) }
        if activatesApart { plan.append(try Epilogue(problem, over: outputMatrix)) }
    }

    private func buildInputGradient(_ plan: Plan) throws(Refusal) {
        let gradient = try describe(dnnl_backward_data, bias: nil, try Attributes())
        let dx = try input()
        let weights = try Layout(of: dnnl_query_weights_md, in: gradient.handle)
        let reordered = try reorderedWeights(to: weights, plan)
        // oneDNN takes no sum on gradients.
        let target = problem.accumulates ? plan.reserve(dx.byteCount) : .output(0)
        try plan.append(
            gradient, isMain: true,
            [
                Binding(DNNL_ARG_DIFF_DST, try output(), .input(0)), Binding(DNNL_ARG_WEIGHTS, weights, reordered),
                Binding(DNNL_ARG_DIFF_SRC, dx, target),
            ])
        if problem.accumulates { try deliver(target, dx, to: .output(0), dx, plan) }
        if problem.isDerivative { plan.append(try Epilogue(problem, over: inputMatrix)) }
    }

    private func buildWeightGradient(_ plan: Plan) throws(Refusal) {
        let bias = problem.hasBias ? try Layout(sizes: [size.output_channels], strides: [1]) : nil
        let gradient = try describe(dnnl_backward_weights, bias: bias, try Attributes())
        let chosen = try Layout(of: dnnl_query_diff_weights_md, in: gradient.handle)
        let plain = try plainWeights()
        let isDirect = chosen.isEqual(to: plain) && !problem.accumulates
        let target = isDirect ? .output(0) : plan.reserve(chosen.byteCount)
        var bindings = [
            Binding(DNNL_ARG_SRC, try input(), .input(0)), Binding(DNNL_ARG_DIFF_DST, try output(), .input(1)),
            Binding(DNNL_ARG_DIFF_WEIGHTS, chosen, target),
        ]
        let biasTarget = problem.accumulates ? bias.map { plan.reserve($0.byteCount) } : .output(1)
        if let bias, let biasTarget { bindings.append(Binding(DNNL_ARG_DIFF_BIAS, bias, biasTarget)) }
        try plan.append(gradient, isMain: true, bindings)
        if !isDirect { try deliver(target, chosen, to: .output(0), plain, plan) }
        if problem.accumulates, let bias, let biasTarget { try deliver(biasTarget, bias, to: .output(1), bias, plan) }
    }

    /// The forward convolution or its input gradient where the product is zero.
    private func buildEpilogueOfZero(_ plan: Plan) throws(Refusal) {
        let isForward = problem.op == UInt32(KANTO_OP_CONV2D_FORWARD)
        plan.append(try Epilogue(problem, over: isForward ? outputMatrix : inputMatrix, productIsZero: true))
    }

    private func buildEmptyWeightGradient(_ plan: Plan) throws(Refusal) {
        if weightCount > 0 {
            var weights = problem
            weights.flags &= ~UInt32(KANTO_FLAG_BIAS)
            plan.append(try Epilogue(weights, over: Matrices(rows: 1, columns: weightCount), productIsZero: true))
        }
        if problem.hasBias {
            plan.append(
                BiasGradient(rows: outputMatrix.rows, channels: Int(size.output_channels), accumulates: problem.accumulates))
        }
    }

    /// The user's weights in the layout `chosen`: in scratch, after a reorder, unless they have it already.
    private func reorderedWeights(to chosen: Layout, _ plan: Plan) throws(Refusal) -> Operand {
        let plain = try plainWeights()
        if chosen.isEqual(to: plain) { return .input(1) }
        let reordered = plan.reserve(chosen.byteCount)
        try plan.append(
            PrimitiveDescription(reorder: plain, to: chosen),
            [Binding(DNNL_ARG_FROM, plain, .input(1)), Binding(DNNL_ARG_TO, chosen, reordered)])
        return reordered
    }

    /// Brings a result from scratch to an output, or adds it there.
    private func deliver(
        _ result: Operand, _ chosen: Layout, to output: Operand, _ plain: Layout, _ plan: Plan
    ) throws(Refusal) {
        try plan.append(
            PrimitiveDescription(reorder: chosen, to: plain, accumulate: problem.accumulates),
            [Binding(DNNL_ARG_FROM, chosen, result), Binding(DNNL_ARG_TO, plain, output)])
    }

    private func describe(
        _ direction: dnnl_prop_kind_t, bias: Layout?, _ attributes: Attributes
    ) throws(Refusal) -> PrimitiveDescription {
        let x = try input()
        let y = try output()
        let weights = try Layout(anyOf: weightSizes)
        var window = onednn_window(
            strides: (size.stride_y, size.stride_x), dilations: (size.dilation_y, size.dilation_x),
            pads_before: (size.pad_top, size.pad_left), pads_after: (size.pad_bottom, size.pad_right))
        let description = try PrimitiveDescription("convolve this geometry") {
            onednn_describe_convolution(
                &$0, engine, direction, x.handle, weights.handle, bias?.handle, y.handle, &window, attributes.handle)
        }
        try description.declineReference()
        // The input gradient folds and is right.
        if direction != dnnl_backward_data { try declineMultipliedPadding(description) }
        return description
    }

    // MARK: Layouts

    private var inputCount: Int64 { size.batch * size.height * size.width * size.channels }
    private var outputCount: Int64 { size.batch * outputHeight * outputWidth * size.output_channels }
    private var weightCount: Int64 {
        size.kernel_height * size.kernel_width * (size.channels / size.groups) * size.output_channels
    }

    private var outputMatrix: Matrices {
        Matrices(rows: size.batch * outputHeight * outputWidth, columns: size.output_channels)
    }
    private var inputMatrix: Matrices {
        Matrices(rows: size.batch * size.height * size.width, columns: size.channels)
    }

    private func input() throws(Refusal) -> Layout {
        try channelsLast(size.height, size.width, size.channels)
    }

    private func output() throws(Refusal) -> Layout {
        try channelsLast(outputHeight, outputWidth, size.output_channels)
    }

    /// NHWC; oneDNN's logical order is N, C, H, W.
    private func channelsLast(_ height: Int64, _ width: Int64, _ channels: Int64) throws(Refusal) -> Layout {
        try Layout(
            sizes: [size.batch, channels, height, width],
            strides: [height * width * channels, 1, width * channels, channels])
    }

    /// oneDNN's logical order: [groups,] output channels, input channels, height, width.
    private var weightSizes: [Int64] {
        let sizes = [
            size.output_channels / size.groups, size.channels / size.groups, size.kernel_height, size.kernel_width,
        ]
        return size.groups == 1 ? sizes : [size.groups] + sizes
    }

    /// [kh, kw, ci / groups, co] as the user has them.
    private func plainWeights() throws(Refusal) -> Layout {
        let tap = size.channels / size.groups * size.output_channels
        let strides = [1, size.output_channels, size.kernel_width * tap, tap]
        return try Layout(
            sizes: weightSizes,
            strides: size.groups == 1 ? strides : [size.output_channels / size.groups] + strides)
    }

    // MARK: Padding

    /// oneDNN's fallback unfolds the input with zeros for the padding and multiplies them: NaN against an infinity. It is
    /// chosen where the padding exceeds the kernel, or half of it in a weight gradient; layouts of activations that are
    /// left to oneDNN do not help.
    private func declineMultipliedPadding(_ description: PrimitiveDescription) throws(Refusal) {
        let implementation = description.implementation
        guard implementation.contains("gemm"), readsPadding else { return }
        throw .declined(
            """
            oneDNN \(libraryVersion) has only \(implementation) for it, which multiplies the padding: zero times \
            infinity would be NaN
            """)
    }

    private var readsPadding: Bool {
        axes.contains { $0.padBefore > 0 || $0.position($0.outputExtent - 1, tap: $0.kernel - 1) >= $0.extent }
    }

    private var hasWindowInPadding: Bool {
        axes.contains { axis in
            (0..<axis.outputExtent).contains { output in
                !(0..<axis.kernel).contains { (0..<axis.extent).contains(axis.position(output, tap: $0)) }
            }
        }
    }

    private var axes: [Axis] {
        [
            Axis(
                extent: size.height, outputExtent: outputHeight, kernel: size.kernel_height, stride: size.stride_y,
                padBefore: size.pad_top, dilation: size.dilation_y),
            Axis(
                extent: size.width, outputExtent: outputWidth, kernel: size.kernel_width, stride: size.stride_x,
                padBefore: size.pad_left, dilation: size.dilation_x),
        ]
    }
}

/// The geometry along the height or the width.
private struct Axis {
    let extent, outputExtent, kernel, stride, padBefore, dilation: Int64

    /// Where a tap of a window falls: outside 0 ..< extent is padding.
    func position(_ output: Int64, tap: Int64) -> Int64 { output * stride + tap * dilation - padBefore }
}
