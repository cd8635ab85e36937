import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

/// A training run and its folder: `config.json`, `metrics.jsonl`, `checkpoints/*.safetensors`, and a folder `samples` for pictures.
///
/// Pictures are drawn by whoever wants them, see `onSnapshot`. Use it inside `Kernels.run { … }`.
public final class Run {
    /// What it was made of, with the critic's step that was chosen.
    public let configuration: RunConfiguration
    /// Its path.
    public let folder: String
    /// Whose networks the run trains.
    public let trainer: Trainer
    /// The path of the last checkpoint written.
    public private(set) var lastCheckpoint: String?
    /// What else is done with a snapshot when its checkpoint is on the disk. `KantoPictures` draws it:
    ///
    ///     run.onSnapshot = { try $0.drawPictures() }
    public var onSnapshot: ((Snapshot) throws -> Void)?
    private let log: MetricsLog
    private var history: [IterationMetrics] = []
    private var divergence: DivergenceTest
    /// The same noise for every snapshot, so that one sees how the samples change.
    private let noise: Tensor

    /// How many samples a snapshot shows.
    public static let sampleCount = 64

    /// What a run shows of itself at some iteration.
    public struct Snapshot {
        /// `iteration-000500`, `final` or `interrupted`.
        public let name: String
        /// The run's.
        public let folder: String
        /// The run's.
        public let configuration: RunConfiguration
        /// [`sampleCount`, height, width, channels], or [`sampleCount`, features]: of the averaged weights if the run keeps an average.
        public let samples: Tensor
        /// What every iteration so far has measured.
        public let history: [IterationMetrics]
    }

    /// Makes a new run and its folder.
    ///
    /// - Throws: `DataError.cannotWrite` if the folder cannot be written or holds anything already; `DataError.badInput` or
    ///   `.missingInput` for the preset's name or the data.
    public convenience init(_ configuration: RunConfiguration, folder: String) throws {
        try self.init(configuration) { folder }
    }

    /// Makes a new run in a folder that is chosen last: nothing is left of a run that cannot begin.
    ///
    /// - Parameter chooseFolder: gives the folder's path; called once, when configuration and data are known to be right.
    /// - Throws: as the initializer that takes a folder does, and what `chooseFolder` throws.
    public init(_ configuration: RunConfiguration, chooseFolder: () throws -> String) throws {
        let images = try configuration.data.map { try ImageSet(idxAt: $0) } ?? ImageSet.digits()
        let shape = [images.height, images.width, images.channels]
        guard shape == configuration.networks.sampleShape else {
            throw DataError(
                .badInput, "\(configuration.data ?? "the data"): images of \(shape[0])x\(shape[1]) with \(shape[2]) channels; the networks "
                    + "want \(configuration.networks.sampleShape[0])x\(configuration.networks.sampleShape[1]) with \(configuration.networks.sampleShape[2])")
        }
        guard images.count >= configuration.training.batchSize else {
            throw DataError(.badInput, "\(images.count) images do not fill a batch of \(configuration.training.batchSize)")
        }

        let networks = try configuration.networks.makeNetworks(seed: configuration.training.seed)
        trainer = try Trainer(
            critic: networks.critic, generator: networks.generator, latentSize: networks.latentSize,
            data: Tensor(images.pixels, shape: [images.count] + shape), configuration: configuration.training)
        divergence = DivergenceTest(penaltyWeight: configuration.training.regularizer.weight)
        noise = try sampleNoise(count: Self.sampleCount, latentSize: networks.latentSize, seed: configuration.training.seed)
        var configuration = configuration
        configuration.training.criticStep = trainer.criticStepMethod
        self.configuration = configuration

        folder = try chooseFolder()
        try claimDirectory(folder, by: "samples")
        try createDirectories(folder + "/checkpoints")
        try configuration.write(to: folder + "/config.json")
        log = try MetricsLog(appendingTo: folder + "/metrics.jsonl")
    }

    /// One iteration, logged. At each sample interval a snapshot is written.
    ///
    /// - Throws: `TrainingFailure` if what was measured is not finite or the training diverges: no further iteration makes it
    ///   good. What was written before stands.
    public func step() throws -> IterationMetrics {
        let metrics = try trainer.runIteration()
        history.append(metrics)
        try log.append([
            "iteration": .integer(metrics.iteration), "critic_loss": .double(metrics.criticLoss),
            "wasserstein_estimate": .double(metrics.wassersteinEstimate), "penalty": .double(metrics.penalty),
            "gradient_norm_mean": .double(metrics.meanGradientNorm), "gradient_norm_max": .double(metrics.largestGradientNorm),
            "generator_loss": .double(metrics.generatorLoss),
        ])
        if let quantity = metrics.firstNonFinite { throw failure("the \(quantity) is not a finite number") }
        if let reason = divergence.reason(after: metrics) { throw failure(reason) }
        if metrics.iteration % configuration.sampleInterval == 0 {
            try writeSnapshot("iteration-" + padded(metrics.iteration))
        }
        return metrics
    }

    private func failure(_ reason: String) -> TrainingFailure {
        TrainingFailure(iteration: trainer.iteration, reason: reason, lastCheckpoint: lastCheckpoint)
    }

    /// Writes a checkpoint under a name, and then lets `onSnapshot` draw what can be drawn again.
    ///
    /// - Throws: `DataError.cannotWrite`; `TrainingFailure` if a weight is not a finite number: then nothing is written; what
    ///   `onSnapshot` throws.
    public func writeSnapshot(_ name: String) throws {
        let networks: KeyValuePairs<String, any Layer> = ["critic": trainer.critic, "generator": trainer.generator]
        if let path = try Checkpoint.firstNonFinite(in: networks) {
            throw failure("\(path) holds a value that is not a finite number")
        }
        try log.sync()
        var arrays = try Checkpoint.arrays(of: networks)
        if let average = trainer.average {
            try average.applied {
                arrays.merge(try Checkpoint.arrays(of: [TrainedGenerator.averageName: trainer.generator])) { $1 }
            }
        }
        let path = "\(folder)/checkpoints/\(name).safetensors"
        try SafetensorsFile.write(
            arrays,
            metadata: [
                TrainedGenerator.networksKey: configuration.networks.descriptionValue.json,
                "iteration": "\(trainer.iteration)", "seed": "\(configuration.training.seed)",
            ], to: path)
        lastCheckpoint = path

        guard let onSnapshot else { return }
        func draw() throws -> Tensor { try withoutGradient { try trainer.generator(noise) } }
        let samples = try trainer.average.map { try $0.applied(draw) } ?? draw()
        try onSnapshot(
            Snapshot(name: name, folder: folder, configuration: configuration, samples: samples, history: history))
    }
}

private func padded(_ iteration: Int) -> String {
    let digits = "\(iteration)"
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
}
