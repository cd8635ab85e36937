import KantoKernels
import KantoTensor

/// A convolution with bias: [n, h, w, inputs] to [n, output height, output width, outputs].
public struct Conv2D: LayerWithEpilogue {
    /// [kernel height, kernel width, inputs / groups, outputs].
    public let weight: Parameter
    /// [outputs].
    public let bias: Parameter
    public let window: Window

    public init(weight: Tensor, bias: Tensor, window: Window = Window()) {
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.window = window
    }

    /// Weights as the original WGAN-GP draws them: He et al. 2015 over the mean of both fans, the outgoing one divided by
    /// the square of the stride; biases zero.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Window.Padding = 0, dilation: Int = 1, groups: Int = 1,
        using random: inout Random
    ) throws {
        let area = Double(kernel * kernel)
        let fans = area * Double(inputs / max(1, groups)) + area * Double(outputs) / Double(stride * stride)
        let shape = [kernel, kernel, inputs / max(1, groups), outputs]
        self.init(
            weight: try initialWeights(shape, deviation: (4 / fans).squareRoot(), using: &random),
            bias: try Tensor.zeros([outputs]),
            window: Window(stride: stride, padding: padding, dilation: dilation, groups: groups))
    }

    public func callAsFunction(_ input: Tensor, activation: Activation) throws -> Tensor {
        try input.convolved(with: weight.value, bias: bias.value, window, activation: activation)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}

/// A transposed convolution with bias: the adjoint of a convolution from `outputs` to `inputs` channels.
///
/// The output height is (height − 1) · stride − padding on both sides + kernel + output padding; the width likewise.
public struct ConvTranspose2D: Layer {
    /// [kernel height, kernel width, outputs, inputs]: that of the convolution whose adjoint this is.
    public let weight: Parameter
    /// [outputs].
    public let bias: Parameter
    public let window: Window
    /// Rows and columns more at the bottom and right: a strided convolution maps several sizes to one.
    public let outputPadding: Int

    public init(weight: Tensor, bias: Tensor, window: Window = Window(), outputPadding: Int = 0) {
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.window = window
        self.outputPadding = outputPadding
    }

    /// Weights as the original WGAN-GP draws them, the incoming fan divided by the square of the stride; biases zero.
    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Window.Padding = 0, outputPadding: Int = 0,
        using random: inout Random
    ) throws {
        let area = Double(kernel * kernel)
        let fans = area * Double(inputs) / Double(stride * stride) + area * Double(outputs)
        self.init(
            weight: try initialWeights([kernel, kernel, outputs, inputs], deviation: (4 / fans).squareRoot(), using: &random),
            bias: try Tensor.zeros([outputs]), window: Window(stride: stride, padding: padding), outputPadding: outputPadding)
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard input.rank == 4 else {
            throw TensorError("transposed convolution", "an input of shape \(input.shape), expected [n, h, w, c]")
        }
        let (shape, padding) = (weight.shape, window.padding)
        func extent(_ size: Int, _ before: Int, _ after: Int, _ kernel: Int) -> Int {
            (size - 1) * window.stride - before - after + window.dilation * (kernel - 1) + 1 + outputPadding
        }
        let size = (
            height: extent(input.shape[1], padding.top, padding.bottom, shape[0]),
            width: extent(input.shape[2], padding.left, padding.right, shape[1])
        )
        return try input.transposedConvolved(with: weight.value, outputSize: size, window) + bias.value
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}
