import KantoDescriptions
import KantoGAN
import KantoNN
import KantoTensor

/// Convolutions of 5x5 that halve and double, with batch normalization in the generator and none in the critic, as the CIFAR
/// networks of Gulrajani et al. 2017. The channels double with each halving, up to eight times the width.
public struct ConvolutionalArchitecture: Architecture {
    public static let name = "conv"
    public static let keys = [DescriptionKey("width", \Self.width, in: 1...4096)]
    /// Channels at half the sample's size.
    public var width = 64

    public init() {}

    public func networks(
        for shape: [Int], latentSize: Int, endingWith last: (any LayerKind)?
    ) throws(DescriptionError) -> NetworkPairDescription {
        let pyramid = try Pyramid(shape, for: Self.name)
        /// Of the pictures that were halved so often.
        func channels(_ level: Int) -> Int { level == 0 ? pyramid.channels : width * min(8, 1 << (level - 1)) }
        let (smallest, depth) = (pyramid.smallest, pyramid.depth)
        let first = smallest.height * smallest.width * channels(depth)
        var generator = layerDescriptions(
            Dense.Description(first), BatchNorm.Description(), ReLU(),
            Reshape([smallest.height, smallest.width, channels(depth)]))
        for level in (0..<depth).reversed() {
            // Doubled, less the last row or column where the size is odd.
            let (from, to) = (pyramid.sizes[level + 1], pyramid.sizes[level])
            let padding = Window.Padding(
                top: 1, left: 1, bottom: 2 + 2 * from.height - to.height, right: 2 + 2 * from.width - to.width)
            generator += layerDescriptions(
                ConvTranspose2D.Description(
                    channels(level), kernel: 5, stride: 2,
                    padding: padding == Window.Padding(top: 1, left: 1, bottom: 2, right: 2) ? .same : .sides(padding)))
            if level > 0 { generator += layerDescriptions(BatchNorm.Description(), ReLU()) }
        }
        generator += last.map { layerDescriptions($0) } ?? []
        let critic = (1...depth).flatMap {
            layerDescriptions(Conv2D.Description(channels($0), kernel: 5, stride: 2, padding: .same), LeakyReLU())
        }
        return NetworkPairDescription(
            generator: NetworkDescription(input: [latentSize], layers: generator),
            critic: NetworkDescription(input: shape, layers: critic + layerDescriptions(Flatten(), Dense.Description(1))))
    }
}
