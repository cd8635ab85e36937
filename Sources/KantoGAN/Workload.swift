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

    public static let all: [Workload] = [toy, mnist]

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
        let critic = Sequential(
            try Conv2D(1, 64, kernel: 5, stride: 2, padding: 2, using: &random), LeakyReLU(0.2),
            try Conv2D(64, 128, kernel: 5, stride: 2, padding: 2, using: &random), LeakyReLU(0.2),
            try Conv2D(128, 256, kernel: 5, stride: 2, padding: 2, using: &random), LeakyReLU(0.2),
            Flatten(), try Dense(4 * 4 * 256, 1, using: &random))
        let generator = Sequential(
            try Dense(128, 4 * 4 * 256, using: &random), Reshape(4, 4, 256), ReLU(),
            try ConvTranspose2D(256, 128, kernel: 5, stride: 2, padding: 2, using: &random), ReLU(),
            try ConvTranspose2D(128, 64, kernel: 5, stride: 2, padding: 2, outputPadding: 1, using: &random), ReLU(),
            try ConvTranspose2D(64, 1, kernel: 5, stride: 2, padding: 2, outputPadding: 1, using: &random), Sigmoid())
        return NetworkPair(critic: critic, generator: generator, latentSize: 128)
    }
}
