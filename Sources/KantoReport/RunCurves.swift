import KantoGAN
import KantoRuns

/// What a run has logged at each iteration, as the curves show it.
enum Quantity: String, CaseIterable {
    case wassersteinEstimate = "wasserstein_estimate"
    case gradientNorm = "gradient_norm_mean"
    case nearOne = "gradient_norm_within"
    case penalty
    case criticLoss = "critic_loss"
    case generatorLoss = "generator_loss"
    case heldOutGap = "held_out_gap"

    var name: String {
        switch self {
        case .wassersteinEstimate: "Wasserstein estimate"
        case .gradientNorm: "Gradient norms"
        case .nearOne: "Within 10% of 1"
        case .penalty: "Penalty"
        case .criticLoss: "Critic loss"
        case .generatorLoss: "Generator loss"
        case .heldOutGap: "Held-out gap"
        }
    }

    /// What a panel says below its numbers.
    var note: String {
        switch self {
        case .wassersteinEstimate: "Lower is better."
        case .gradientNorm: "Line: mean."
        case .nearOne: "Share of the points."
        case .generatorLoss: "Its level has no meaning."
        case .heldOutGap: "The critic’s loss on held-out samples less that on training samples: what it knows by heart."
        case .penalty, .criticLoss: ""
        }
    }

    /// In CSS pixels.
    var height: Int { self == .wassersteinEstimate ? 184 : self == .gradientNorm ? 176 : 76 }

    var isShare: Bool { self == .nearOne }
    var holdsZero: Bool { self == .wassersteinEstimate || self == .penalty || self == .heldOutGap }

    func value(_ metrics: IterationMetrics) -> Double {
        switch self {
        case .wassersteinEstimate: metrics.wassersteinEstimate
        case .gradientNorm: metrics.meanGradientNorm
        case .nearOne: metrics.gradientNormWithin ?? .nan
        case .penalty: metrics.penalty
        case .criticLoss: metrics.criticLoss
        case .generatorLoss: metrics.generatorLoss
        case .heldOutGap: metrics.heldOutCriticLoss.flatMap { gap in metrics.trainingCriticLoss.map { gap - $0 } } ?? .nan
        }
    }
}

/// A run's curves, decimated.
struct RunCurves {
    /// One quantity.
    struct Curve {
        let buckets: Buckets
        /// The mean of the last twentieth of the run, of what is finite there.
        let recent: Double
        /// The least and the largest value and their iterations.
        let extremes: (least: (value: Double, iteration: Int), largest: (value: Double, iteration: Int))
        /// The Gaussian average of the buckets' means.
        let smooth: [Double]
        /// Iterations from one bucket to the next.
        let step: Double
        /// Where a bucket stands, from its start, in steps: in its middle. What is measured now and then stands at its end.
        let offset: Double

        /// The iteration of a bucket of a run of so many.
        func iteration(_ index: Int, of count: Int) -> Double { min((Double(index) + offset) * step, Double(count)) }

        /// - Parameter values: one an iteration.
        /// - Returns: nil if none is finite.
        init?(_ values: [Double]) {
            let finite = values.indices.filter { values[$0].isFinite }
            guard let least = finite.min(by: { values[$0] < values[$1] }),
                let largest = finite.max(by: { values[$0] < values[$1] })
            else { return nil }
            extremes = ((values[least], least + 1), (values[largest], largest + 1))
            let isSparse = finite.count * 4 < values.count
            buckets = Buckets(isSparse ? finite.map { values[$0] } : values)
            step = isSparse ? Double(values.count) / Double(finite.count) * Double(buckets.size) : Double(buckets.size)
            offset = isSparse ? 1 : 0.5
            recent = RunCurves.recentMean(isSparse ? finite.map { values[$0] } : values)
            smooth = smoothed(buckets.mean, sigma: standardSmoothing * Double(buckets.mean.count))
        }
    }

    let iterationCount: Int
    /// A quantity of which no value is finite is left out.
    private(set) var curves: [Quantity: Curve] = [:]
    /// Nil for a log without histograms.
    let norms: NormHistory?
    /// What the run had taken at the end of each bucket, in seconds; empty for a log that does not say.
    let seconds: [Double]
    /// The size of the buckets of what is measured at each iteration.
    let bucketSize: Int

    init(_ history: [IterationMetrics]) {
        iterationCount = history.count
        bucketSize = Buckets.size(history.count, atMost: Buckets.most)
        norms = NormHistory(history)
        for quantity in Quantity.allCases { curves[quantity] = Curve(history.map(quantity.value)) }
        let size = bucketSize
        let ends = stride(from: 0, to: history.count, by: size).map { history[min($0 + size, history.count) - 1].seconds }
        seconds = (ends.last ?? 0) > 0 && ends.allSatisfy(\.isFinite) ? ends : []
    }

    /// The share of the run's end that the numbers at the top average.
    static let recentShare = 0.05

    static func recentMean(_ values: [Double]) -> Double {
        let finite = values.suffix(max(1, Int(Double(values.count) * recentShare))).filter(\.isFinite)
        return finite.reduce(0, +) / Double(finite.count)
    }

    subscript(quantity: Quantity) -> Curve? { curves[quantity] }
    func recent(_ quantity: Quantity) -> Double { curves[quantity]?.recent ?? .nan }
    /// Of the whole run so far.
    var duration: Double { seconds.last ?? .nan }

    /// When an iteration, which may lie between two, was over, in seconds.
    func seconds(at iteration: Double) -> Double {
        guard let last = seconds.last else { return .nan }
        let place = iteration / Double(bucketSize)
        let index = Int(place)
        guard index < seconds.count else { return last }
        let start = index == 0 ? 0 : seconds[index - 1]
        // The last bucket may be shorter than the others.
        let size = min(bucketSize, iterationCount - index * bucketSize)
        return start + (seconds[index] - start) * min(1, (place - Double(index)) * Double(bucketSize) / Double(size))
    }
}
