/// Intervals by resampling (Efron 1979): the samples that a number was measured on are drawn anew, with replacement, many
/// times, and the number is taken of each draw.
///
/// A draw repeats some samples, which moves many metrics to one side: two sets look farther apart than they are. So the draws
/// tell the spread alone: the interval is that of the middle 95 in 100 draws, moved so that their mean is the value
/// that was measured.
public struct Bootstrap: Sendable {
    private let seed: UInt64

    /// How many draws of a number that is means of terms. One that must be computed anew says how many it affords.
    public static let drawCount = 1000

    /// - Parameter seed: the same one gives the same intervals.
    public init(seed: UInt64) { self.seed = seed }

    /// A number that is a function of means, with an interval.
    ///
    /// - Parameters:
    ///   - groups: the terms of each mean, one a sample. Terms of one group are drawn apart from those of another.
    ///   - value: of the means, in their order.
    public func estimate(
        _ groups: [[Double]], within bounds: ClosedRange<Double> = -.infinity ... .infinity,
        _ value: ([Double]) -> Double = { $0[0] }
    ) -> Estimate {
        return estimate(of: value(groups.map(mean)), groups.map(\.count), within: bounds) { draws in
            value(
                zip(groups, draws).map { terms, draw in
                    var sum = 0.0
                    for index in draw { sum += terms[index] }
                    return sum / Double(draw.count)
                })
        }
    }

    /// A number that was measured, with an interval.
    ///
    /// - Parameters:
    ///   - counts: of the samples of each set.
    ///   - bounds: what the number can be.
    ///   - statistic: the number of the samples of these indexes, a list of them for each set.
    public func estimate(
        of value: Double, _ counts: [Int], draws drawCount: Int = Bootstrap.drawCount,
        within bounds: ClosedRange<Double> = -.infinity ... .infinity, _ statistic: ([[Int]]) throws -> Double
    ) rethrows -> Estimate {
        guard value.isFinite, counts.allSatisfy({ $0 > 0 }) else {
            return Estimate(value: value, interval: -.infinity ... .infinity)
        }
        var random = SplitMix(state: seed)
        var values: [Double] = []
        for _ in 0..<drawCount {
            let drawn = counts.map { count in (0..<count).map { _ in random.index(below: count) } }
            let value = try statistic(drawn)
            if value.isFinite { values.append(value) }
        }
        guard values.count > 1 else { return Estimate(value: value, interval: value...value) }
        values.sort()
        let shift = value - values.reduce(0, +) / Double(values.count)
        func end(_ share: Double) -> Double {
            let moved = quantile(share, ofSorted: values) + shift
            return min(max(moved, bounds.lowerBound), bounds.upperBound)
        }
        return Estimate(value: value, interval: min(value, end(0.025))...max(value, end(0.975)))
    }
}

/// Millions of indexes are drawn, for which the blocks of `Random` take too long: SplitMix64 (Steele, Lea and Flood 2014).
private struct SplitMix {
    var state: UInt64

    mutating func index(below count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        word ^= word >> 31
        return Int(word.multipliedFullWidth(by: UInt64(count)).high)
    }
}
