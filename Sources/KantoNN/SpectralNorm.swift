import KantoDescriptions
import KantoKernels
import KantoTensor

/// Spectral normalization (Miyato et al. 2018): the wrapped layer with its weight divided by the weight's largest singular
/// value, which power iteration estimates.
///
/// A weight is read as a matrix W of [all but the outputs, outputs]. In training (see `withTraining`) each pass takes
/// `iterations` steps. The vectors of the iteration are constants of a pass: the singular value is differentiated as vᵀ W u
/// (Algorithm 1 there, whose W is this one transposed).
public struct SpectralNorm: LayerWithEpilogue {
    /// The layer whose weight is divided.
    public let layer: any WeightedLayer
    /// Power iterations a pass in training.
    public let iterations: Int
    /// The first singular vectors as far as they are known, of length 1: v of all but the outputs, and u of the outputs.
    public let left: Parameter
    /// u.
    public let right: Parameter

    /// - Parameter random: the vectors start at random and take 15 steps.
    /// - Throws: `TensorError` if the number of iterations is negative.
    public init(_ layer: any WeightedLayer, iterations: Int = 1, using random: inout Random) throws {
        guard iterations >= 0 else {
            throw TensorError("spectral normalization", "\(iterations) iterations, expected a number from 0 up")
        }
        let weight = layer.weight.value
        let outputs = weight.shape.last ?? 0
        self.layer = layer
        self.iterations = iterations
        left = Parameter(try Tensor.zeros([weight.count / max(1, outputs)], elementType: weight.elementType), isTrainable: false)
        right = Parameter(try random.normal([outputs], elementType: weight.elementType), isTrainable: false)
        try iterate(15)
    }

    public func callAsFunction(_ input: Tensor, activation: Activation) throws -> Tensor {
        if TrainingPass.current != nil { try iterate(iterations) }
        let weight = layer.weight.value
        let directions = try left.value.reshaped([-1, 1]) * right.value
        let largest = try Tensor.product(weight, directions.reshaped(weight.shape), to: [])
        return try layer(input, weight: weight.dividedOrZero(by: largest), activation: activation)
    }

    /// Takes some steps of power iteration.
    private func iterate(_ count: Int) throws {
        let matrix = try layer.weight.value.detached().reshaped([left.shape[0], right.shape[0]])
        for _ in 0..<count {
            left.value = try unit(matrix.matmul(right.value.reshaped([-1, 1])))
            right.value = try unit(matrix.matmul(left.value.reshaped([-1, 1]), transposeSelf: true))
        }
    }

    /// A vector of length 1, or of zeros where it was.
    private func unit(_ column: Tensor) throws -> Tensor {
        let row = try column.reshaped([1, -1])
        return try row.dividedOrZero(by: row.sampleNorm()).reshaped([-1])
    }

    public var children: [(name: String, layer: any Layer)] { [("layer", layer)] }
    /// Under the wrapped layer's own paths.
    public var namedParameters: [(path: String, parameter: Parameter)] { layer.namedParameters }
    public var namedState: [(path: String, state: Parameter)] { layer.namedState + [("left", left), ("right", right)] }
}

extension SpectralNorm {
    /// `{"layer": "spectral_norm", "of": {"layer": "dense", "outputs": 1}}`.
    public struct Description: LayerKind {
        /// The layer whose weight is divided.
        public var layer = LayerDescription(Dense.Description())
        /// Power iterations a pass in training.
        public var iterations = 1

        public init() {}
        /// - Parameters:
        ///   - layer: the layer whose weight is divided.
        ///   - iterations: power iterations a pass in training.
        public init(_ layer: LayerDescription, iterations: Int = 1) { (self.layer, self.iterations) = (layer, iterations) }

        public static let name = "spectral_norm"
        public static let keys: [DescriptionKey<Self>] = [
            DescriptionKey("of", \.layer, isRequired: true, expected: "a dense or conv layer") { layer in
                layer.kind is Dense.Description || layer.kind is Conv2D.Description
            },
            DescriptionKey("iterations", \.iterations, in: 0...1000),
        ]

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] { try layer.outputShape(for: input) }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            guard let weighted = try layer.layer.makeLayer(for: input, using: &random) as? any WeightedLayer else {
                throw DescriptionError("\(layer.name) has no weight to normalize")
            }
            return try SpectralNorm(weighted, iterations: iterations, using: &random)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            layer.layer.parameterShapes(for: input)
        }

        public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] {
            layer.layer.forwardProblems(for: input, batchSize: batchSize)
        }

        public func summary(for input: [Int]) -> String { "of \(layer.summary(for: input))" }
    }
}
