import Glibc
import KantoData
import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

/// The trained generator of a checkpoint, which is complete in itself: it describes its networks.
public struct TrainedGenerator: Sendable {
    /// As the checkpoint describes them.
    public let networks: NetworkPairDescription
    /// With its averaged weights if the run kept an average.
    public let generator: any Layer

    /// What its samples mean.
    public let units: SampleUnits

    /// The key of the units in a checkpoint's metadata.
    static let unitsKey = "units"
    /// The key of the networks' description in a checkpoint's metadata.
    static let networksKey = "networks"
    /// The key of how the networks are told the class of a sample, in a checkpoint's metadata.
    static let conditioningKey = "conditioning"
    /// The name of the averaged generator in a checkpoint.
    static let averageName = "average"

    /// - Parameter path: of a checkpoint that a run wrote.
    /// - Throws: `DataError` if the file is missing or broken, or does not describe its networks.
    public init(contentsOf path: String) throws { try self.init(SafetensorsFile(contentsOf: path)) }

    init(_ file: SafetensorsFile) throws {
        guard var networks: NetworkPairDescription = try Self.description(Self.networksKey, in: file) else {
            throw DataError(
                .badInput, "\(file.name): its metadata do not describe its networks: expected a checkpoint of 'kanto train'")
        }
        networks.conditioning = try Self.description(Self.conditioningKey, in: file)
        guard networks.conditioning?.classes.isEmpty != true else {
            throw DataError(.badInput, "\(file.name): metadata: conditioning: names no classes")
        }
        self.networks = networks
        // Checkpoints of earlier versions say nothing of it.
        units = try Self.description(Self.unitsKey, in: file) ?? SampleUnits()
        let name = file.names.contains { $0.hasPrefix(Self.averageName + ".") } ? Self.averageName : "generator"
        try Checkpoint.check(name, networks.generatorParameterShapes(), in: file)
        var random = Random(seed: 0)
        generator = try networks.makeGenerator(using: &random)
        try Checkpoint.read(name, into: generator, from: file)
    }

    private static func description<Value: DescriptionConvertible>(_ key: String, in file: SafetensorsFile) throws(DataError)
        -> Value?
    {
        guard let text = file.metadata[key] else { return nil }
        do throws(DescriptionError) { return try Value(DescriptionValue(json: Array(text.utf8))) } catch {
            throw DataError(.badInput, "\(file.name): metadata: \(key): \(error)")
        }
    }

    /// - Parameter checkpoint: its name in `checkpoints`, `interrupted` say; nil for the newest.
    /// - Throws: `DataError` if the folder holds no run, or the checkpoint is missing or broken.
    public init(run folder: String, checkpoint: String? = nil) throws {
        // What is no run is told so.
        _ = try RunConfiguration(contentsOf: folder + "/config.json")
        try self.init(contentsOf: Self.path(ofCheckpoint: Self.checkpoint(checkpoint, ofRun: folder), ofRun: folder))
    }

    /// The name of a checkpoint that a run has.
    ///
    /// - Parameter checkpoint: the name that is asked for; nil for the newest.
    /// - Throws: `DataError` if there is none.
    static func checkpoint(_ checkpoint: String?, ofRun folder: String) throws(DataError) -> String {
        let names = checkpoints(ofRun: folder)
        guard let name = checkpoint ?? names.first, names.contains(name) else {
            let list = names.isEmpty ? "has none" : "has " + names.map { "'\($0)'" }.joined(separator: ", ")
            throw DataError(
                .missingInput, "\(folder): there is no checkpoint\(checkpoint.map { " '\($0)'" } ?? ""); this run \(list)")
        }
        return name
    }

    /// The names of the checkpoints of a run, the newest first.
    public static func checkpoints(ofRun folder: String) -> [String] {
        let suffix = ".safetensors"
        let files = (try? namesInFolder(folder + "/checkpoints")) ?? []
        let names = files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
        let dated = names.map { name in
            let iteration: Int
            // One that is broken comes first, so that it is told.
            do { iteration = try Checkpoint.iteration(ofFile: path(ofCheckpoint: name, ofRun: folder)) ?? -1 } catch {
                iteration = .max
            }
            // Of several after one iteration, the one that ended the run comes first.
            return (iteration: iteration, rank: name == "final" ? 2 : name == "interrupted" ? 1 : 0, name: name)
        }
        return dated.sorted { ($0.iteration, $0.rank, $0.name) > ($1.iteration, $1.rank, $1.name) }.map(\.name)
    }

    static func path(ofCheckpoint name: String, ofRun folder: String) -> String {
        "\(folder)/checkpoints/\(name).safetensors"
    }

    /// The names of the classes of a generator that is told one; nil of one that is not.
    public var classes: [String]? { networks.conditioning?.classes }

    /// Samples from fresh noise, [count, height, width, channels], or [count, features].
    ///
    /// - Parameter labels: their classes, for a generator that is told them: numbers in `classes`, one a sample.
    /// - Throws: `KernelError`; `TensorError` if the generator wants classes and gets none, or the reverse.
    public func samples(_ count: Int, labels: [Int]? = nil, seed: UInt64) throws -> Tensor {
        try samples(from: latents(count, seed: seed), labels: labels)
    }

    /// Samples of latent vectors: one a row.
    ///
    /// - Parameters:
    ///   - latents: [n, the generator's width of noise].
    ///   - labels: their classes, for a generator that is told them: numbers in `classes`, one a vector.
    /// - Throws: `KernelError`; `TensorError` if the vectors have another width, or the generator wants classes and gets none, or
    ///   the reverse.
    public func samples(from latents: Tensor, labels: [Int]? = nil) throws -> Tensor {
        guard latents.rank == 2, latents.shape[1] == networks.latentSize else {
            throw TensorError("samples", "latent vectors of shape \(latents.shape), expected [n, \(networks.latentSize)]")
        }
        guard (labels == nil) == (classes == nil) else {
            throw TensorError(
                "samples", classes == nil ? "labels for a generator that is told none" : "no labels for a generator of classes")
        }
        let classes = try labels.map { try Tensor.oneHot($0, count: self.classes!.count) }
        return try withoutGradient { try generator.output(latents, classes: classes) }
    }

    /// The latent vectors of fresh noise, [count, width of the noise]. A larger count begins with the same ones.
    ///
    /// - Throws: `KernelError`; `TensorError`.
    public func latents(_ count: Int, seed: UInt64) throws -> Tensor {
        try sampleNoise(count: count, latentSize: networks.latentSize, seed: seed)
    }

    /// Latent vectors on the way from some to others, [n · steps, width]: the steps of the first pair, then those of the next.
    ///
    /// The way is an arc (White 2016): between two normal vectors a straight line leads through lengths that noise never has.
    ///
    /// - Parameters:
    ///   - start: [n, width].
    ///   - end: of the same shape.
    ///   - steps: both ends included; 2 or more.
    /// - Throws: `TensorError` if the shapes differ.
    public static func latents(from start: Tensor, to end: Tensor, steps: Int) throws -> Tensor {
        guard start.rank == 2, start.shape == end.shape, steps >= 2 else {
            throw TensorError(
                "interpolation",
                "from \(start.shape) to \(end.shape) in \(steps) steps, expected equal shapes and 2 steps or more")
        }
        let (a, b, width) = (start.floats, end.floats, start.shape[1])
        var rows: [Float] = []
        for row in 0..<start.shape[0] {
            let (from, to) = (a[row * width..<(row + 1) * width], b[row * width..<(row + 1) * width])
            func product(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
                zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            let lengths = (product(from, from) * product(to, to)).squareRoot()
            let angle = acos(max(-1, min(1, lengths > 0 ? product(from, to) / lengths : 1)))
            for step in 0..<steps {
                let t = Double(step) / Double(steps - 1)
                // Parallel vectors have no arc between them.
                let isStraight = angle < 1e-6 || angle > .pi - 1e-6
                let first = isStraight ? 1 - t : sin((1 - t) * angle) / sin(angle)
                let second = isStraight ? t : sin(t * angle) / sin(angle)
                rows += zip(from, to).map { Float(first * Double($0) + second * Double($1)) }
            }
        }
        return try Tensor(rows, shape: [start.shape[0] * steps, width])
    }
}

/// The noise of a run's samples.
func sampleNoise(count: Int, latentSize: Int, seed: UInt64) throws -> Tensor {
    var random = Random(seed: seed, stream: RandomStream.samples.rawValue << 32)
    return try random.normal([count, latentSize])
}
