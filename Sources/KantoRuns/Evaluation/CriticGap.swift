import KantoData
import KantoGAN
import KantoMetrics
import KantoNN
import KantoTensor

/// How much worse the critic does on real samples that it was not trained on: its loss on them, less that on as many of its
/// training samples (Gulrajani et al. 2017, section 5). Where it is far above 0, the critic knows its training samples by heart,
/// and the Wasserstein estimate of the training is too high by as much.
struct CriticGap {
    /// Of parts of the samples.
    private let heldOut, known: [Double]

    /// The loss is taken of so many parts of the samples, so that their spread is known.
    private static let partCount = 20

    init(_ trainer: Trainer, heldOut: Tensor, labels: [Int]?, known: Tensor, knownLabels: [Int]?) throws {
        func losses(_ samples: Tensor, _ labels: [Int]?) throws -> [Double] {
            let size = max(1, samples.shape[0] / Self.partCount)
            return try (0..<samples.shape[0] / size).map { part in
                let range = part * size..<(part + 1) * size
                return try trainer.criticLoss(onHeldOut: samples.sliced(range), labels: labels.map { Array($0[range]) })
            }
        }
        (self.heldOut, self.known) = try (losses(heldOut, labels), losses(known, knownLabels))
    }

    func estimate(_ bootstrap: Bootstrap) -> Estimate { bootstrap.estimate([heldOut, known]) { $0[0] - $0[1] } }
}

extension Trainer {
    /// The networks of a checkpoint, for what a trainer measures; it trains nothing.
    ///
    /// - Throws: `DataError` if the file lacks a network or has another one.
    convenience init(measuring file: SafetensorsFile, of configuration: RunConfiguration, _ data: any Dataset) throws {
        let networks = try configuration.networks.makeNetworks(seed: configuration.training.seed)
        try Checkpoint.read("critic", into: networks.critic, from: file)
        try Checkpoint.read("generator", into: networks.generator, from: file)
        let labels = try configuration.networks.conditioning.map { _ in
            try ClassLabels(data, path: configuration.data.path).labels
        }
        try self.init(
            critic: networks.critic, generator: networks.generator, latentSize: networks.latentSize,
            batches: DatasetBatches(
                data, labels: labels, configuration.data, batchSize: configuration.training.batchSize,
                seed: configuration.training.seed),
            configuration: configuration.training)
    }
}
