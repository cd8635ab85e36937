import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

/// A training run and its folder: `config.json`, `metrics.jsonl`, `losses.png`, `samples/*.png`, `checkpoints/*.safetensors`.
///
/// Use it inside `Kernels.run { … }`.
public final class Run {
    public let configuration: RunConfiguration
    public let folder: String
    public let trainer: Trainer
    /// The last checkpoint written.
    public private(set) var lastCheckpoint: String?
    private let preset: Preset
    private let log: MetricsLog
    private var history: [IterationMetrics] = []
    private var divergence: DivergenceTest
    /// The same noise for every sample picture, so that one sees how they change.
    private let noise: Tensor

    /// How many samples a picture shows.
    public static let sampleCount = 64

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
        preset = try Preset(named: configuration.preset)
        let images = try configuration.data.map { try ImageSet(idxAt: $0) } ?? ImageSet.digits()
        let shape = [images.height, images.width, images.channels]
        guard shape == preset.sampleShape else {
            throw DataError(
                .badInput, "\(configuration.data ?? "the data"): images of \(shape[0])x\(shape[1]) with \(shape[2]) channels; preset "
                    + "\(preset.name) wants \(preset.sampleShape[0])x\(preset.sampleShape[1]) with \(preset.sampleShape[2])")
        }
        guard images.count >= configuration.batchSize else {
            throw DataError(.badInput, "\(images.count) images do not fill a batch of \(configuration.batchSize)")
        }

        let networks = try preset.networks(seed: configuration.seed)
        trainer = try Trainer(
            critic: networks.critic, generator: networks.generator, latentSize: networks.latentSize,
            data: Tensor(images.pixels, shape: [images.count] + shape), configuration: configuration.training)
        divergence = DivergenceTest(penaltyWeight: configuration.penaltyWeight)
        noise = try sampleNoise(count: Self.sampleCount, latentSize: networks.latentSize, seed: configuration.seed)
        var configuration = configuration
        configuration.criticStep = trainer.criticStepMethod
        self.configuration = configuration

        folder = try chooseFolder()
        try claimDirectory(folder, by: "samples")
        try createDirectories(folder + "/checkpoints")
        try configuration.write(to: folder + "/config.json")
        log = try MetricsLog(appendingTo: folder + "/metrics.jsonl")
    }

    /// One iteration, logged. At each sample interval a checkpoint, a picture and the curves are written.
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

    /// Writes a checkpoint, samples and curves under a name: first what cannot be had again.
    ///
    /// - Throws: `DataError.cannotWrite`; `TrainingFailure` if a weight is not a finite number: then nothing is written.
    public func writeSnapshot(_ name: String) throws {
        let networks: KeyValuePairs<String, any Layer> = ["critic": trainer.critic, "generator": trainer.generator]
        if let path = try Checkpoint.firstNonFinite(in: networks) {
            throw failure("\(path) holds a value that is not a finite number")
        }
        try log.sync()
        let path = "\(folder)/checkpoints/\(name).safetensors"
        try Checkpoint.write(
            Dictionary(uniqueKeysWithValues: networks.map { ($0.key, $0.value) }),
            metadata: ["preset": preset.name, "iteration": "\(trainer.iteration)", "seed": "\(configuration.seed)"], to: path)
        lastCheckpoint = path

        let samples = try withoutGradient { try trainer.generator(noise) }
        try PNG.write(
            ImageGrid.picture(of: samples.floats, shape: samples.shape, columns: 8), to: "\(folder)/samples/\(name).png")
        try PNG.write(chart.picture(), to: folder + "/losses.png")
    }

    private var chart: Chart {
        func series(_ name: String, _ value: (IterationMetrics) -> Double) -> Chart.Series {
            Chart.Series(name, x: history.map { Double($0.iteration) }, y: history.map(value))
        }
        return Chart(
            title: "\(preset.name), seed \(configuration.seed)",
            panels: [
                Chart.Panel(
                    "losses",
                    series: [
                        series("Wasserstein estimate", \.wassersteinEstimate), series("critic loss", \.criticLoss),
                        series("generator loss", \.generatorLoss),
                    ]),
                Chart.Panel("mean gradient norm", series: [series("mean gradient norm", \.meanGradientNorm)], reference: 1),
                Chart.Panel("gradient penalty", series: [series("penalty", \.penalty)]),
            ],
            smoothing: max(1, history.count / 50))
    }
}

/// The trained generator of a run folder.
public struct TrainedGenerator: Sendable {
    public let configuration: RunConfiguration
    public let generator: Sequential
    public let latentSize: Int

    /// - Parameter checkpoint: its name in `checkpoints`, `interrupted` say.
    /// - Throws: `DataError` if the folder holds no run, or the checkpoint is missing or broken.
    public init(run folder: String, checkpoint: String = "final") throws {
        configuration = try RunConfiguration(contentsOf: folder + "/config.json")
        let networks = try Preset(named: configuration.preset).networks(seed: configuration.seed)
        let names = Self.checkpoints(ofRun: folder)
        guard names.contains(checkpoint) else {
            let list = names.isEmpty ? "has none" : "has " + names.map { "'\($0)'" }.joined(separator: ", ")
            throw DataError(.missingInput, "\(folder): there is no checkpoint '\(checkpoint)'; this run \(list)")
        }
        try Checkpoint.read("generator", into: networks.generator, from: "\(folder)/checkpoints/\(checkpoint).safetensors")
        generator = networks.generator
        latentSize = networks.latentSize
    }

    /// The names of the checkpoints of a run, the last written by the run first.
    public static func checkpoints(ofRun folder: String) -> [String] {
        let suffix = ".safetensors"
        let files = (try? namesInFolder(folder + "/checkpoints")) ?? []
        let names = files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
        let ends = ["final", "interrupted"].filter(names.contains)
        return ends + names.filter { !ends.contains($0) }.reversed()
    }

    /// Samples from fresh noise, [count, height, width, channels].
    public func samples(_ count: Int, seed: UInt64) throws -> Tensor {
        try withoutGradient { try generator(sampleNoise(count: count, latentSize: latentSize, seed: seed)) }
    }
}

extension Preset {
    /// - Throws: `DataError.badInput`, with the names that there are.
    public init(named name: String) throws {
        guard let preset = Preset.all.first(where: { $0.name == name }) else {
            throw DataError(
                .badInput, unknownName("there is no preset", name, plural: "presets", known: Preset.all.map(\.name)))
        }
        self = preset
    }
}

private func sampleNoise(count: Int, latentSize: Int, seed: UInt64) throws -> Tensor {
    var random = Random(seed: seed, stream: RandomStream.samples.rawValue << 32)
    return try random.normal([count, latentSize])
}

private func padded(_ iteration: Int) -> String {
    let digits = "\(iteration)"
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
}
