import KantoNN
import KantoTensor

/// A pair of networks.
public struct NetworkPair: Sendable {
    public let critic: Sequential
    public let generator: Sequential
    public let latentSize: Int

    public init(critic: Sequential, generator: Sequential, latentSize: Int) {
        self.critic = critic
        self.generator = generator
        self.latentSize = latentSize
    }
}

/// A named training setup: networks, data, numbers.
public struct Preset: Sendable {
    public let name: String
    public let summary: String
    /// Layers, for people.
    public let criticSummary: String
    public let generatorSummary: String
    /// Which data it wants, and where the setup comes from.
    public let dataSummary: String
    /// Who made the data, where they are, and under which license.
    public let dataAttribution: String
    public let source: String
    /// Height, width and channels of a sample.
    public let sampleShape: [Int]
    public let configuration: TrainingConfiguration
    public let iterations: Int
    private let build: @Sendable (inout Random) throws -> NetworkPair

    /// New networks, drawn from a seed.
    public func networks(seed: UInt64) throws -> NetworkPair {
        var random = Random(seed: seed, stream: RandomStream.initialization.rawValue << 32)
        return try build(&random)
    }

    public static let all: [Preset] = [digits]

    public static let digits = Preset(
        name: "digits",
        summary: "8x8 handwritten digits; the data ship with Kanto",
        criticSummary: "conv 4x4 s2 p1 1→64, LeakyReLU 0.2, conv 4x4 s2 p1 64→128, LeakyReLU 0.2, dense 512→1",
        generatorSummary: "dense 32→512, ReLU, transposed conv 4x4 s2 p1 128→64, ReLU, transposed conv 4x4 s2 p1 64→1, sigmoid",
        dataSummary: "1,797 digits of 8x8, values 0 to 1: the test set of \"Optical Recognition of Handwritten Digits\"",
        dataAttribution: "by E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, "
            + "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), as IDX files, otherwise unchanged",
        source: "Gulrajani et al. 2017, Algorithm 1, with a DCGAN of two layers",
        sampleShape: [8, 8, 1],
        configuration: {
            var configuration = TrainingConfiguration()
            configuration.learningRate = 2e-4
            return configuration
        }(),
        iterations: 5000,
        build: { random in
            let critic = Sequential(
                try Conv2D(1, 64, kernel: 4, stride: 2, padding: 1, using: &random), LeakyReLU(0.2),
                try Conv2D(64, 128, kernel: 4, stride: 2, padding: 1, using: &random), LeakyReLU(0.2),
                Flatten(), try Dense(512, 1, using: &random))
            let generator = Sequential(
                try Dense(32, 512, using: &random), ReLU(), Reshape(2, 2, 128),
                try ConvTranspose2D(128, 64, kernel: 4, stride: 2, padding: 1, using: &random), ReLU(),
                try ConvTranspose2D(64, 1, kernel: 4, stride: 2, padding: 1, using: &random), Sigmoid())
            return NetworkPair(critic: critic, generator: generator, latentSize: 32)
        })
}
