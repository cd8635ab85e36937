import KantoNN
import KantoTensor

/// A critic, a generator and a batch on which the training steps are timed, the same as in other frameworks' benchmarks.
public struct Workload: Sendable {
    public let name: String
    /// Shape of a batch.
    public let batchShape: [Int]
    private let build: @Sendable (inout Random) throws -> NetworkPair

    public func networks(seed: UInt64) throws -> NetworkPair {
        var random = Random(seed: seed, stream: RandomStream.initialization.rawValue << 32)
        return try build(&random)
    }

    public static let all: [Workload] = [toy, mnist, cifar, dcgan64, dcgan64ln]

    /// Three hidden layers of 512, batch 256, on points of the plane.
    public static let toy = Workload(name: "toy", batchShape: [256, 2]) { random in
        func perceptron(_ outputs: Int) throws -> Sequential {
            Sequential(
                try Dense(2, 512, using: &random), ReLU(), try Dense(512, 512, using: &random), ReLU(),
                try Dense(512, 512, using: &random), ReLU(), try Dense(512, outputs, using: &random))
        }
        return NetworkPair(critic: try perceptron(1), generator: try perceptron(2), latentSize: 2)
    }

    /// 5x5 convolutions of stride 2 with 64, 128 and 256 channels, batch 50, on 28x28 images.
    public static let mnist = Workload(name: "mnist", batchShape: [50, 28, 28, 1]) { random in
        NetworkPair(
            critic: try convolutionCritic(28, channels: 1, width: 64, depth: 3, using: &random),
            // From 4x4 to 7x7, the first time.
            generator: try convolutionGenerator(
                channels: 1, width: 64, depth: 3, firstOutputPadding: 0, isNormalized: false, Sigmoid(), using: &random),
            latentSize: 128)
    }

    /// 5x5 convolutions of stride 2 with 128, 256 and 512 channels, batch 64, on 32x32 color images; batch normalization in
    /// the generator.
    public static let cifar = Workload(name: "cifar", batchShape: [64, 32, 32, 3]) { random in
        NetworkPair(
            critic: try convolutionCritic(32, channels: 3, width: 128, depth: 3, using: &random),
            generator: try convolutionGenerator(channels: 3, width: 128, depth: 3, isNormalized: true, Tanh(), using: &random),
            latentSize: 128)
    }

    /// 5x5 convolutions of stride 2 with 64 to 512 channels, batch 64, on 64x64 color images.
    public static let dcgan64 = dcgan64(name: "dcgan64", hasLayerNorm: false)

    /// `dcgan64` with layer normalization in the critic, behind every convolution but the first.
    public static let dcgan64ln = dcgan64(name: "dcgan64ln", hasLayerNorm: true)

    private static func dcgan64(name: String, hasLayerNorm: Bool) -> Workload {
        Workload(name: name, batchShape: [64, 64, 64, 3]) { random in
            NetworkPair(
                critic: try convolutionCritic(64, channels: 3, width: 64, depth: 4, hasLayerNorm: hasLayerNorm, using: &random),
                generator: try convolutionGenerator(channels: 3, width: 64, depth: 4, isNormalized: true, Tanh(), using: &random),
                latentSize: 128)
        }
    }

    /// Convolutions of stride 2, each with twice the channels of the one before, and a dense layer.
    private static func convolutionCritic(
        _ size: Int, channels: Int, width: Int, depth: Int, hasLayerNorm: Bool = false, using random: inout Random
    ) throws -> Sequential {
        var layers: [any Layer] = []
        var (size, inputs, outputs) = (size, channels, width)
        for index in 0..<depth {
            layers.append(try Conv2D(inputs, outputs, kernel: 5, stride: 2, padding: 2, using: &random))
            size = (size + 1) / 2
            if hasLayerNorm, index > 0 { layers.append(try LayerNorm(shape: [size, size, outputs])) }
            layers.append(LeakyReLU(0.2))
            (inputs, outputs) = (outputs, 2 * outputs)
        }
        return Sequential(layers + [Flatten(), try Dense(size * size * inputs, 1, using: &random)])
    }

    /// From noise to 4x4 positions, and from there by transposed convolutions of stride 2, each with half the channels.
    private static func convolutionGenerator(
        channels: Int, width: Int, depth: Int, firstOutputPadding: Int = 1, isNormalized: Bool, _ output: any Layer,
        using random: inout Random
    ) throws -> Sequential {
        var inputs = width << (depth - 1)
        var layers: [any Layer] = [try Dense(128, 4 * 4 * inputs, using: &random), Reshape(4, 4, inputs)]
        for index in 0..<depth {
            if isNormalized { layers.append(try BatchNorm(inputs)) }
            layers.append(ReLU())
            let outputs = index == depth - 1 ? channels : inputs / 2
            layers.append(
                try ConvTranspose2D(
                    inputs, outputs, kernel: 5, stride: 2, padding: 2, outputPadding: index == 0 ? firstOutputPadding : 1,
                    using: &random))
            inputs = outputs
        }
        return Sequential(layers + [output])
    }
}
