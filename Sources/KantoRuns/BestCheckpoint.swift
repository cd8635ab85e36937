import KantoGAN

/// Which of a run's checkpoints is the best by the Wasserstein estimate: it rises while the critic learns, and falls as the
/// samples get better (Arjovsky et al. 2017, figure 3). So that is the one with the least estimate after the largest.
///
/// A single iteration's is noise: those since the checkpoint before are averaged.
struct BestCheckpoint {
    /// In the run's `checkpoints`.
    static let name = "best"
    /// Iterations between checkpoints.
    private let interval: Int
    private var sum = 0.0
    private var count = 0
    private var largest = -Double.infinity
    private var least = Double.infinity

    init(interval: Int) { self.interval = interval }

    /// Takes in another iteration.
    ///
    /// - Returns: whether a checkpoint is due, and is the best so far.
    mutating func isDue(after metrics: IterationMetrics) -> Bool {
        sum += metrics.wassersteinEstimate
        count += 1
        guard metrics.iteration % interval == 0 else { return false }
        let mean = abs(sum / Double(count))
        (sum, count) = (0, 0)
        if mean > largest { (largest, least) = (mean, .infinity) }
        guard mean < least else { return false }
        least = mean
        return true
    }
}
