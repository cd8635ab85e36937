import KantoDescriptions
import KantoKernels
import KantoTensor

/// A network as data: the shape of a sample at its input, and its layers.
///
///     {"input": [28, 28, 1], "layers": [
///         {"layer": "conv", "channels": 64, "kernel": 5, "stride": 2, "padding": "same"}, "leaky_relu",
///         "flatten", {"layer": "dense", "outputs": 1}]}
///
/// Input sizes of layers are not written down: they follow from the shapes.
public struct NetworkDescription: Describable {
    /// [features] or [height, width, channels].
    public var input: [Int]
    /// From the input to the output.
    public var layers: [LayerDescription]

    public init() { (input, layers) = ([], []) }

    /// - Parameter input: the shape of a sample.
    public init(input: [Int], layers: [LayerDescription]) { (self.input, self.layers) = (input, layers) }

    /// - Parameters:
    ///   - input: the shape of a sample.
    ///   - kinds: the layers, from the input to the output.
    public init(input: [Int], _ kinds: any LayerKind...) { self.init(input: input, layers: kinds.map { LayerDescription($0) }) }

    public static let keys: [DescriptionKey<Self>] = [
        .sampleShape("input", \.input),
        DescriptionKey("layers", \.layers, isRequired: true),
    ]

    public func validate() throws(DescriptionError) { try outputShape() }

    /// Layers never state what is as by default: one sees what a network is.
    public func described(isWhole: Bool) -> DescriptionValue {
        .object(["input": input.descriptionValue, "layers": layers.descriptionValue])
    }

    /// The shape of a sample behind all layers.
    ///
    /// - Throws: `DescriptionError`, which names the layer that does not take what the one before gives.
    @discardableResult
    public func outputShape() throws(DescriptionError) -> [Int] { try shapes().last! }

    /// The shape of a sample before each layer, and behind the last.
    func shapes() throws(DescriptionError) -> [[Int]] {
        try DescriptionError.within("layers") { () throws(DescriptionError) in try layers.shapes(from: input) }
    }

    /// A new network, its weights drawn.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func makeNetwork(using random: inout Random) throws -> Sequential { try layers.makeLayers(for: input, using: &random) }

    /// The parameters of the network, by their paths in it, without making any.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func parameterShapes() throws(DescriptionError) -> [(path: String, shape: [Int])] {
        layers.parameterShapes(along: try shapes())
    }

    /// The matrix products and convolutions of a forward pass, in their order.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func forwardProblems(batchSize: Int) throws(DescriptionError) -> [Problem] {
        layers.forwardProblems(along: try shapes(), batchSize: batchSize)
    }

    /// The layers in one line each, with the shape of a sample behind them.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func summary() throws(DescriptionError) -> [(layer: String, output: [Int])] {
        let shapes = try shapes()
        return layers.enumerated().map { ($1.summary(for: shapes[$0]), shapes[$0 + 1]) }
    }
}

extension [LayerDescription] {
    func shapes(from input: [Int]) throws(DescriptionError) -> [[Int]] {
        var shapes = [input]
        for (index, layer) in enumerated() {
            try DescriptionError.within("\(index)") { () throws(DescriptionError) in
                shapes.append(try layer.outputShape(for: shapes[index]))
            }
        }
        return shapes
    }

    func makeLayers(for input: [Int], using random: inout Random) throws -> Sequential {
        let shapes = try shapes(from: input)
        var made: [any Layer] = []
        for (layer, shape) in zip(self, shapes) { made.append(try layer.layer.makeLayer(for: shape, using: &random)) }
        return Sequential(made)
    }

    /// - Parameter shapes: what `shapes(from:)` gives.
    func parameterShapes(along shapes: [[Int]]) -> [(path: String, shape: [Int])] {
        zip(self, shapes).enumerated().flatMap { index, pair in
            pair.0.layer.parameterShapes(for: pair.1).map { ("\(index).\($0.path)", $0.shape) }
        }
    }

    /// - Parameter shapes: what `shapes(from:)` gives.
    func forwardProblems(along shapes: [[Int]], batchSize: Int) -> [Problem] {
        zip(self, shapes).flatMap { $0.layer.forwardProblems(for: $1, batchSize: batchSize) }
    }

    /// In one line, with commas between.
    func summary(for input: [Int]) -> String {
        guard let shapes = try? shapes(from: input) else { return "" }
        return zip(self, shapes).map { $0.summary(for: $1) }.joined(separator: ", ")
    }
}

extension NetworkDescription: Codable {
    /// - Throws: `DescriptionError` for a layer that is unknown or does not fit.
    public init(from decoder: any Decoder) throws { try self.init(DescriptionValue(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try descriptionValue.encode(to: encoder) }
}
