import KantoCommunication
import KantoData
import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

// What a run is made of, from its configuration.

extension Run {
    /// - Parameters:
    ///   - configuration: receives the networks that an architecture makes for the data.
    ///   - note: is told what the data's reader has to say.
    static func makeTrainer(
        _ configuration: inout RunConfiguration, _ communicator: Communicator?, note: (String) -> Void
    ) throws -> (Trainer, real: Tensor, SampleUnits, IntervalMeasurements) {
        let whole = try openData(configuration.data, configuration)
        for line in whole.notes { note(line) }
        let (data, heldOut) = try holdOut(of: whole, configuration)
        if let architecture = configuration.architecture {
            do throws(DescriptionError) {
                let range = data.valueRange.map { $0.lower...$0.upper }
                let made = try architecture.networks(for: data.sampleShape, range: range)
                (configuration.networks.generator, configuration.networks.critic) = (made.generator, made.critic)
            } catch {
                throw DataError(.badInput, "architecture \(architecture.name): \(error)")
            }
            configuration.architecture = nil
        }
        configuration.training.precision = try servedPrecision(configuration.training.precision ?? Kernels.precision())
        for precision in [configuration.training.criticPrecision, configuration.training.generatorPrecision].compactMap(\.self) {
            _ = try servedPrecision(precision)
        }
        try checkData(data, configuration)
        let digest = try whole.digest()
        if let known = configuration.dataDigest, known != digest {
            note(
                "\(configuration.data.path): not the data that the configuration was written with: their digest is \(digest), "
                    + "expected \(known)")
        }
        configuration.dataDigest = digest
        let classes = try tellClasses(of: data, &configuration)
        let networks: NetworkPair
        do {
            networks = try configuration.networks.makeNetworks(seed: configuration.training.seed)
        } catch let error as DescriptionError {
            throw DataError(.badInput, "networks: \(error)")
        }
        let trainer = try Trainer(
            critic: networks.critic, generator: networks.generator, latentSize: networks.latentSize,
            batches: DatasetBatches(
                data, labels: classes?.labels, configuration.data, batchSize: configuration.training.batchSize,
                seed: configuration.training.seed),
            configuration: configuration.training, communicator: communicator)
        let count = min(sampleCount(configuration), data.count)
        return (
            trainer, try Tensor(data.samples(Array(0..<count)), shape: [count] + data.sampleShape), data.units,
            try IntervalMeasurements(of: data, heldOut: heldOut, classes: classes, configuration)
        )
    }

    /// What is trained on, and what is held out.
    static func holdOut(
        of data: any Dataset, _ configuration: RunConfiguration
    ) throws -> (training: any Dataset, heldOut: (any Dataset)?) {
        switch configuration.data.heldOut {
        case nil: return (data, nil)
        case .share(let share):
            guard data.count > 1 else {
                throw DataError(.badInput, "\(configuration.data.path): of one sample no share can be held out")
            }
            return data.holdingOut(share: share)
        case .path(let path):
            return (data, try openOtherData(path, configuration))
        }
    }

    /// The same kind of data from elsewhere; of generated data other samples, wherever they are said to be. A file of labels
    /// belongs to the samples that it was written for.
    static func openOtherData(_ path: String, _ configuration: RunConfiguration) throws -> any Dataset {
        var (description, configuration) = (configuration.data, configuration)
        configuration.training.seed ^= 0x5EED
        description.path = path
        if let labels = description.labels, (try? absolutePath(labels)) != nil { description.labels = nil }
        return try openData(description, configuration)
    }

    /// - Throws: `KernelError.configuration` if nobody serves products of a precision: before there is a folder.
    private static func servedPrecision(_ precision: Precision) throws(KernelError) -> Precision {
        do throws(KernelError) {
            _ = try withPrecision(precision) { () throws(KernelError) in try Kernels.kernel(for: .matmul(m: 8, n: 8, k: 8)) }
        } catch {
            throw .configuration("precision \(precision): \(error)")
        }
        return precision
    }

    /// - Parameter memoryLimit: bytes of the data's files that are kept in memory; nil for as many as are usual.
    /// - Throws: `DataError` if the data are missing or wrong.
    package static func openData(
        _ description: DataDescription, _ configuration: RunConfiguration, memoryLimit: Int? = nil
    ) throws -> any Dataset {
        guard !description.path.isEmpty else {
            let wanted = configuration.preset.flatMap { try? Preset(named: $0) }?.dataSummary ?? "a path, by --data"
            throw DataError(.missingInput, "no data: data.path is empty; expected \(wanted)")
        }
        var options = Datasets.Options()
        options.seed = configuration.training.seed
        if let memoryLimit { options.memoryLimit = memoryLimit }
        return try Datasets.open(description, options)
    }

    /// - Throws: `DataError` if the networks do not take the data, or these do not fill a batch.
    private static func checkData(_ data: any Dataset, _ configuration: RunConfiguration) throws(DataError) {
        let path = configuration.data.path
        let wanted = configuration.networks.sampleShape
        guard data.sampleShape == wanted else {
            throw DataError(
                .badInput,
                "\(path): samples of shape \(data.sampleShape); the networks want \(wanted)"
                    + (wanted.count == 3 && data.sampleShape.count == 3
                        ? "; data.size and data.channels bring pictures to another shape"
                        : "; --networks \(data.sampleShape.count == 3 ? "conv or resnet" : "mlp") makes some for these samples"))
        }
        guard data.count >= configuration.training.batchSize else {
            throw DataError(
                .badInput, "\(path): \(data.count) samples do not fill a batch of \(configuration.training.batchSize)")
        }
    }

    /// Where the networks are told classes, names those of the data in the configuration.
    ///
    /// - Throws: `DataError` if the data have none, or others than the configuration of a run that goes on.
    private static func tellClasses(
        of data: any Dataset, _ configuration: inout RunConfiguration
    ) throws(DataError) -> ClassLabels? {
        guard let named = configuration.networks.conditioning?.classes else { return nil }
        let path = configuration.data.path
        let classes = try ClassLabels(data, path: path)
        guard named.isEmpty || named == classes.names else {
            throw DataError(
                .badInput, "\(path): samples of the classes \(classes.names), but conditioning.classes is \(named)")
        }
        configuration.networks.conditioning!.classes = classes.names
        return classes
    }

    static func noise(_ configuration: RunConfiguration) throws -> (Tensor, classes: Tensor?) {
        let count = sampleCount(configuration)
        let noise = try sampleNoise(
            count: count, latentSize: configuration.networks.latentSize, seed: configuration.training.seed)
        guard let classCount = configuration.networks.conditioning?.classes.count else { return (noise, nil) }
        // A row of the grid a class; points in turn.
        let isGrid = configuration.networks.sampleShape.count == 3
        return (
            noise, try Tensor.oneHot((0..<count).map { isGrid ? $0 / Snapshot.columnCount : $0 % classCount }, count: classCount)
        )
    }

    /// How many samples a snapshot shows: pictures, eight of each class where there are classes, or rows of numbers.
    private static func sampleCount(_ configuration: RunConfiguration) -> Int {
        guard configuration.networks.sampleShape.count == 3 else { return 1024 }
        return Snapshot.columnCount * min(configuration.networks.conditioning?.classes.count ?? 8, mostClassesShown)
    }

    private static let mostClassesShown = 16
}
