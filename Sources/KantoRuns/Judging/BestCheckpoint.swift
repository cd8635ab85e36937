import KantoDescriptions
import KantoGAN

/// By what a run tells which of its checkpoints is the best.
public enum BestMeasure: String, CaseIterable, DescriptionConvertible {
    /// The least Wasserstein estimate after the largest: it rises while the critic learns, and falls as the samples get better
    /// (Arjovsky et al. 2017, figure 3). A single iteration's is noise: those since the checkpoint before are averaged.
    case wassersteinEstimate = "wasserstein_estimate"
    /// The same by the critic's loss on held-out samples, which it does not know by heart.
    case heldOutEstimate = "held_out_estimate"
    /// The least distance of generated samples from real ones, held-out ones where there are some, along random directions.
    case sampleDistance = "sample_distance"
}

/// Which of a run's checkpoints is the best by a measure.
struct BestCheckpoint {
    /// In the run's `checkpoints`.
    static let name = "best"
    private let measure: BestMeasure
    /// Iterations between checkpoints.
    private let interval: Int
    private var sum = 0.0
    private var count = 0
    private var largest = -Double.infinity
    private var least = Double.infinity

    init(interval: Int, by measure: BestMeasure = .wassersteinEstimate) { (self.interval, self.measure) = (interval, measure) }

    /// Takes in another iteration.
    ///
    /// - Returns: whether a checkpoint is due, and is the best so far.
    mutating func isDue(after metrics: IterationMetrics) -> Bool {
        sum += metrics.wassersteinEstimate
        count += 1
        guard metrics.iteration % interval == 0 else { return false }
        let mean = abs(sum / Double(count))
        (sum, count) = (0, 0)
        let value: Double? =
            switch measure {
            case .wassersteinEstimate: mean
            case .heldOutEstimate: metrics.heldOutCriticLoss.map(abs)
            case .sampleDistance: metrics.sampleDistance
            }
        guard let value else { return false }
        // What rises at first is of no use before its peak.
        if measure != .sampleDistance, value > largest { (largest, least) = (value, .infinity) }
        guard value < least else { return false }
        least = value
        return true
    }
}
