import KantoKernels
import KantoNN
import KantoTensor

/// What one iteration measured.
public struct IterationMetrics: Sendable, Equatable {
    /// From 1.
    public var iteration = 0
    /// Of the last critic step: the adversarial loss + λ · penalty.
    public var criticLoss = 0.0
    /// Of the last critic step: E[D(x)] − E[D(x̃)], no penalty in it.
    public var wassersteinEstimate = 0.0
    /// Without λ.
    public var penalty = 0.0
    /// Over the samples at which the penalty was taken.
    public var meanGradientNorm = 0.0
    /// Over the same samples.
    public var largestGradientNorm = 0.0
    /// Of the generator's step.
    public var generatorLoss = 0.0

    public init() {}

    /// The first quantity that is not a finite number.
    public var firstNonFinite: String? {
        let all = [
            ("critic loss", criticLoss), ("Wasserstein estimate", wassersteinEstimate), ("penalty", penalty),
            ("gradient norm", largestGradientNorm), ("generator loss", generatorLoss),
        ]
        return all.first { !$0.1.isFinite }?.0
    }
}

/// The alternating loop of WGAN-GP: a number of critic steps, each on fresh data and fresh noise, then a generator step.
///
/// Run it inside `Kernels.run { … }`. Its random numbers are named by seed and iteration, so a run repeats bit for bit on
/// the same backend and thread count.
public final class Trainer {
    /// The network that scores samples; trained in place.
    public let critic: any Layer
    /// The network that draws samples; trained in place.
    public let generator: any Layer
    /// Width of the noise.
    public let latentSize: Int
    /// All numbers of the training.
    public let configuration: TrainingConfiguration
    /// Taped or four-pass: what the configuration's method is for this critic.
    public let criticStepMethod: CriticStepMethod
    /// Takes `criticSteps` steps an iteration.
    public let criticOptimizer: Optimizer
    /// Takes one step an iteration.
    public let generatorOptimizer: Optimizer
    /// Of the generator's parameters, where the configuration wants one.
    public let average: ExponentialMovingAverage?
    /// Iterations that are done.
    public private(set) var iteration = 0
    private let batches: any SampleBatches
    /// Of networks that are told the class of a sample; nil for others.
    private let classCount: Int?
    private var batchCount = 0
    /// Under what the critic is called; nil without a penalty.
    private let penalizedPass: PenalizedPass?

    /// - Parameters:
    ///   - data: real samples, [n, …], all in memory.
    ///   - labels: the class of each sample, from 0, for networks that are told it.
    /// - Throws: as the initializer that takes batches does, and `TensorError` if the data do not fill a batch.
    public convenience init(
        critic: any Layer, generator: any Layer, latentSize: Int, data: Tensor, labels: [Int]? = nil,
        configuration: TrainingConfiguration
    ) throws {
        try configuration.check()
        try self.init(
            critic: critic, generator: generator, latentSize: latentSize,
            batches: BatchSampler(data, labels: labels, batchSize: configuration.batchSize, seed: configuration.seed),
            configuration: configuration)
    }

    /// - Parameter batches: of real samples, of the configuration's batch size.
    /// - Throws: `TensorError` if a number of the configuration makes no sense, networks are told classes that the batches do not
    ///   have, the critic mixes samples under a penalty, a layer stores parameters that it does not list, or four passes are demanded of a critic that does not allow them.
    public init(
        critic: any Layer, generator: any Layer, latentSize: Int, batches: any SampleBatches, configuration: TrainingConfiguration
    ) throws {
        try configuration.check()
        self.critic = critic
        self.generator = generator
        self.latentSize = latentSize
        self.configuration = configuration
        penalizedPass =
            configuration.regularizer.weight == 0
            ? nil : try auditCritic(critic, allowsSampleMixing: configuration.allowsSampleMixing)
        for (network, name) in [(critic, "critic"), (generator, "generator")] {
            _ = try PlacedLayer(network, network: name).all()
        }
        criticStepMethod = try configuration.criticStep.resolved(for: critic)
        self.batches = batches
        classCount = ((critic as? any ConditionalLayer) ?? (generator as? any ConditionalLayer))?.classCount
        if classCount != nil, batches.labels(ofBatch: 0) == nil {
            throw TensorError("training", "the networks are told the class of each sample, but the data have no labels")
        }
        criticOptimizer = try (configuration.criticOptimizer ?? configuration.optimizer).makeOptimizer(
            critic.parameters, stepCount: configuration.iterations * configuration.criticSteps)
        generatorOptimizer = try (configuration.generatorOptimizer ?? configuration.optimizer).makeOptimizer(
            generator.parameters, stepCount: configuration.iterations)
        average = try configuration.averageDecay.map { try ExponentialMovingAverage(of: generator.parameters, decay: $0) }
    }

    /// One iteration: the critic steps, then the generator step. Layers see it as training (see `withTraining`).
    public func runIteration() throws -> IterationMetrics {
        let stream = RandomStream.layers.rawValue << 32 | UInt64(iteration)
        return try withPrecision(configuration.precision ?? Kernels.precision()) {
            try withTraining(random: Random(seed: configuration.seed, stream: stream)) { try steps() }
        }
    }

    /// Where the training stands. Iterations that follow do not change this value.
    public var state: TrainingState {
        TrainingState(
            iteration: iteration, criticOptimizer: criticOptimizer.state, generatorOptimizer: generatorOptimizer.state,
            averages: average?.averages, batchCount: batchCount)
    }

    /// Goes on from where a training of the same configuration and data stood: what follows has the same bits, on the same
    /// backend. The networks' parameters and state are to be restored beside it.
    ///
    /// - Throws: `TensorError` if the state is that of another configuration. The training is then not to be used.
    public func restore(_ state: TrainingState) throws {
        guard (state.averages == nil) == (average == nil), state.iteration >= 0, state.batchCount >= 0 else {
            throw TensorError("training", "a state \(state.averages == nil ? "without" : "with") a moving average")
        }
        try criticOptimizer.restore(state.criticOptimizer)
        try generatorOptimizer.restore(state.generatorOptimizer)
        if let averages = state.averages { try average?.restore(averages) }
        batchCount = state.batchCount
        iteration = state.iteration
    }

    /// The critic's loss, without penalty, on real samples that it is not trained on and as many generated ones. Where it
    /// parts from that of the training samples the critic knows those by heart (Gulrajani et al. 2017, section 5).
    ///
    /// Nothing is trained, and no random number of the training is used up: with it or without it a run is the same.
    ///
    /// - Parameters:
    ///   - real: [n, …].
    ///   - labels: their classes, for networks that are told them.
    public func criticLoss(onHeldOut real: Tensor, labels: [Int]? = nil) throws -> Double {
        let stream = RandomStream.heldOut.rawValue << 32 | UInt64(iteration)
        var random = Random(seed: configuration.seed, stream: stream)
        return try withoutGradient {
            let classes = try oneHot(labels)
            let fake = try generator.output(random.normal([real.shape.first ?? 0, latentSize]), classes: classes)
            try requireSamples(real, fake, for: "held-out loss")
            return try configuration.loss.loss.critic(
                real: critic.output(real, classes: classes), fake: critic.output(fake, classes: classes)
            ).item()
        }
    }

    private func steps() throws -> IterationMetrics {
        var random = Random(seed: configuration.seed, stream: RandomStream.training.rawValue << 32 | UInt64(iteration))
        var metrics = IterationMetrics()
        for _ in 0..<configuration.criticSteps { metrics = try criticStep(using: &random) }
        metrics.generatorLoss = try generatorStep(using: &random)
        try average?.update()
        iteration += 1
        metrics.iteration = iteration
        return metrics
    }

    private func nextBatch() throws -> Tensor {
        defer { batchCount += 1 }
        return try batches.batch(batchCount)
    }

    /// Of the samples that come next: generated ones are of the same, so that classes come as often as in the data.
    private func nextClasses(_ count: Int) throws -> Tensor? {
        guard classCount != nil else { return nil }
        var labels: [Int] = []
        var number = batchCount
        while labels.count < count, let more = batches.labels(ofBatch: number) {
            labels += more
            number += 1
        }
        return try oneHot(Array(labels.prefix(count)))
    }

    private func oneHot(_ labels: [Int]?) throws -> Tensor? {
        guard let classCount, let labels else { return nil }
        return try Tensor.oneHot(labels, count: classCount)
    }

    private func criticStep(using random: inout Random) throws -> IterationMetrics {
        let classes = try nextClasses(configuration.batchSize)
        let real = try nextBatch()
        let noise = try random.normal([configuration.batchSize, latentSize])
        let fake = try withoutGradient { try generator.output(noise, classes: classes) }
        let (regularizer, weight) = (configuration.regularizer.regularizer, configuration.regularizer.weight)
        let points = try regularizer.points(real: real, fake: fake, using: &random)
        let step = try CriticGradients(
            critic, real: real, fake: fake, points: points, classes: classes, loss: configuration.loss.loss,
            regularizer: regularizer, penaltyWeight: weight, method: criticStepMethod, pass: penalizedPass)
        try criticOptimizer.update(with: step.gradients)

        var metrics = IterationMetrics()
        metrics.criticLoss = step.loss
        metrics.wassersteinEstimate = try (step.scores.real.mean() - step.scores.fake.mean()).item()
        metrics.penalty = try step.penalty.value.item()
        metrics.meanGradientNorm = try step.penalty.norms.mean().item()
        metrics.largestGradientNorm = try step.penalty.norms.maximum()
        return metrics
    }

    /// No gradient of the critic's own parameters is computed here.
    private func generatorStep(using random: inout Random) throws -> Double {
        let count = configuration.generatorBatchSize ?? configuration.batchSize
        let noise = try random.normal([count, latentSize])
        let classes = try nextClasses(count)
        let loss = try configuration.loss.loss.generator(
            fake: critic.output(generator.output(noise, classes: classes), classes: classes),
            real: {
                guard count == configuration.batchSize else {
                    throw TensorError(
                        "\(configuration.loss.name) loss",
                        "compares each generated sample with a real one, \(count) with \(configuration.batchSize); expected no "
                            + "generator_batch_size")
                }
                let real = try nextBatch()
                return try withoutGradient { try critic.output(real, classes: classes) }
            })
        try generatorOptimizer.minimize(loss)
        return try loss.item()
    }
}

/// What a run's seed is used for, so that no two uses share their numbers.
public enum RandomStream: UInt64, Sendable {
    case initialization = 1
    case training = 2
    case dataOrder = 3
    case samples = 4
    /// What layers draw while they are trained, such as dropout's masks.
    case layers = 5
    /// Noise for the critic's loss on held-out samples.
    case heldOut = 6
    /// Which pictures of a batch are mirrored.
    case flips = 7
    /// What is added to whole numbers of the data.
    case dequantization = 8
}
