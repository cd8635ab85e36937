import KantoData
import KantoGAN
import KantoRuns

/// A run's events for TensorBoard, in the run's folder: `tensorboard --logdir runs` shows them.
///
///     let events = try TensorBoardLog(of: run)
///     run.onSnapshot = { try events.add($0) }
///     while !run.isDone { try events.add(run.step()) }
public final class TensorBoardLog {
    private let file: EventFile
    private let configuration: RunConfiguration
    /// Of the iterations since the last histogram.
    private var counts = [Int](repeating: 0, count: GradientNormHistogram.binCount)
    private var largest = 0.0

    /// Begins where a run stands: what an ended run has written behind its last checkpoint is forgotten.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public init(of run: Run) throws(DataError) {
        let iteration = run.trainer.iteration
        file = try EventFile(inFolder: run.folder, from: iteration == 0 ? 0 : iteration + 1)
        configuration = run.configuration
        for metrics in run.history.suffix(iteration % configuration.sampleInterval) { count(metrics) }
    }

    /// Adds an iteration's numbers, and at each sample interval the histogram of the gradient norms since the last one.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public func add(_ metrics: IterationMetrics) throws(DataError) {
        var values: [(name: String, value: EventFile.Value)] = [
            ("critic/wasserstein_estimate", .number(metrics.wassersteinEstimate)), ("critic/loss", .number(metrics.criticLoss)),
            ("critic/penalty", .number(metrics.penalty)), ("gradient_norm/mean", .number(metrics.meanGradientNorm)),
            ("gradient_norm/largest", .number(metrics.largestGradientNorm)), ("generator/loss", .number(metrics.generatorLoss)),
        ]
        let others = [
            ("gradient_norm/within_10_percent", metrics.gradientNormWithin), ("critic/held_out_loss", metrics.heldOutCriticLoss),
            ("critic/training_loss", metrics.trainingCriticLoss), ("samples/distance", metrics.sampleDistance),
            ("samples/covered_modes", metrics.coveredModes.map(Double.init)),
        ]
        values += others.compactMap { name, value in value.map { (name, .number($0)) } }
        count(metrics)
        let isSampled = metrics.iteration % configuration.sampleInterval == 0
        if isSampled, counts.contains(where: { $0 > 0 }) { values.append(("gradient_norm/histogram", histogram)) }
        try file.add(values, at: metrics.iteration)
        if isSampled { try file.flush() }
    }

    private func count(_ metrics: IterationMetrics) {
        for (bin, count) in metrics.gradientNormHistogram.counts.enumerated() { counts[bin] += count }
        largest = max(largest, metrics.largestGradientNorm)
    }

    private var histogram: EventFile.Value {
        defer {
            counts = Array(repeating: 0, count: counts.count)
            largest = 0
        }
        let width = GradientNormHistogram.upperBound / Double(counts.count)
        let first = counts.firstIndex { $0 > 0 } ?? 0, last = counts.lastIndex { $0 > 0 } ?? 0
        // An empty bin in front says where the first one begins; the last one ends at the largest norm, for it may be open.
        let limits = (first...last).map { Double($0) * width } + [max(largest, (Double(last) + 0.5) * width)]
        return .histogram(
            limits: limits, counts: [0] + counts[first...last], least: Double(first) * width, largest: limits[limits.count - 1])
    }

    /// Adds a snapshot's samples, as a picture, if they can be drawn and this build has libpng.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public func add(_ snapshot: Run.Snapshot) throws(DataError) {
        guard PNG.isAvailable, let drawing = SamplePicture(sampleShape: Array(snapshot.samples.shape.dropFirst())) else { return }
        let picture = drawing.picture(
            of: snapshot.samples, beside: snapshot.real, brightness: snapshot.units.brightness,
            columns: Run.Snapshot.columnCount)
        try file.add([("samples", .picture(picture))], at: snapshot.history.last?.iteration ?? 0)
        try file.flush()
    }
}
