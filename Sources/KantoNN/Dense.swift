import KantoDescriptions
import KantoKernels
import KantoTensor

/// A fully connected layer: x · weight + bias, or without a bias, from [n, inputs] to [n, outputs].
public struct Dense: WeightedLayer {
    /// [inputs, outputs].
    public let weight: Parameter
    /// [outputs]; nil for a layer without a bias.
    public let bias: Parameter?

    /// - Parameters:
    ///   - weight: [inputs, outputs].
    ///   - bias: [outputs]; nil for none.
    public init(weight: Tensor, bias: Tensor?) {
        self.weight = Parameter(weight)
        self.bias = bias.map { Parameter($0) }
    }

    /// Drawn weights; biases zero.
    ///
    /// - Throws: `TensorError` if a number is not positive.
    public init(
        _ inputs: Int, _ outputs: Int, hasBias: Bool = true, initializer: Initializer = .glorot, using random: inout Random
    ) throws {
        try requirePositive(["inputs": inputs, "outputs": outputs], for: "dense layer")
        self.init(
            weight: try initializer.weights(
                [inputs, outputs], incoming: Double(inputs), outgoing: Double(outputs), using: &random),
            bias: hasBias ? try Tensor.zeros([outputs]) : nil)
    }

    /// - Throws: `TensorError` if the input is not [n, inputs].
    public func callAsFunction(_ input: Tensor, weight: Tensor, activation: Activation) throws -> Tensor {
        try input.matmul(weight, bias: bias?.value, activation: activation)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { weightAndBias(weight, bias) }
}

extension Dense {
    /// `{"layer": "dense", "outputs": 512}`.
    public struct Description: LayerKind {
        /// Numbers of the output.
        public var outputs = 0
        /// Whether a bias is added.
        public var hasBias = true
        /// How the weights are drawn.
        public var initializer = Initializer.glorot

        public init() {}
        /// - Parameter outputs: numbers of the output.
        public init(_ outputs: Int, hasBias: Bool = true, initializer: Initializer = .glorot) {
            (self.outputs, self.hasBias, self.initializer) = (outputs, hasBias, initializer)
        }

        public static let name = "dense"
        public static let keys: [DescriptionKey<Self>] = [
            DescriptionKey("outputs", \.outputs, in: 1...1 << 24, isRequired: true), DescriptionKey("bias", \.hasBias),
            DescriptionKey("initializer", \.initializer),
        ]

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
            guard input.count == 1 else {
                throw DescriptionError("takes samples of shape [features], gets \(input); put a flatten before it")
            }
            return [outputs]
        }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try Dense(input[0], outputs, hasBias: hasBias, initializer: initializer, using: &random)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            [("weight", [input[0], outputs])] + (hasBias ? [("bias", [outputs])] : [])
        }

        public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] {
            [.matmul(m: batchSize, n: outputs, k: input[0])]
        }

        public func summary(for input: [Int]) -> String { "\(input[0]) to \(outputs)" + (hasBias ? "" : ", no bias") }
    }
}
