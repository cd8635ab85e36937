import KantoCommunication
import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

/// A training run and its folder: `config.json`, `metrics.jsonl`, `checkpoints/*.safetensors`, and a folder `samples` for pictures.
///
/// A run that was ended, or killed, goes on from its last checkpoint with the same bits as if it had not been: see
/// `init(resuming:)`. Where a launcher has started several ranks of the program they share the run: each makes it in the same way
/// and takes the same steps; the first alone writes its folder. Pictures are drawn by whoever wants them, see `onSnapshot`. Use it inside `Kernels.run { … }`.
public final class Run {
    /// What it was made of, with the critic's step that was chosen.
    public let configuration: RunConfiguration
    /// Its path.
    public let folder: String
    /// Whose networks the run trains.
    public let trainer: Trainer
    /// Whether it has had all of its iterations, or is to be ended before by its `stopWhen`.
    public private(set) var isDone = false
    /// The path of the last checkpoint written.
    public private(set) var lastCheckpoint: String?
    /// What else is done with a snapshot when its checkpoint is on the disk. `KantoPictures` draws it:
    ///
    ///     run.onSnapshot = { try $0.drawPictures() }
    public var onSnapshot: ((Snapshot) throws -> Void)?
    /// Of the ranks that share the run; nil for a process alone.
    public var communicator: Communicator? { trainer.communicator }
    /// Whether this process writes the folder: the only one, or the first rank.
    public var isFirst: Bool { communicator?.isFirst ?? true }
    /// The checkpoint that the first rank writes now, on the others.
    private var checkpointUnderWay: String?
    /// nil where another rank writes.
    private let log: MetricsLog?
    private let lock: RunLock?
    /// On the monotonic clock, less what earlier processes of the run took.
    private let start: Double
    /// What every iteration so far has measured.
    public private(set) var history: [IterationMetrics] = []
    private var divergence: DivergenceTest
    private var best: BestCheckpoint
    /// The same noise for every snapshot, so that one sees how the samples change.
    private let noise: Tensor
    /// Its classes, where the networks are told them.
    private let noiseClasses: Tensor?
    private let real: Tensor
    private let units: SampleUnits
    private let measurements: IntervalMeasurements

    /// What a run shows of itself at some iteration.
    public struct Snapshot {
        /// Pictures in a row of their grid, all of one class where there are classes.
        public static let columnCount = 8
        /// The name of the last one of a run that has done all of its iterations.
        public static let final = "final"
        /// The name of the last one of a run that was ended before.
        public static let interrupted = "interrupted"
        /// `iteration-000500`, `final` or `interrupted`.
        public let name: String
        /// The run's.
        public let folder: String
        /// The run's.
        public let configuration: RunConfiguration
        /// [64, height, width, channels], or [1024, features]: of the averaged weights if the run keeps an average. Of networks that
        /// are told classes, eight pictures of each, or rows of all in turn.
        public let samples: Tensor
        /// As many of the data, the same ones each time.
        public let real: Tensor
        /// What the numbers of both mean in the data's own units.
        public let units: SampleUnits
        /// Whose scores the samples have; not to be changed.
        public let critic: any Layer
        /// What every iteration so far has measured.
        public let history: [IterationMetrics]
    }

    /// Makes a new run and its folder.
    ///
    /// - Throws: `DataError.cannotWrite` if the folder cannot be written or holds anything already; `DataError.badInput` or
    ///   `.missingInput` for the preset's name or the data.
    public convenience init(_ configuration: RunConfiguration, folder: String) throws {
        try self.init(configuration, chooseFolder: { folder })
    }

    /// Makes a new run in a folder that is chosen last: nothing is left of a run that cannot begin.
    ///
    /// - Parameters:
    ///   - note: is told what the user should know of the data, such as a range that looks wrong.
    ///   - chooseFolder: gives the folder's path; called once, when configuration and data are known to be right.
    /// - Throws: as the initializer that takes a folder does, and what `chooseFolder` throws.
    public init(
        _ configuration: RunConfiguration, note: (String) -> Void = { _ in }, chooseFolder: () throws -> String
    ) throws {
        var configuration = configuration
        configuration.data.path = Datasets.location(configuration.data.path)
        if case .path(let path)? = configuration.data.heldOut { configuration.data.heldOut = .path(Datasets.location(path)) }
        let communicator = try Communicator.ofProcess()
        (trainer, real, units, measurements) = try Self.makeTrainer(&configuration, communicator, note: note)
        divergence = DivergenceTest(configuration.training.regularizer)
        best = BestCheckpoint(interval: configuration.sampleInterval, by: configuration.bestMeasure)
        (noise, noiseClasses) = try Self.noise(configuration)
        configuration.training.criticStep = trainer.criticStepMethod
        self.configuration = configuration

        guard trainer.communicator?.isFirst ?? true else {
            folder = try Self.folder("", by: trainer.communicator)
            (lock, log) = (nil, nil)
            start = monotonicSeconds()
            try checkRanks()
            return
        }
        folder = try chooseFolder()
        try claimDirectory(folder, by: "samples")
        lock = try RunLock(folder: folder)
        try createDirectories(folder + "/checkpoints")
        try configuration.write(to: folder + "/config.json")
        log = try MetricsLog(appendingTo: LoggedMetrics.path(ofRun: folder))
        start = monotonicSeconds()
        _ = try Self.folder(folder, by: trainer.communicator)
        try checkRanks()
    }

    /// Takes a run up where its last checkpoint stands; at its beginning if it was killed before it wrote one. What it logged
    /// after that is cut off, and computed again.
    ///
    /// On the same backend and instruction set, and but for `simd` on as many threads, all that follows has the same bits as if
    /// the run had not been ended. A run that was ended after its last iteration, before the checkpoint `final` was written, has
    /// no iteration left, only that checkpoint.
    ///
    /// - Parameters:
    ///   - folder: of a run of `kanto train`, or of this class.
    ///   - iterations: how many the run is to have in all; nil for those of its configuration. The learning rate's schedule
    ///     follows.
    ///   - stopWhen: when it is to end before them; nil for what its configuration says.
    ///   - note: is told what the user should know: a checkpoint that is damaged and passed over, another machine.
    /// - Throws: `DataError` if the folder holds no run, or no checkpoint is whole, or another process has it, or it is
    ///   done.
    public init(
        resuming folder: String, iterations: Int? = nil, stopWhen: StopCondition? = nil, note: (String) -> Void = { _ in }
    ) throws {
        var configuration = try RunConfiguration(contentsOf: folder + "/config.json")
        if let iterations { configuration.training.iterations = iterations }
        if let stopWhen { configuration.stopWhen = stopWhen }
        let communicator = try Communicator.ofProcess()
        lock = communicator?.isFirst ?? true ? try RunLock(folder: folder) : nil
        (trainer, real, units, measurements) = try Self.makeTrainer(&configuration, communicator, note: note)
        (noise, noiseClasses) = try Self.noise(configuration)
        lastCheckpoint = try Self.restore(trainer, from: folder, note: note)
        let iterationsLeft = configuration.training.iterations - trainer.iteration
        // Ended between its last iteration and its last checkpoint, a run has that one left to write.
        let lacksFinal = lastCheckpoint != TrainedGenerator.path(ofCheckpoint: Snapshot.final, ofRun: folder)
        guard iterationsLeft > 0 || iterationsLeft == 0 && lacksFinal else {
            throw DataError(
                .badInput,
                "\(folder): the run has done all of its \(configuration.training.iterations) iterations; ask for more of them "
                    + "to go on: --iterations \(2 * trainer.iteration)")
        }
        if let machine = configuration.machine, let change = try machine.change() { note(change) }
        // When all have read what is there.
        try communicator?.barrier()
        let isFirst = communicator?.isFirst ?? true
        if isFirst, iterations != nil || stopWhen != nil { try configuration.write(to: folder + "/config.json") }
        self.configuration = configuration
        self.folder = folder
        guard isFirst else {
            divergence = DivergenceTest(configuration.training.regularizer)
            best = BestCheckpoint(interval: configuration.sampleInterval, by: configuration.bestMeasure)
            (log, start) = (nil, monotonicSeconds())
            try checkRanks()
            isDone = try agreed(false)
            return
        }

        history = try LoggedMetrics(ofRun: folder, cuttingAfter: trainer.iteration).history
        divergence = DivergenceTest(configuration.training.regularizer)
        best = BestCheckpoint(interval: configuration.sampleInterval, by: configuration.bestMeasure)
        for metrics in history {
            _ = divergence.reason(after: metrics)
            _ = best.isDue(after: metrics)
        }
        log = try MetricsLog(appendingTo: LoggedMetrics.path(ofRun: folder))
        start = monotonicSeconds() - (history.last?.seconds ?? 0)
        // Ended between the iteration that stopped it and its last checkpoint, a run has that one left to write.
        let isAtInterval = trainer.iteration > 0 && trainer.iteration % configuration.sampleInterval == 0
        try checkRanks()
        isDone = try agreed(iterationsLeft == 0 || lacksFinal && isAtInterval && isStopMet)
    }

    /// Restores from the checkpoint of the highest iteration that is whole, and returns its path; nil if none was written.
    private static func restore(_ trainer: Trainer, from folder: String, note: (String) -> Void) throws -> String? {
        var fault: DataError?
        for name in TrainedGenerator.checkpoints(ofRun: folder) {
            let path = TrainedGenerator.path(ofCheckpoint: name, ofRun: folder)
            do {
                try Checkpoint.restore(trainer, from: SafetensorsFile(contentsOf: path))
                if let fault { note("\(fault); going on from \(path), after iteration \(trainer.iteration)") }
                return path
            } catch let error as DataError {
                fault = fault ?? error
            }
        }
        if let fault { throw fault }
        return nil
    }

    /// One iteration, logged. At each sample interval a snapshot is written.
    ///
    /// - Throws: `TrainingFailure` if what was measured is not finite or the training diverges: no further iteration makes it
    ///   good. What was written before stands.
    public func step() throws -> IterationMetrics {
        let rates = (critic: trainer.criticOptimizer.currentRate, generator: trainer.generatorOptimizer.currentRate)
        var metrics = try trainer.runIteration()
        guard isFirst else { return try followed(metrics) }
        let isSampled = metrics.iteration % configuration.sampleInterval == 0
        if isSampled { try measurements.measure(trainer, into: &metrics) }
        metrics.seconds = ((monotonicSeconds() - start) * 1000).rounded() / 1000
        history.append(metrics)
        try log?.append(metrics.line(rates: rates))
        if let quantity = metrics.firstNonFinite { throw failure("the \(quantity) is not a finite number") }
        if let reason = divergence.reason(after: metrics) { throw failure(reason) }
        let isBest = best.isDue(after: metrics)
        isDone = trainer.iteration >= configuration.training.iterations
        if isSampled {
            isDone = try agreed(isDone || isStopMet)
            try checkRanks()
            let name = Self.name(ofIteration: metrics.iteration)
            try writeCheckpoints([name] + (isBest ? [BestCheckpoint.name] : []))
            try show(name)
            removeOldCheckpoints()
        } else if Self.earlyIterations.contains(metrics.iteration) {
            try show(Self.name(ofIteration: metrics.iteration))
        }
        return metrics
    }

    /// The rest of a step on a rank that does not write.
    private func followed(_ metrics: IterationMetrics) throws -> IterationMetrics {
        // The first rank has written it: it has come to this iteration.
        if let name = checkpointUnderWay { lastCheckpoint = TrainedGenerator.path(ofCheckpoint: name, ofRun: folder) }
        checkpointUnderWay = nil
        isDone = trainer.iteration >= configuration.training.iterations
        if metrics.iteration % configuration.sampleInterval == 0 {
            isDone = try agreed(isDone)
            try checkRanks()
            checkpointUnderWay = Self.name(ofIteration: metrics.iteration)
        }
        return metrics
    }

    /// What is to be said of the run so far. On ranks but the first it knows nothing.
    public var verdict: Verdict { Verdict(history, Verdict.Context(configuration.training)) }

    private var isStopMet: Bool {
        configuration.stopWhen.isMet(by: history, Verdict.Context(configuration.training))
    }

    /// Iterations after which samples are shown although no checkpoint is due: nearly all visible change comes before the 500th.
    private static let earlyIterations: Set<Int> = [50, 100, 200, 300, 400]

    private func failure(_ reason: String) -> TrainingFailure {
        TrainingFailure(iteration: trainer.iteration, reason: reason, lastCheckpoint: lastCheckpoint)
    }

    /// Writes a checkpoint under a name, and then lets `onSnapshot` draw what can be drawn again.
    ///
    /// - Throws: `DataError.cannotWrite`; `TrainingFailure` if a weight is not a finite number: then nothing is written; what
    ///   `onSnapshot` throws.
    public func writeSnapshot(_ name: String) throws {
        try checkRanks()
        guard isFirst else { return }
        try writeCheckpoints([name])
        try show(name)
    }

    /// The same checkpoint under several names.
    private func writeCheckpoints(_ names: [String]) throws {
        let arrays = try Checkpoint.arrays(of: trainer)
        if let name = Checkpoint.firstNonFinite(in: arrays) {
            throw failure("\(name) holds a value that is not a finite number")
        }
        try log?.sync()
        var metadata = try Checkpoint.metadata(of: trainer)
        metadata[TrainedGenerator.networksKey] = configuration.networks.descriptionValue.json
        metadata[TrainedGenerator.conditioningKey] = configuration.networks.conditioning?.descriptionValue.json
        metadata[TrainedGenerator.unitsKey] = units.descriptionValue.json
        metadata["seed"] = "\(configuration.training.seed)"
        for name in names {
            let path = TrainedGenerator.path(ofCheckpoint: name, ofRun: folder)
            try SafetensorsFile.write(arrays, metadata: metadata, hasDigest: true, to: path)
            if name == names[0] { lastCheckpoint = path }
        }
    }

    private func show(_ name: String) throws {
        guard let onSnapshot else { return }
        try onSnapshot(
            Snapshot(
                name: name, folder: folder, configuration: configuration,
                samples: trainer.samples(from: noise, classes: noiseClasses), real: real, units: units,
                critic: trainer.critic, history: history))
    }

    /// Removes all but the last checkpoints of the sample intervals.
    private func removeOldCheckpoints() {
        guard let kept = configuration.keptCheckpoints else { return }
        let names = TrainedGenerator.checkpoints(ofRun: folder).filter(Self.isOfInterval)
        for name in names.dropFirst(kept) { removeFile(TrainedGenerator.path(ofCheckpoint: name, ofRun: folder)) }
    }
}
