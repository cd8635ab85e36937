import KantoDescriptions
import KantoKernels
import KantoTensor

/// A kind of layer as a description has it: the numbers that a person gives. All else follows from them and the shape of a
/// sample at the layer's input.
///
/// To add a layer, conform here in the layer's own file and add a row to `LayerKinds`.
public protocol LayerKind: NamedDescription {
    /// The shape of a sample behind the layer: [features] or [height, width, channels].
    ///
    /// - Throws: `DescriptionError`, which says what was expected, if the layer does not take such samples.
    func outputShape(for input: [Int]) throws(DescriptionError) -> [Int]

    /// A new layer, its weights drawn.
    ///
    /// - Parameter input: a shape that `outputShape` accepts.
    func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer

    /// The parameters that the made layer will have, under its own paths: what a file must hold for it, before any of it is made.
    ///
    /// - Parameter input: a shape that `outputShape` accepts.
    func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])]

    /// The matrix products and convolutions of a forward pass, in their order: nearly all of its work.
    ///
    /// - Parameter input: a shape that `outputShape` accepts.
    func forwardProblems(for input: [Int], batchSize: Int) -> [Problem]

    /// How it reads behind its name, such as "5x5 stride 2, 64 to 128".
    func summary(for input: [Int]) -> String
}

extension LayerKind {
    public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] { input }
    public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] { [] }
    public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] { [] }
    public func summary(for input: [Int]) -> String { "" }
}

/// A kind that is the layer itself: one without parameters.
protocol DescribedLayer: LayerKind, Layer {}

extension DescribedLayer {
    public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer { self }
}

/// All kinds of layers.
public enum LayerKinds: KindFamily {
    public static let noun = "layer"
    /// `layer`.
    public static let nameKey = "layer"
    public static let kinds: [any NamedDescription.Type] = [
        Dense.Description.self, Conv2D.Description.self, ConvTranspose2D.Description.self,
        ReLU.self, LeakyReLU.self, PReLU.Description.self, Tanh.self, Sigmoid.self, Softplus.self, SiLU.self, GELU.self, ELU.self,
        SmoothELU.self, SELU.self,
        Flatten.self, Reshape.self, Upsample.self, AveragePool.self, GlobalAveragePool.self,
        LayerNorm.Description.self, GroupNorm.Description.self, InstanceNorm.Description.self, BatchNorm.Description.self,
        PixelNorm.self, Dropout.self, SpectralNorm.Description.self, Residual.Description.self,
        InPrecision.Description.self,
    ]
}

/// One layer of a network's description: `{"layer": "conv", "channels": 64, "kernel": 5, "stride": 2, "padding": "same"}`, or
/// the name alone where no key is given: `"relu"`.
public typealias LayerDescription = Choice<LayerKinds>

extension LayerDescription {
    /// Describes a layer.
    public init(_ layer: any LayerKind) { self.init(kind: layer) }

    /// Each row of the table is one.
    public var layer: any LayerKind { kind as! any LayerKind }

    /// The shape of a sample behind the layer.
    ///
    /// - Throws: `DescriptionError`, which names the layer and what it expects; also if it gives more than 2^28 elements.
    public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
        try DescriptionError.naming(name) { () throws(DescriptionError) in
            let output = try layer.outputShape(for: input)
            // Each factor is below 2^24, and so is the product so far: nothing overflows.
            var count = 1
            for extent in output where count <= Self.largestCount { count *= min(extent, 1 << 29) }
            guard count <= Self.largestCount else {
                throw DescriptionError("gives samples of shape \(output), more than \(Self.largestCount) elements")
            }
            return output
        }
    }

    private static let largestCount = 1 << 28

    /// How it reads in one line, such as "conv 5x5 stride 2, 64 to 128".
    public func summary(for input: [Int]) -> String {
        let details = layer.summary(for: input)
        return details.isEmpty ? name : "\(name) \(details)"
    }
}

// MARK: - What kinds share

/// Numbers of channels, features and extents: no layer has more of anything.
let extents = 1...65536

extension DescriptionKey {
    /// The shape of a sample.
    static func sampleShape(_ name: String, _ property: WritableKeyPath<Root, [Int]> & Sendable) -> DescriptionKey {
        DescriptionKey(
            name, property, isRequired: true, expected: "the shape of a sample, [features] or [height, width, channels]"
        ) {
            [1, 3].contains($0.count) && $0.allSatisfy(extents.contains)
        }
    }
}

/// - Throws: `DescriptionError` if samples are not [height, width, channels].
@discardableResult
func requireImage(_ shape: [Int]) throws(DescriptionError) -> (height: Int, width: Int, channels: Int) {
    guard shape.count == 3 else {
        throw DescriptionError(
            "takes samples of shape [height, width, channels], gets \(shape)"
                + (shape.count == 1 ? "; put a reshape before it" : ""))
    }
    return (shape[0], shape[1], shape[2])
}
