/// What one iteration measured. What is said of the critic is the mean over the iteration's critic steps.
public struct IterationMetrics: Sendable, Equatable {
    /// From 1.
    public var iteration = 0
    /// The adversarial loss + λ · penalty.
    public var criticLoss = 0.0
    /// E[D(x)] − E[D(x̃)], no penalty in it. Each critic step measures it before its update; the last step alone would give
    /// a little more, and more noise.
    public var wassersteinEstimate = 0.0
    /// Without λ.
    public var penalty = 0.0
    /// Over the points at which the penalty was taken, of all critic steps.
    public var meanGradientNorm = 0.0
    /// Over the same points.
    public var largestGradientNorm = 0.0
    /// Of the same points; a norm that is NaN is not counted.
    public var gradientNormHistogram = GradientNormHistogram()
    /// Of the generator's step.
    public var generatorLoss = 0.0
    /// The critic's loss, without penalty, on samples that are held out from training, where a run has some; measured now and
    /// then, nil in between.
    public var heldOutCriticLoss: Double?
    /// Measured together with it: the same on as many samples of the training, against the same generated ones. What the held-out
    /// loss is above this one is what the critic knows of the training samples by heart.
    public var trainingCriticLoss: Double?
    /// How many modes of the data generated samples have, of data whose modes are known; measured now and then, nil in between.
    public var coveredModes: Int?
    /// Measured together with it: how many there are.
    public var modeCount: Int?
    /// How far generated samples are from real ones, where a run looks for its best checkpoint by that; measured now and then,
    /// nil in between.
    public var sampleDistance: Double?
    /// What the run has taken up to here, in seconds, over all its processes; 0 outside a run.
    public var seconds = 0.0

    public init() {}

    /// The share of the penalty's points at which |‖∇D‖ − 1| ≤ 0.1; nil if the histogram is empty.
    public var gradientNormWithin: Double? { gradientNormHistogram.shareNearOne }

    /// The first quantity that is not a finite number.
    public var firstNonFinite: String? {
        let all = [
            ("critic loss", criticLoss), ("Wasserstein estimate", wassersteinEstimate), ("penalty", penalty),
            ("gradient norm", largestGradientNorm), ("generator loss", generatorLoss),
        ]
        return all.first { !$0.1.isFinite }?.0
    }
}

/// Sums up the critic steps of an iteration.
///
/// It reads the scores and norms where they lie: a few hundred numbers are summed up in less time than one kernel is called.
struct CriticMeasurement {
    private var stepCount = 0
    private var loss = 0.0, estimate = 0.0, penalty = 0.0
    private var normCount = 0
    private var normSum = 0.0, largestNorm = 0.0
    private var counts = [Int](repeating: 0, count: GradientNormHistogram.binCount)

    mutating func add(_ step: CriticGradients) throws {
        stepCount += 1
        loss += step.loss
        estimate += Self.mean(step.scores.real.doubles) - Self.mean(step.scores.fake.doubles)
        penalty += try step.penalty.value.item()
        let norms = step.penalty.norms.doubles
        normCount += norms.count
        for norm in norms {
            normSum += norm
            // NaN stays.
            if !(norm <= largestNorm) { largestNorm = largestNorm.isNaN ? largestNorm : norm }
            if !norm.isNaN { counts[GradientNormHistogram.bin(of: norm)] += 1 }
        }
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// All zeros without a step.
    var metrics: IterationMetrics {
        var metrics = IterationMetrics()
        guard stepCount > 0 else { return metrics }
        metrics.criticLoss = loss / Double(stepCount)
        metrics.wassersteinEstimate = estimate / Double(stepCount)
        metrics.penalty = penalty / Double(stepCount)
        metrics.meanGradientNorm = normSum / Double(normCount)
        metrics.largestGradientNorm = largestNorm
        metrics.gradientNormHistogram = GradientNormHistogram(counts: counts) ?? GradientNormHistogram()
        return metrics
    }
}
