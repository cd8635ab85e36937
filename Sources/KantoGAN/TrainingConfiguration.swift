import KantoDescriptions
import KantoKernels
import KantoNN
import KantoTensor

/// The numbers of a WGAN-GP training run (Gulrajani et al. 2017, Algorithm 1), whatever its data and networks are.
public struct TrainingConfiguration: Describable {
    /// Steps of the generator.
    public var iterations = 5000
    /// Samples of each kind in a step.
    public var batchSize = 64
    /// Samples in a generator's step; nil for as many as in a critic's.
    public var generatorBatchSize: Int?
    /// Critic steps for each generator step.
    public var criticSteps = 5
    /// Of the networks' initial weights, the order of the data, latent vectors and interpolation.
    public var seed: UInt64 = 1
    /// The adversarial loss.
    public var loss = LossDescription(WassersteinLoss())
    /// With its weight λ.
    public var regularizer = RegularizerDescription(TwoSidedPenalty())
    /// Of both networks, as far as one does not have its own.
    public var optimizer = OptimizerDescription(Adam.Description())
    /// The critic's own optimizer; nil for `optimizer`.
    public var criticOptimizer: OptimizerDescription?
    /// The generator's own optimizer; nil for `optimizer`.
    public var generatorOptimizer: OptimizerDescription?
    /// The decay of the running average of the generator's parameters; nil for none.
    public var averageDecay: Double?
    /// How the critic's gradient is computed.
    public var criticStep = CriticStepMethod.automatic
    /// How exact products must be; nil for what is in force, by `KANTO_PRECISION`.
    public var precision: Precision?
    /// That of the critic's products; nil for `precision`.
    public var criticPrecision: Precision?
    /// That of the generator's products; nil for `precision`.
    public var generatorPrecision: Precision?
    /// A critic that mixes the samples of a batch, by batch normalization say, is warned of, not refused.
    public var allowsSampleMixing = false

    public init() {}

    public static let keys: [DescriptionKey<Self>] = [
        // The products of two such numbers can still be counted.
        DescriptionKey("iterations", \.iterations, in: 1...1_000_000_000),
        DescriptionKey("batch_size", \.batchSize, in: 1...1_000_000_000),
        DescriptionKey("generator_batch_size", \.generatorBatchSize, expected: "a whole number from 1 to 1000000000") {
            (size: Int?) in size.map { 1...1_000_000_000 ~= $0 } ?? true
        },
        DescriptionKey("critic_steps", \.criticSteps, in: 0...1_000_000_000),
        DescriptionKey("seed", \.seed),
        DescriptionKey("loss", \.loss),
        DescriptionKey("regularizer", \.regularizer),
        DescriptionKey("optimizer", \.optimizer),
        DescriptionKey("critic_optimizer", \.criticOptimizer),
        DescriptionKey("generator_optimizer", \.generatorOptimizer),
        DescriptionKey("average_decay", \.averageDecay, expected: "a number between 0 and 1") { (decay: Double?) in
            decay.map { $0 > 0 && $0 < 1 } ?? true
        },
        DescriptionKey("critic_step", \.criticStep),
        DescriptionKey("precision", \.precision),
        DescriptionKey("critic_precision", \.criticPrecision),
        DescriptionKey("generator_precision", \.generatorPrecision),
        DescriptionKey("allows_sample_mixing", \.allowsSampleMixing),
    ]

    /// - Throws: `TensorError`, which names the number that makes no sense: what a program sets is not checked before.
    func check() throws {
        // What is read is checked: so is what a program sets.
        do throws(DescriptionError) { _ = try Self(described(isWhole: true)) } catch {
            throw TensorError("training configuration", error.description)
        }
    }
}

extension CriticStepMethod: DescriptionConvertible {}
