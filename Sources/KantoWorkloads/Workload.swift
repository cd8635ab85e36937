import KantoGAN
import KantoNN

/// A critic, a generator and a batch on which the training steps are timed, the same as in other frameworks' benchmarks.
public struct Workload: Sendable {
    /// How the command line names it.
    public let name: String
    /// Real samples, and as many generated ones.
    public let batchSize: Int
    /// The generator and the critic.
    public let networks: NetworkPairDescription

    /// Shape of a batch: [batch, features] or [batch, height, width, channels].
    public var batchShape: [Int] { [batchSize] + networks.sampleShape }

    /// All workloads, a row each.
    public static let all: [Workload] = [toy, mnist, cifar, dcgan64, dcgan64ln]

    /// Three hidden layers of 512, batch 256, on points of the plane.
    public static let toy: Workload = {
        func perceptron(_ outputs: Int) -> NetworkDescription {
            NetworkDescription(
                input: [2], Dense.Description(512), ReLU(), Dense.Description(512), ReLU(), Dense.Description(512), ReLU(),
                Dense.Description(outputs))
        }
        return Workload(
            name: "toy", batchSize: 256, networks: NetworkPairDescription(generator: perceptron(2), critic: perceptron(1)))
    }()

    /// 5x5 convolutions of stride 2 with 64, 128 and 256 channels, batch 50, on 28x28 images.
    public static let mnist = Workload(
        name: "mnist", batchSize: 50,
        networks: NetworkPairDescription(
            // From 4x4 to 7x7, the first time.
            generator: convolutionGenerator(
                channels: 1, width: 64, depth: 3, firstOutputPadding: 0, isNormalized: false, output: Sigmoid()),
            critic: convolutionCritic([28, 28, 1], width: 64, depth: 3)))

    /// 5x5 convolutions of stride 2 with 128, 256 and 512 channels, batch 64, on 32x32 color images; batch normalization in
    /// the generator.
    public static let cifar = Workload(
        name: "cifar", batchSize: 64,
        networks: NetworkPairDescription(
            generator: convolutionGenerator(channels: 3, width: 128, depth: 3, isNormalized: true, output: Tanh()),
            critic: convolutionCritic([32, 32, 3], width: 128, depth: 3)))

    /// 5x5 convolutions of stride 2 with 64 to 512 channels, batch 64, on 64x64 color images.
    public static let dcgan64 = dcgan64(name: "dcgan64", hasLayerNorm: false)

    /// `dcgan64` with layer normalization in the critic, behind every convolution but the first.
    public static let dcgan64ln = dcgan64(name: "dcgan64ln", hasLayerNorm: true)

    private static func dcgan64(name: String, hasLayerNorm: Bool) -> Workload {
        Workload(
            name: name, batchSize: 64,
            networks: NetworkPairDescription(
                generator: convolutionGenerator(channels: 3, width: 64, depth: 4, isNormalized: true, output: Tanh()),
                critic: convolutionCritic([64, 64, 3], width: 64, depth: 4, hasLayerNorm: hasLayerNorm)))
    }

    /// Convolutions of stride 2, each with twice the channels of the one before, and a dense layer.
    private static func convolutionCritic(
        _ input: [Int], width: Int, depth: Int, hasLayerNorm: Bool = false
    ) -> NetworkDescription {
        var layers: [any LayerKind] = []
        for index in 0..<depth {
            layers.append(Conv2D.Description(width << index, kernel: 5, stride: 2, padding: .sides(2)))
            if hasLayerNorm, index > 0 { layers.append(LayerNorm.Description(affine: .element)) }
            layers.append(LeakyReLU(0.2))
        }
        layers += [Flatten(), Dense.Description(1)]
        return NetworkDescription(input: input, layers: layers.map { LayerDescription($0) })
    }

    /// From noise to 4x4 positions, and from there by transposed convolutions of stride 2, each with half the channels.
    private static func convolutionGenerator(
        channels: Int, width: Int, depth: Int, firstOutputPadding: Int = 1, isNormalized: Bool, output: any LayerKind
    ) -> NetworkDescription {
        let first = width << (depth - 1)
        var layers: [any LayerKind] = [Dense.Description(4 * 4 * first), Reshape(4, 4, first)]
        for index in 0..<depth {
            if isNormalized { layers.append(BatchNorm.Description()) }
            layers.append(ReLU())
            layers.append(
                ConvTranspose2D.Description(
                    index == depth - 1 ? channels : first >> (index + 1), kernel: 5, stride: 2, padding: .sides(2),
                    outputPadding: index == 0 ? firstOutputPadding : 1))
        }
        layers.append(output)
        return NetworkDescription(input: [128], layers: layers.map { LayerDescription($0) })
    }
}
