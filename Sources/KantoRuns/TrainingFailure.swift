import KantoDescriptions
import KantoGAN

/// Why a training cannot go on.
public struct TrainingFailure: Error, CustomStringConvertible {
    /// The last one, from 1.
    public let iteration: Int
    /// What was measured, and what was expected.
    public let reason: String
    /// The last that was written before; its weights were finite.
    public let lastCheckpoint: String?

    public var description: String {
        let checkpoint = lastCheckpoint.map { "the last good checkpoint is \($0)" } ?? "no checkpoint was written yet"
        return "iteration \(iteration): \(reason); \(checkpoint). A smaller learning_rate or another seed may help"
    }
}

/// Whether a training has diverged: the critic's slope, by which all of its losses are bounded, is far beyond what the penalty
/// holds it at, or beyond what it was, and stays there.
///
/// One large value is none: medians are judged. On the digits the mean gradient norm of a good run stays within 0.5 and 2; with
/// a learning rate of 0.5 in place of 0.0002 its median is 500 from the start on, while every number stays finite.
struct DivergenceTest {
    /// λ. Without a penalty nothing holds the norm, and with a small one the critic gives way to it: it is then judged by as
    /// much more.
    let penaltyWeight: Double
    /// Where the penalty holds the norm; 1 where it does so nowhere.
    let target: Double
    /// Mean gradient norms of the last iterations, the latest at the end.
    private var norms: [Double] = []

    private static let limit = 100.0
    /// In iterations: those whose median is held against the limit, and those by which a sudden growth is judged.
    private static let window = 21
    private static let growth = 1000.0
    private static let recent = 5
    private static let past = 100
    /// How many iterations it goes by.
    static let memory = past + recent

    init(_ regularizer: RegularizerDescription) {
        penaltyWeight = regularizer.weight
        target = max(regularizer.regularizer.heldNorm?.target ?? 1, 1)
    }

    /// What is wrong after another iteration, for people; nil if nothing is.
    mutating func reason(after metrics: IterationMetrics) -> String? {
        if norms.count == Self.past + Self.recent { norms.removeFirst() }
        norms.append(metrics.meanGradientNorm)
        guard norms.count >= Self.window else { return nil }

        let usual = Self.median(norms.suffix(Self.window))
        if penaltyWeight > 0, usual > Self.limit * target * max(1, TrainingConfiguration().regularizer.weight / penaltyWeight) {
            return Self.reason(
                "the mean gradient norm of the last \(Self.window) iterations has the median \(Int(min(usual, 1e18))), "
                    + "where the penalty holds it at \(decimal(target))")
        }
        let now = Self.median(norms.suffix(Self.recent)), before = Self.median(norms.dropLast(Self.recent))
        if now > Self.growth * max(target, before) {
            return Self.reason("the mean gradient norm has grown to \(Int(min(now, 1e18))) from \((before * 10).rounded() / 10)")
        }
        return nil
    }

    private static func reason(_ what: String) -> String { "the training diverges: " + what }

    private static func median(_ values: ArraySlice<Double>) -> Double { values.sorted()[values.count / 2] }
}
