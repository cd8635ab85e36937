import KantoKernels
import KantoTensor

/// A fully connected layer: x · weight + bias, from [n, inputs] to [n, outputs].
public struct Dense: WeightedLayer {
    /// [inputs, outputs].
    public let weight: Parameter
    /// [outputs].
    public let bias: Parameter

    public init(weight: Tensor, bias: Tensor) {
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
    }

    /// Drawn weights; biases zero.
    ///
    /// - Throws: `TensorError` if a number is not positive.
    public init(_ inputs: Int, _ outputs: Int, initializer: Initializer = .glorot, using random: inout Random) throws {
        try requirePositive(["inputs": inputs, "outputs": outputs], for: "dense layer")
        self.init(
            weight: try initializer.weights(
                [inputs, outputs], incoming: Double(inputs), outgoing: Double(outputs), using: &random),
            bias: try Tensor.zeros([outputs]))
    }

    /// - Throws: `TensorError` if the input is not [n, inputs].
    public func callAsFunction(_ input: Tensor, weight: Tensor, activation: Activation) throws -> Tensor {
        try input.matmul(weight, bias: bias.value, activation: activation)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}
