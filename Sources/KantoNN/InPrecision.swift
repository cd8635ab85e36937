import KantoDescriptions
import KantoKernels
import KantoTensor

/// Layers whose products have a precision of their own, whatever is in force around them: the first and the last layer of a
/// network in float32, say, where the rest is in bfloat16. Their gradients, of any order, are computed in the same.
public struct InPrecision: Layer {
    /// Of the layers' products, and of those of their gradients.
    public let precision: Precision
    /// From the input to the output.
    public let layers: Sequential

    /// - Parameters:
    ///   - precision: of the layers' products.
    ///   - layers: from the input to the output.
    public init(_ precision: Precision, _ layers: any Layer...) { self.init(precision, Sequential(layers)) }
    /// - Parameters:
    ///   - precision: of the layers' products.
    ///   - layers: from the input to the output.
    public init(_ precision: Precision, _ layers: Sequential) { (self.precision, self.layers) = (precision, layers) }

    public func callAsFunction(_ input: Tensor) throws -> Tensor { try withPrecision(precision) { try layers(input) } }

    public var children: [(name: String, layer: any Layer)] { [("layers", layers)] }
}

extension InPrecision {
    /// `{"layer": "in_precision", "precision": "float32", "layers": [layers …]}`.
    public struct Description: LayerKind {
        /// Of the layers' products.
        public var precision = Precision.float32
        /// From the input to the output.
        public var layers: [LayerDescription] = []

        public init() {}
        /// - Parameters:
        ///   - precision: of the layers' products.
        ///   - layers: from the input to the output.
        public init(_ precision: Precision, _ layers: [LayerDescription]) { (self.precision, self.layers) = (precision, layers) }

        public static let name = "in_precision"
        public static let keys = [
            DescriptionKey("precision", \Self.precision, isRequired: true),
            DescriptionKey("layers", \Self.layers, isRequired: true),
        ]

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] { try layers.shapes(from: input).last! }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            InPrecision(precision, try layers.makeLayers(for: input, using: &random))
        }

        private func shapes(from input: [Int]) -> [[Int]] { (try? layers.shapes(from: input)) ?? [] }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            layers.parameterShapes(along: shapes(from: input)).map { ("layers.\($0.path)", $0.shape) }
        }

        public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] {
            layers.forwardProblems(along: shapes(from: input), batchSize: batchSize)
        }

        public func summary(for input: [Int]) -> String { "\(precision) (\(layers.summary(for: input)))" }
    }
}

extension Precision: DescriptionConvertible {
    /// - Throws: `DescriptionError`, with the nearest name.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        self = try Self.named(value, \.description)
    }

    /// Its name.
    public func described(isWhole: Bool) -> DescriptionValue { .text(description) }
}
