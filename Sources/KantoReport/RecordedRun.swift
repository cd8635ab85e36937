import Glibc
import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoPictures
import KantoRuns
import KantoTensor

/// A run as its folder records it, for a report. A run that goes on is read again by `update()`, which takes in what is new.
public final class RecordedRun {
    /// Its path.
    public let folder: String
    private(set) var configuration: RunConfiguration
    private(set) var history: [IterationMetrics] = []
    private(set) var film = SampleFilm()
    private(set) var state = State.interrupted
    /// When its log was last written to.
    private(set) var lastWritten: time_t?
    private var hasRealSamples = false
    /// Nil where the data cannot be read; `dataFault` then says why.
    private(set) var real: RealSamples?
    private(set) var dataFault: String?
    /// Pictures of `real`; nil of other samples.
    private(set) var realTiles: SampleTiles?
    private(set) var neighbors: NearestNeighbors?

    /// Whether more is to come.
    enum State: Sendable {
        case running
        case finished
        /// It was ended before its last iteration.
        case interrupted
    }

    /// - Throws: `DataError` if the folder holds no run, or its configuration or its log cannot be read.
    public init(folder: String) throws {
        self.folder = folder
        configuration = try RunConfiguration(contentsOf: folder + "/config.json")
        try update()
    }

    /// - Parameter configuration: of a run that is being trained, which has just begun.
    init(training folder: String, _ configuration: RunConfiguration) {
        (self.folder, self.configuration) = (folder, configuration)
    }

    /// Reads the folder again.
    ///
    /// - Throws: as the initializer does.
    public func update() throws {
        configuration = try RunConfiguration(contentsOf: folder + "/config.json")
        let history = try LoggedMetrics(ofRun: folder).history
        let isComplete = history.count >= configuration.training.iterations || Run.isEnded(folder, after: history.count)
        try update(history, state: isComplete ? .finished : Run.isTraining(folder) ? .running : .interrupted)
        if film.latestView == nil { try? viewCheckpoint() }
    }

    /// Looks at the critic of the newest checkpoint, for a run of an earlier version, which kept nothing of it.
    private func viewCheckpoint() throws {
        guard let real, configuration.networks.conditioning == nil,
            let trained = try Run.trainedNetworks(ofRun: folder), trained.iteration <= history.last?.iteration ?? 0
        else { return }
        let count = configuration.networks.sampleShape.count == 3 ? 64 : 1024
        let samples = try trained.generator.samples(count, seed: configuration.training.seed)
        let data = real.samples(count)
        let view = try CriticView(
            samples: samples, real: Tensor(data, shape: [data.count / real.sampleSize] + real.sampleShape),
            critic: trained.critic, iteration: trained.iteration)
        try film.add(view)
    }

    func update(_ history: [IterationMetrics], state: State) throws {
        (self.history, self.state) = (history, state)
        lastWritten = Self.time(ofFile: folder + "/metrics.jsonl")
        film.update(folder: folder, configuration, last: history.last?.iteration ?? 0)
        if !hasRealSamples { try readRealSamples() }
    }

    private func readRealSamples() throws {
        hasRealSamples = true
        do { real = try RealSamples(configuration) } catch let error as DataError { dataFault = error.description }
        guard let real, real.sampleShape.count == 3, [1, 3].contains(real.sampleShape[2]) else { return }
        let (height, width, channels) = (real.sampleShape[0], real.sampleShape[1], real.sampleShape[2])
        let tiles = SampleTiles(
            real.values, height: height, width: width, channels: channels, brightness: real.units.brightness)
        realTiles = tiles
        neighbors = try NearestNeighbors(tiles)
    }

    private static func time(ofFile path: String) -> time_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : nil
    }

    /// The last part of the path.
    var name: String {
        let part = folder.split(separator: "/").last.map(String.init) ?? folder
        guard part == "." || part == "..", let path = try? absolutePath(folder) else { return part }
        return path.split(separator: "/").last.map(String.init) ?? path
    }

    /// `WGAN-GP on 8x8 pictures`, or of what else it is made.
    var summary: String {
        let shape = configuration.networks.sampleShape
        let what =
            shape.count == 3
            ? "\(shape[0])x\(shape[1]) pictures\(shape[2] == 3 ? " in color" : "")"
            : shape == [2] ? "points of a plane" : "rows of \(shape.first ?? 0) numbers"
        let name = configuration.preset.map { "\($0): " } ?? ""
        let kinds = "\(configuration.training.loss.name), \(configuration.training.regularizer.name)"
        return "\(name)\(kinds == "wasserstein, two-sided" ? "WGAN-GP" : "GAN (\(kinds))") on \(what)"
    }

    var verdict: Verdict { Verdict(history, Verdict.Context(configuration.training)) }

    /// Billions of floating-point operations of a forward pass of the critic for one sample.
    var forwardWork: Double? {
        guard let problems = try? configuration.networks.critic.forwardProblems(batchSize: 1) else { return nil }
        return problems.reduce(0) { $0 + $1.floatingPointOperations } / 1e9
    }
}
