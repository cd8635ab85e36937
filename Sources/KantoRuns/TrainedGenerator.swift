import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

/// The trained generator of a checkpoint, which is complete in itself: it describes its networks.
public struct TrainedGenerator: Sendable {
    /// As the checkpoint describes them.
    public let networks: NetworkPairDescription
    /// With its averaged weights if the run kept an average.
    public let generator: Sequential

    /// What its samples mean.
    public let units: SampleUnits

    /// The key of the units in a checkpoint's metadata.
    static let unitsKey = "units"
    /// The key of the networks' description in a checkpoint's metadata.
    static let networksKey = "networks"
    /// The name of the averaged generator in a checkpoint.
    static let averageName = "average"

    /// - Parameter path: of a checkpoint that a run wrote.
    /// - Throws: `DataError` if the file is missing or broken, or does not describe its networks.
    public init(contentsOf path: String) throws {
        let file = try SafetensorsFile(contentsOf: path)
        guard let networks: NetworkPairDescription = try Self.description(Self.networksKey, in: file) else {
            throw DataError(
                .badInput, "\(path): its metadata do not describe its networks: expected a checkpoint of 'kanto train'")
        }
        self.networks = networks
        // Checkpoints of earlier versions say nothing of it.
        units = try Self.description(Self.unitsKey, in: file) ?? SampleUnits()
        let name = file.names.contains { $0.hasPrefix(Self.averageName + ".") } ? Self.averageName : "generator"
        try Checkpoint.check(name, networks.generator, in: file)
        var random = Random(seed: 0)
        generator = try networks.generator.makeNetwork(using: &random)
        try Checkpoint.read(name, into: generator, from: file)
    }

    private static func description<Value: Describable>(_ key: String, in file: SafetensorsFile) throws(DataError) -> Value? {
        guard let text = file.metadata[key] else { return nil }
        do throws(DescriptionError) { return try Value(DescriptionValue(json: Array(text.utf8))) } catch {
            throw DataError(.badInput, "\(file.name): metadata: \(key): \(error)")
        }
    }

    /// - Parameter checkpoint: its name in `checkpoints`, `interrupted` say.
    /// - Throws: `DataError` if the folder holds no run, or the checkpoint is missing or broken.
    public init(run folder: String, checkpoint: String = "final") throws {
        // What is no run is told so.
        _ = try RunConfiguration(contentsOf: folder + "/config.json")
        let names = Self.checkpoints(ofRun: folder)
        guard names.contains(checkpoint) else {
            let list = names.isEmpty ? "has none" : "has " + names.map { "'\($0)'" }.joined(separator: ", ")
            throw DataError(.missingInput, "\(folder): there is no checkpoint '\(checkpoint)'; this run \(list)")
        }
        try self.init(contentsOf: "\(folder)/checkpoints/\(checkpoint).safetensors")
    }

    /// The names of the checkpoints of a run, the last written by the run first.
    public static func checkpoints(ofRun folder: String) -> [String] {
        let suffix = ".safetensors"
        let files = (try? namesInFolder(folder + "/checkpoints")) ?? []
        let names = files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
        let ends = ["final", "interrupted"].filter(names.contains)
        return ends + names.filter { !ends.contains($0) }.reversed()
    }

    /// Samples from fresh noise, [count, height, width, channels], or [count, features].
    ///
    /// - Throws: `KernelError`; `TensorError`.
    public func samples(_ count: Int, seed: UInt64) throws -> Tensor {
        try withoutGradient { try generator(sampleNoise(count: count, latentSize: networks.latentSize, seed: seed)) }
    }
}

/// The noise of a run's samples.
func sampleNoise(count: Int, latentSize: Int, seed: UInt64) throws -> Tensor {
    var random = Random(seed: seed, stream: RandomStream.samples.rawValue << 32)
    return try random.normal([count, latentSize])
}
