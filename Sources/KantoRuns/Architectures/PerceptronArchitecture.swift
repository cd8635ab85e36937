import KantoDescriptions
import KantoGAN
import KantoNN

/// Three hidden layers each, for samples of any shape, as the toy networks of Gulrajani et al. 2017.
public struct PerceptronArchitecture: Architecture {
    public static let name = "mlp"
    public static let keys = [DescriptionKey("width", \Self.width, in: 1...65536)]
    /// Of the hidden layers.
    public var width = 512

    public init() {}

    public func networks(
        for shape: [Int], latentSize: Int, endingWith last: (any LayerKind)?
    ) throws(DescriptionError) -> NetworkPairDescription {
        let hidden = (0..<3).flatMap { _ in layerDescriptions(Dense.Description(width, initializer: .he), ReLU()) }
        let isRow = shape.count == 1
        let picture = isRow ? [] : layerDescriptions(Reshape(shape))
        return NetworkPairDescription(
            generator: NetworkDescription(
                input: [latentSize],
                layers: hidden + layerDescriptions(Dense.Description(shape.reduce(1, *)))
                    + (last.map { layerDescriptions($0) } ?? []) + picture),
            critic: NetworkDescription(
                input: shape,
                layers: (isRow ? [] : layerDescriptions(Flatten())) + hidden + layerDescriptions(Dense.Description(1))))
    }
}
