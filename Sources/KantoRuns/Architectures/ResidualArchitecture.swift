import KantoDescriptions
import KantoGAN
import KantoNN
import KantoTensor

/// Residual blocks that halve and double, all of one width, with batch normalization in the generator and none in the critic,
/// as the residual CIFAR networks of Gulrajani et al. 2017.
public struct ResidualArchitecture: Architecture {
    public static let name = "resnet"
    public static let keys = [DescriptionKey("width", \Self.width, in: 1...4096)]
    /// Channels.
    public var width = 128

    public init() {}

    public func networks(
        for shape: [Int], latentSize: Int, endingWith last: (any LayerKind)?
    ) throws(DescriptionError) -> NetworkPairDescription {
        let pyramid = try Pyramid(shape, for: Self.name)
        let (smallest, depth) = (pyramid.smallest, pyramid.depth)
        var generator = layerDescriptions(
            Dense.Description(smallest.height * smallest.width * width), Reshape([smallest.height, smallest.width, width]))
        for level in (0..<depth).reversed() {
            generator.append(
                ResidualBlock(channels: (width, width), resampling: .up, normalization: BatchNorm.Description()).layer)
            let (from, to) = (pyramid.sizes[level + 1], pyramid.sizes[level])
            let beyond = (rows: 2 * from.height - to.height, columns: 2 * from.width - to.width)
            if beyond != (0, 0) {
                // A row or column too much, which a convolution with less padding leaves out.
                let padding = Window.Padding(top: 1, left: 1, bottom: 1 - beyond.rows, right: 1 - beyond.columns)
                generator += layerDescriptions(Conv2D.Description(width, kernel: 3, padding: .sides(padding)))
            }
        }
        generator += layerDescriptions(
            BatchNorm.Description(), ReLU(),
            Conv2D.Description(pyramid.channels, kernel: 3, padding: .same, initializer: .glorot))
        generator += last.map { layerDescriptions($0) } ?? []
        var critic = layerDescriptions(
            Residual.Description(
                main: layerDescriptions(
                    Conv2D.Description(width, kernel: 3, padding: .same), ReLU(),
                    Conv2D.Description(width, kernel: 3, padding: .same),
                    AveragePool()),
                shortcut: layerDescriptions(AveragePool(), Conv2D.Description(width, kernel: 1, initializer: .glorot))))
        for _ in 1..<max(depth, 2) where depth > 1 {
            critic.append(ResidualBlock(channels: (width, width), resampling: .down).layer)
        }
        let plain = ResidualBlock(channels: (width, width)).layer
        critic += [plain, plain] + layerDescriptions(ReLU(), GlobalAveragePool(), Dense.Description(1))
        return NetworkPairDescription(
            generator: NetworkDescription(input: [latentSize], layers: generator),
            critic: NetworkDescription(input: shape, layers: critic))
    }
}
