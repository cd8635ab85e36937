import KantoKernels
import KantoTensor

/// A fully connected layer: x · weight + bias, from [n, inputs] to [n, outputs].
public struct Dense: LayerWithEpilogue {
    /// [inputs, outputs].
    public let weight: Parameter
    /// [outputs].
    public let bias: Parameter

    public init(weight: Tensor, bias: Tensor) {
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
    }

    /// Weights as the original WGAN-GP draws them (Glorot and Bengio 2010), biases zero.
    public init(_ inputs: Int, _ outputs: Int, using random: inout Random) throws {
        self.init(
            weight: try initialWeights([inputs, outputs], deviation: (2 / Double(inputs + outputs)).squareRoot(), using: &random),
            bias: try Tensor.zeros([outputs]))
    }

    public func callAsFunction(_ input: Tensor, activation: Activation) throws -> Tensor {
        try input.matmul(weight.value, bias: bias.value, activation: activation)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}

/// Uniform weights in ±√3 · deviation: the distribution of the original WGAN-GP code (Gulrajani et al. 2017).
func initialWeights(_ shape: [Int], deviation: Double, using random: inout Random) throws -> Tensor {
    let limit = 3.0.squareRoot() * deviation
    return try random.uniform(shape, in: -limit..<limit)
}
