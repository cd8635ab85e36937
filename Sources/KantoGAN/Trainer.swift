import KantoCommunication
import KantoKernels
import KantoNN
import KantoTensor

/// The alternating loop of WGAN-GP: a number of critic steps, each on fresh data and fresh noise, then a generator step.
///
/// Several processes, the ranks of a communicator, can share a training: the configuration's batch is that of all of them, each
/// computes its rows, and what is random is the same numbers on any number of ranks. Every rank makes the same trainer, and does
/// the same with it.
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
    /// With whom the training is shared; nil for a process alone.
    public let communicator: Communicator?
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
        configuration: TrainingConfiguration, communicator: Communicator? = nil
    ) throws {
        try configuration.check()
        try self.init(
            critic: critic, generator: generator, latentSize: latentSize,
            batches: BatchSampler(data, labels: labels, batchSize: configuration.batchSize, seed: configuration.seed),
            configuration: configuration, communicator: communicator)
    }

    /// - Parameters:
    ///   - batches: of real samples, of the configuration's batch size.
    ///   - communicator: of the ranks that share the training; nil for a process alone.
    /// - Throws: `TensorError` if a number of the configuration makes no sense, networks are told classes that the batches do not
    ///   have, the critic mixes samples under a penalty, a layer stores parameters that it does not list, or four passes are demanded of a critic that does not allow them.
    public init(
        critic: any Layer, generator: any Layer, latentSize: Int, batches: any SampleBatches,
        configuration: TrainingConfiguration, communicator: Communicator? = nil
    ) throws {
        try configuration.check()
        self.communicator = communicator.flatMap { $0.rankCount > 1 ? $0 : nil }
        for count in [configuration.batchSize, configuration.generatorBatchSize ?? configuration.batchSize] {
            guard count >= communicator?.rankCount ?? 1 else {
                throw TensorError(
                    "training", "a batch of \(count) for \(communicator!.rankCount) ranks: expected at least a sample for each")
            }
        }
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
        return try withRanks(of: communicator) {
            try withTraining(random: Random(seed: configuration.seed, stream: stream)) { try steps() }
        }
    }

    /// How a batch of so many rows is shared out; nil for a process alone.
    private func shared(_ count: Int) -> SharedBatch? {
        communicator.map { SharedBatch(communicator: $0, share: RowShare(of: count, rank: $0.rank, rankCount: $0.rankCount)) }
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
    /// They go through the networks in batches of the training's size, so that it takes no more memory than training does. Of
    /// samples of the training it gives the loss against the same generated ones as of held-out samples after the same iteration.
    ///
    /// - Parameters:
    ///   - real: [n, …].
    ///   - labels: their classes, for networks that are told them.
    public func criticLoss(onHeldOut real: Tensor, labels: [Int]? = nil) throws -> Double {
        let stream = RandomStream.heldOut.rawValue << 32 | UInt64(iteration)
        var random = Random(seed: configuration.seed, stream: stream)
        let count = real.shape.first ?? 0
        try requireSamples(real, real, for: "held-out loss")
        return try withoutGradient {
            var sum = 0.0
            for start in stride(from: 0, to: count, by: configuration.batchSize) {
                let rows = start..<min(start + configuration.batchSize, count)
                let classes = try oneHot(labels.map { Array($0[rows]) })
                let batch = try real.sliced(rows)
                let fake = try generated(from: random.normal([rows.count, latentSize]), classes: classes)
                try requireSamples(batch, fake, for: "held-out loss")
                let loss = try configuration.loss.loss.critic(
                    real: scores(of: batch, classes: classes), fake: scores(of: fake, classes: classes))
                sum += try loss.item() * Double(rows.count)
            }
            return sum / Double(count)
        }
    }

    /// The norm of the critic's input gradient at each point, as the penalty measures it. Nothing is trained.
    ///
    /// - Parameters:
    ///   - points: [n, …].
    ///   - labels: their classes, for networks that are told them.
    package func gradientNorms(at points: Tensor, labels: [Int]? = nil) throws -> [Double] {
        let count = points.shape.first ?? 0
        return try stride(from: 0, to: count, by: configuration.batchSize).flatMap { start in
            let rows = start..<min(start + configuration.batchSize, count)
            let classes = try oneHot(labels.map { Array($0[rows]) })
            let batch = try points.sliced(rows).tracked()
            let slope = try gradient(of: scores(of: batch, classes: classes), withRespectTo: batch, isDifferentiable: false)
            return try slope.sampleNorm().doubles
        }
    }

    /// Samples of noise as a user sees them: of the averaged weights, if the training keeps an average.
    ///
    /// - Parameters:
    ///   - noise: [n, latentSize].
    ///   - classes: of the samples, [n, classes], for networks that are told them.
    public func samples(from noise: Tensor, classes: Tensor? = nil) throws -> Tensor {
        func draw() throws -> Tensor { try withoutGradient { try generated(from: noise, classes: classes) } }
        return try average.map { try $0.applied(draw) } ?? draw()
    }

    /// - Parameter labels: of the samples, for networks that are told them.
    package func samples(from noise: Tensor, labels: [Int]?) throws -> Tensor {
        try samples(from: noise, classes: oneHot(labels))
    }

    /// The generator's output, in its precision, whose gradients are computed in the same.
    private func generated(from noise: Tensor, classes: Tensor?) throws -> Tensor {
        try inPrecision(configuration.generatorPrecision) { try generator.output(noise, classes: classes) }
    }

    /// The critic's output, in its precision, whose gradients are computed in the same.
    private func scores(of samples: Tensor, classes: Tensor?) throws -> Tensor {
        try inPrecision(configuration.criticPrecision) { try critic.output(samples, classes: classes) }
    }

    private func inPrecision<R>(_ precision: Precision?, _ body: () throws -> R) throws -> R {
        try withPrecision(precision ?? configuration.precision ?? Kernels.precision(), body)
    }

    private func steps() throws -> IterationMetrics {
        var random = Random(seed: configuration.seed, stream: RandomStream.training.rawValue << 32 | UInt64(iteration))
        var measurement = CriticMeasurement()
        for _ in 0..<configuration.criticSteps { try measurement.add(criticStep(using: &random)) }
        var metrics = measurement.metrics
        metrics.generatorLoss = try generatorStep(using: &random)
        try average?.update()
        iteration += 1
        metrics.iteration = iteration
        return metrics
    }

    /// This rank's rows.
    private func nextBatch() throws -> Tensor {
        defer { batchCount += 1 }
        guard let share = shared(configuration.batchSize)?.share else { return try batches.batch(batchCount) }
        return try batches.batch(batchCount, rows: share.own)
    }

    /// The sums over all ranks.
    private func summed(_ gradients: [Tensor]) throws -> [Tensor] {
        try communicator.map { try Tensor.allReduced(gradients, by: $0) } ?? gradients
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
        let rows = shared(count)?.share.own ?? 0..<min(count, labels.count)
        return try oneHot(Array(labels.prefix(count)[rows]))
    }

    private func oneHot(_ labels: [Int]?) throws -> Tensor? {
        guard let classCount, let labels else { return nil }
        return try Tensor.oneHot(labels, count: classCount)
    }

    private func criticStep(using random: inout Random) throws -> CriticGradients {
        let shared = shared(configuration.batchSize)
        random.share = shared?.share
        drawRows(of: shared?.share)
        let classes = try nextClasses(configuration.batchSize)
        let real = try nextBatch()
        let noise = try random.normal([real.shape[0], latentSize])
        let fake = try withoutGradient { try generated(from: noise, classes: classes) }
        let (regularizer, weight) = (configuration.regularizer.regularizer, configuration.regularizer.weight)
        let points = try regularizer.points(real: real, fake: fake, using: &random)
        let step = try inPrecision(configuration.criticPrecision) {
            try CriticGradients(
                critic, real: real, fake: fake, points: points, classes: classes, loss: configuration.loss.loss,
                regularizer: regularizer, penaltyWeight: weight, method: criticStepMethod, pass: penalizedPass,
                shared: shared)
        }
        try criticOptimizer.update(with: summed(step.gradients))
        return step
    }

    /// No gradient of the critic's own parameters is computed here.
    private func generatorStep(using random: inout Random) throws -> Double {
        let count = configuration.generatorBatchSize ?? configuration.batchSize
        let shared = shared(count)
        random.share = shared?.share
        drawRows(of: shared?.share)
        let noise = try random.normal([shared?.share.own.count ?? count, latentSize])
        let classes = try nextClasses(count)
        let ofGenerated = try scores(of: generated(from: noise, classes: classes), classes: classes)
        let loss = try configuration.loss.loss.generator(
            fake: shared.whole(ofGenerated),
            real: {
                guard count == configuration.batchSize else {
                    throw TensorError(
                        "\(configuration.loss.name) loss",
                        "compares each generated sample with a real one, \(count) with \(configuration.batchSize); expected no "
                            + "generator_batch_size")
                }
                let real = try nextBatch()
                return try shared.whole(withoutGradient { try scores(of: real, classes: classes) })
            })
        let slopes = try gradients(
            of: loss, withRespectTo: generatorOptimizer.parameters.map(\.value), isDifferentiable: false)
        try generatorOptimizer.update(with: summed(slopes))
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
    /// Which samples an evaluation looks at, and what it draws itself.
    case evaluation = 16
}
