import KantoKernels
import KantoTensor

/// A convolution, as a rule with a bias: [n, h, w, inputs] to [n, output height, output width, outputs].
///
/// The output height is (height + padding − dilation · (kernel − 1) − 1) / stride + 1, rounded down; the width likewise.
public struct Conv2D: WeightedLayer {
    /// [kernel height, kernel width, inputs / groups, outputs].
    public let weight: Parameter
    /// [outputs]; nil for a layer without a bias.
    public let bias: Parameter?
    /// Stride, padding, dilation and groups.
    public let window: Window

    /// - Parameters:
    ///   - weight: [kernel height, kernel width, inputs / groups, outputs].
    ///   - bias: [outputs]; nil for none.
    public init(weight: Tensor, bias: Tensor?, window: Window = Window()) {
        self.weight = Parameter(weight)
        self.bias = bias.map { Parameter($0) }
        self.window = window
    }

    /// Drawn weights, the outgoing fan divided by the square of the stride; biases zero.
    ///
    /// - Throws: `TensorError` if a number is not positive or too large, or the groups do not divide inputs and outputs;
    ///   `KernelError.memory` if the system has no memory for the weights.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Window.Padding = 0, dilation: Int = 1,
        groups: Int = 1,
        hasBias: Bool = true, initializer: Initializer = .heOfMeanFan, using random: inout Random
    ) throws {
        let window = Window(stride: stride, padding: padding, dilation: dilation, groups: groups)
        try window.require(inputs, outputs, kernel: kernel, for: "convolution")
        let area = Double(kernel) * Double(kernel)
        self.init(
            weight: try initializer.weights(
                [kernel, kernel, inputs / groups, outputs], incoming: area * Double(inputs / groups),
                outgoing: area * Double(outputs) / Double(stride * stride), using: &random),
            bias: hasBias ? try Tensor.zeros([outputs]) : nil, window: window)
    }

    /// - Throws: `TensorError` if the input is not [n, h, w, inputs] or smaller than the kernel.
    public func callAsFunction(_ input: Tensor, weight: Tensor, activation: Activation) throws -> Tensor {
        try input.convolved(with: weight, bias: bias?.value, window, activation: activation)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { weightAndBias(weight, bias) }
}

/// A transposed convolution, as a rule with a bias: the adjoint of a convolution from `outputs` to `inputs` channels.
///
/// The output height is (height − 1) · stride − padding on both sides + dilation · (kernel − 1) + 1 + output padding; the
/// width likewise.
public struct ConvTranspose2D: Layer {
    /// [kernel height, kernel width, outputs / groups, inputs]: that of the convolution whose adjoint this is.
    public let weight: Parameter
    /// [outputs]; nil for a layer without a bias.
    public let bias: Parameter?
    /// Stride, padding, dilation and groups, of the convolution that this one is the adjoint of.
    public let window: Window
    /// Rows and columns more at the bottom and right: a strided convolution maps several sizes to one.
    public let outputPadding: Int

    /// - Throws: `TensorError` if a number of the window is not positive or too large, or the output padding is less than
    ///   neither the stride nor the dilation.
    public init(weight: Tensor, bias: Tensor?, window: Window = Window(), outputPadding: Int = 0) throws {
        try window.require(kernel: Array(weight.shape.prefix(2)), for: "transposed convolution")
        try window.require(outputPadding: outputPadding)
        self.weight = Parameter(weight)
        self.bias = bias.map { Parameter($0) }
        self.window = window
        self.outputPadding = outputPadding
    }

    /// Drawn weights, the incoming fan divided by the square of the stride; biases zero.
    ///
    /// - Throws: `TensorError` if a number is not positive or too large, the groups do not divide inputs and outputs, or the
    ///   output padding is less than neither the stride nor the dilation; `KernelError.memory` if the system has no memory for
    ///   the weights.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Window.Padding = 0, outputPadding: Int = 0,
        dilation: Int = 1, groups: Int = 1, hasBias: Bool = true, initializer: Initializer = .heOfMeanFan,
        using random: inout Random
    ) throws {
        let window = Window(stride: stride, padding: padding, dilation: dilation, groups: groups)
        try window.require(inputs, outputs, kernel: kernel, for: "transposed convolution")
        try window.require(outputPadding: outputPadding)
        let area = Double(kernel) * Double(kernel)
        try self.init(
            weight: initializer.weights(
                [kernel, kernel, outputs / groups, inputs], incoming: area * Double(inputs) / Double(stride * stride),
                outgoing: area * Double(outputs / groups), using: &random),
            bias: hasBias ? Tensor.zeros([outputs]) : nil, window: window, outputPadding: outputPadding)
    }

    /// - Throws: `TensorError` if the input is not [n, h, w, inputs], or the padding leaves nothing of the output.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard input.rank == 4, input.shape[1...2].allSatisfy({ $0 <= 1 << 32 }) else {
            throw TensorError(
                "transposed convolution",
                "an input of shape \(input.shape), expected [n, h, w, c] of at most 2^32 rows and columns")
        }
        let shape = weight.shape
        // Of an output padding that holds whole strides, which a dilation allows, the convolution from there would read them as
        // more rows than this input has. They are rows that the padding at the bottom cut off and, where there are none left,
        // rows that the kernel does not reach: zeros.
        let whole = outputPadding / window.stride * window.stride
        var inner = window
        inner.padding.bottom = max(0, window.padding.bottom - whole)
        inner.padding.right = max(0, window.padding.right - whole)
        let beyond = (rows: max(0, whole - window.padding.bottom), columns: max(0, whole - window.padding.right))
        func extent(_ size: Int, _ before: Int, _ after: Int, _ kernel: Int) -> Int {
            (size - 1) * window.stride - before - after + window.dilation * (kernel - 1) + 1 + outputPadding - whole
        }
        let size = (
            height: extent(input.shape[1], inner.padding.top, inner.padding.bottom, shape[0]),
            width: extent(input.shape[2], inner.padding.left, inner.padding.right, shape[1])
        )
        let product = try input.transposedConvolved(with: weight.value, outputSize: size, inner)
            .padded(axis: 1, before: 0, after: beyond.rows).padded(axis: 2, before: 0, after: beyond.columns)
        return try bias.map { try product + $0.value } ?? product
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { weightAndBias(weight, bias) }
}

extension Window {
    fileprivate func require(_ inputs: Int, _ outputs: Int, kernel: Int, for operation: String) throws {
        try requirePositive(
            ["inputs": inputs, "outputs": outputs, "kernel": kernel, "stride": stride, "dilation": dilation, "groups": groups],
            for: operation)
        try require(kernel: [kernel, kernel], for: operation)
        guard inputs % groups == 0, outputs % groups == 0 else {
            throw TensorError(operation, "\(groups) groups do not divide both \(inputs) inputs and \(outputs) outputs")
        }
    }

    /// The rule of PyTorch.
    fileprivate func require(outputPadding: Int) throws {
        guard outputPadding >= 0, outputPadding < max(stride, dilation) else {
            throw TensorError(
                "transposed convolution",
                "an output padding of \(outputPadding), expected 0 up to, not including, the larger of stride "
                    + "and dilation: \(max(stride, dilation))")
        }
    }
}
