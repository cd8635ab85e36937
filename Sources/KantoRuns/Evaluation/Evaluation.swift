import KantoData
import KantoGAN
import KantoMetrics
import KantoTensor

/// How good the samples of a run's generator are, by all metrics that fit its data and need nothing from elsewhere.
///
/// Each is measured twice: of generated samples, and of as many real ones in their place. The second is what a perfect generator
/// would reach, which makes the first mean something. The same run, data and seed give the same numbers.
public struct Evaluation: Sendable {
    /// What is asked for.
    public struct Options: Sendable {
        /// Samples of each kind; fewer where there are not so many real ones.
        public var count = 2500
        /// Of the generated samples.
        public var seed: UInt64 = 1
        /// Real samples that the run was not trained on; nil to compare with a part of the training's.
        public var heldOut: String?
        /// The name of a checkpoint; nil for the newest.
        public var checkpoint: String?

        public init() {}
    }

    /// What a good generator has more or less of.
    public enum Goal: String, Sendable, Encodable {
        case higher, lower
        /// Neither more nor less than real samples have.
        case asReal = "as real"
        /// What the regularizer aims at.
        case onTarget = "on target"
    }

    /// What a metric looks at.
    public enum Group: String, Sendable, CaseIterable, Encodable {
        case modes, values, features, classes, pictures, columns, critic, memory
    }

    /// One metric.
    public struct Measurement: Sendable {
        /// For programs: words with `_` between.
        public let name: String
        /// For people.
        public let title: String
        public let group: Group
        public let goal: Goal
        /// Of generated samples.
        public let generated: Estimate
        /// Of real samples in their place; nil where there are too few.
        public let real: Estimate?
    }

    /// The run's folder.
    public let run: String
    /// The checkpoint's name, and how many iterations it was trained for, if it says so.
    public let checkpoint: String
    public let iteration: Int?
    /// The data of the training.
    public let data: String
    /// The data that were compared with; nil for a part of the training's.
    public let heldOut: String?
    /// Samples of each kind.
    public let count: Int
    /// What told the classes and gave the features, if the data are labelled pictures.
    public internal(set) var classifier: ClassifierSummary?
    /// One metric a row.
    public internal(set) var measurements: [Measurement] = []
    /// What the reader of the numbers should know; a line each.
    public internal(set) var notes: [String] = []

    /// What the classifier knows, and what it told.
    public struct ClassifierSummary: Sendable {
        /// The share of pictures that it was not trained on of which it tells the class.
        public let accuracy: Double
        /// Whether it was trained for this evaluation.
        public let isNew: Bool
        /// The names of the classes.
        public let classes: [String]
        /// The share of each class among the generated samples, and among the real ones.
        public let generatedShares, realShares: [Double]
    }

    /// Measures a run.
    ///
    /// - Parameters:
    ///   - folder: of a run of `kanto train`.
    ///   - progress: is told what is being done, for people who wait.
    /// - Throws: `DataError` if the folder holds no run, the checkpoint or the data are missing or wrong, or the generator gives
    ///   values that are no finite numbers.
    public init(run folder: String, _ options: Options = Options(), progress: @escaping (String) -> Void = { _ in }) throws {
        let configuration = try RunConfiguration(contentsOf: folder + "/config.json")
        run = folder
        checkpoint = try TrainedGenerator.checkpoint(options.checkpoint, ofRun: folder)
        let path = TrainedGenerator.path(ofCheckpoint: checkpoint, ofRun: folder)
        let file = try SafetensorsFile(contentsOf: path)
        try file.checkDigest()
        iteration = Checkpoint.iteration(in: file.metadata)
        let trained = try TrainedGenerator(file)

        progress("reading \(configuration.data.path)")
        let real = try EvaluationData(
            configuration, heldOutPath: options.heldOut, count: options.count, classes: trained.classes)
        (data, heldOut, count) = (configuration.data.path, real.heldOut, real.count)
        notes = real.notes
        if heldOut == nil {
            notes.append(
                "compared with a part of the training's own data; --data HELD-OUT also tells whether the critic knows these by heart"
            )
        }
        progress("drawing \(count) samples")
        let labels = real.knownLabels.map { Array($0[..<real.count]) }
        let generated = try Self.samples(of: trained, count: count, labels: labels, seed: options.seed)
        guard generated.floats.allSatisfy(\.isFinite) else {
            throw DataError(
                .badInput, "\(path): the generator gives values that are not finite numbers; try an earlier checkpoint")
        }

        var metrics = Metrics(
            real: real, generator: trained, generated: generated, labels: labels, seed: options.seed, progress: progress)
        try metrics.measure(runFolder: folder, dataPath: data)
        progress("asking the critic")
        let trainer = try Trainer(measuring: file, of: configuration, real.training)
        try metrics.measureCriticNorms(of: trainer)
        if real.heldOut != nil { try metrics.measureCriticGap(of: trainer) }
        measurements = Group.allCases.flatMap { group in metrics.measurements.filter { $0.group == group } }
        notes += metrics.notes
        classifier = metrics.classifier
    }

    private static func samples(of trained: TrainedGenerator, count: Int, labels: [Int]?, seed: UInt64) throws -> Tensor {
        let latents = try trained.latents(count, seed: seed)
        return try Tensor.concatenated(
            parts(of: count).map { part in
                try trained.samples(from: latents.sliced(part), labels: labels.map { Array($0[part]) })
            })
    }

    /// So many samples, some at a time, which bounds the memory that layers take.
    static func parts(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: samplesAtOnce).map { $0..<min($0 + samplesAtOnce, count) }
    }

    private static let samplesAtOnce = 250
}
