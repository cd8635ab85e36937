import KantoData
import KantoGAN
import KantoTensor

/// Samples of the data that a run keeps in memory to judge its networks by.
struct KeptSamples {
    /// [n] + the sample's shape, as training has them.
    let samples: Tensor
    /// The class of each, for networks that are told them.
    let labels: [Int]?

    /// The most of them.
    static let mostSamples = 1024

    /// - Parameters:
    ///   - data: of which `count` samples are taken, from all parts.
    ///   - training: the data of the training, in whose range the samples are brought.
    ///   - labels: of all of the data.
    init(_ data: any Dataset, count: Int, beside training: any Dataset, labels: [Int]?, _ configuration: RunConfiguration) throws
    {
        // From all parts of files that are sorted.
        let indexes = (0..<count).map { $0 * data.count / count }
        var samples = try Tensor(data.samples(indexes, inUnitsOf: training), shape: [count] + data.sampleShape)
        if configuration.data.dequantize {
            samples = try Dequantization(of: training, path: configuration.data.path).applied(
                to: samples, using: Random(seed: configuration.training.seed, stream: RandomStream.heldOut.rawValue << 32))
        }
        self.samples = samples
        self.labels = labels.map { labels in indexes.map { labels[$0] } }
    }
}

/// Samples on which the critic is judged: some that are held out from training, and as many that are not.
struct HeldOutSamples {
    let heldOut, training: KeptSamples

    /// - Parameters:
    ///   - data: that are held out.
    ///   - training: the data of the training.
    ///   - classes: of the training; nil for networks that are told none.
    /// - Throws: `DataError` if the held-out data are of another shape, or of a class that the training has not.
    init(_ data: any Dataset, beside training: any Dataset, classes: ClassLabels?, _ configuration: RunConfiguration) throws {
        guard data.sampleShape == training.sampleShape, data.count > 0 else {
            throw DataError(
                .badInput,
                "data.held_out: \(data.count) samples of shape \(data.sampleShape), expected samples of \(training.sampleShape), as "
                    + "the data have them")
        }
        let count = min(KeptSamples.mostSamples, data.count, training.count)
        self.training = try KeptSamples(training, count: count, beside: training, labels: classes?.labels, configuration)
        heldOut = try KeptSamples(
            data, count: count, beside: training, labels: classes.map { try $0.labels(of: data) }, configuration)
    }

    /// The critic's loss on both, without penalty and against the same generated samples. Nothing is trained.
    func criticLosses(of trainer: Trainer) throws -> (heldOut: Double, training: Double) {
        (
            try trainer.criticLoss(onHeldOut: heldOut.samples, labels: heldOut.labels),
            try trainer.criticLoss(onHeldOut: training.samples, labels: training.labels)
        )
    }
}

extension ClassLabels {
    /// The numbers, here, of the classes of other data's samples.
    ///
    /// - Throws: `DataError` if those have none, or one that is not here.
    fileprivate func labels(of data: any Dataset) throws(DataError) -> [Int] {
        let others = try ClassLabels(data, path: "data.held_out")
        let places = others.names.map { names.firstIndex(of: $0) }
        if let unknown = places.firstIndex(of: nil) {
            throw DataError(
                .badInput, "data.held_out: samples of the class '\(others.names[unknown])', which the training does not have")
        }
        return others.labels.map { places[$0]! }
    }
}
