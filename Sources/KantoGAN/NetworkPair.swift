import KantoDescriptions
import KantoNN
import KantoTensor

/// A pair of networks.
public struct NetworkPair: Sendable {
    /// Scores samples, [batch] + the sample's shape.
    public let critic: any Layer
    /// Draws samples from [batch, latentSize].
    public let generator: any Layer
    /// Width of the generator's noise.
    public let latentSize: Int

    /// - Parameter latentSize: numbers that the generator draws a sample from.
    public init(critic: any Layer, generator: any Layer, latentSize: Int) {
        self.critic = critic
        self.generator = generator
        self.latentSize = latentSize
    }
}

/// A generator and a critic as data. The generator's input is the noise, its output a sample, which is the critic's input.
public struct NetworkPairDescription: Describable {
    /// Its input is the latent vector: one size.
    public var generator = NetworkDescription()
    /// Its input is a sample.
    public var critic = NetworkDescription()
    /// How both are told the class of a sample; nil where they are told none. Its key stands beside the networks'.
    public var conditioning: ConditioningDescription?

    public init() {}

    /// Describes both networks; what does not fit is told by `validate`.
    public init(generator: NetworkDescription, critic: NetworkDescription) { (self.generator, self.critic) = (generator, critic) }

    public static let keys: [DescriptionKey<Self>] = [
        DescriptionKey("generator", \.generator, isRequired: true), DescriptionKey("critic", \.critic, isRequired: true),
    ]

    public func validate() throws(DescriptionError) {
        guard generator.input.count == 1 else {
            throw DescriptionError("is \(generator.input), expected [width of the noise]", at: "generator.input")
        }
        let sample = try generator.outputShape(), scores = try critic.outputShape()
        guard sample == critic.input else {
            throw DescriptionError("is \(critic.input), but the generator gives samples of shape \(sample)", at: "critic.input")
        }
        guard scores == [1] else {
            throw DescriptionError("give \(scores), expected one score a sample: [1]", at: "critic.layers")
        }
    }

    /// Width of the generator's noise.
    public var latentSize: Int { generator.input[0] }

    /// [features] or [height, width, channels].
    public var sampleShape: [Int] { critic.input }

    /// New networks, drawn from a seed.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func makeNetworks(seed: UInt64) throws -> NetworkPair {
        var random = Random(seed: seed, stream: RandomStream.initialization.rawValue << 32)
        let critic = try conditioning?.makeCritic(critic, using: &random) ?? critic.makeNetwork(using: &random)
        return NetworkPair(critic: critic, generator: try makeGenerator(using: &random), latentSize: latentSize)
    }

    /// A new generator.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func makeGenerator(using random: inout Random) throws -> any Layer {
        try conditioning?.makeGenerator(generator, using: &random) ?? generator.makeNetwork(using: &random)
    }

    /// The parameters of the generator, by their paths in it, without making any.
    ///
    /// - Throws: `DescriptionError` if the layers do not fit each other.
    public func generatorParameterShapes() throws(DescriptionError) -> [(path: String, shape: [Int])] {
        if let conditioning { return try conditioning.generatorParameterShapes(generator) }
        return try generator.parameterShapes()
    }
}
