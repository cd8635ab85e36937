import KantoData
import KantoGAN
import KantoMetrics
import KantoNN
import KantoTensor

/// What a run measures at each sample interval, beside what each iteration measures.
struct IntervalMeasurements {
    /// Nil where nothing is held out from training.
    private let heldOut: HeldOutSamples?
    /// Nil where the best checkpoint is told by something else.
    private let distance: SampleDistance?
    /// Nil of data whose modes are not known.
    private let modes: (mixture: NormalMixture, units: SampleUnits, noise: Tensor)?

    /// As the protocol of `ModeMetrics` has it.
    private static let modeSamples = 2500

    /// - Parameters:
    ///   - data: of the training.
    ///   - heldOut: from it; nil for nothing.
    ///   - classes: of the training; nil for networks that are told none.
    init(
        of data: any Dataset, heldOut: (any Dataset)?, classes: ClassLabels?, _ configuration: RunConfiguration
    ) throws {
        self.heldOut = try heldOut.map { try HeldOutSamples($0, beside: data, classes: classes, configuration) }
        modes = try data.mixture.map { mixture in
            let latentSize = configuration.networks.latentSize
            let noise = try sampleNoise(
                count: Self.modeSamples, latentSize: latentSize, seed: configuration.training.seed)
            return (mixture, data.units, noise)
        }
        guard configuration.bestMeasure == .sampleDistance else {
            distance = nil
            return
        }
        let count = min(KeptSamples.mostSamples, data.count)
        let real =
            try self.heldOut?.heldOut ?? KeptSamples(data, count: count, beside: data, labels: classes?.labels, configuration)
        distance = try SampleDistance(to: real, configuration)
    }

    /// Nothing is trained, and no random number of the training is used up.
    func measure(_ trainer: Trainer, into metrics: inout IterationMetrics) throws {
        if let heldOut { (metrics.heldOutCriticLoss, metrics.trainingCriticLoss) = try heldOut.criticLosses(of: trainer) }
        if let (mixture, units, noise) = modes {
            let samples = try trainer.samples(from: noise).floats
            metrics.coveredModes = ModeMetrics(units.restored(samples), of: mixture).coveredCount
            metrics.modeCount = mixture.centers.count
        }
        metrics.sampleDistance = try distance?.value { try trainer.samples(from: $0, labels: $1) }
    }
}
