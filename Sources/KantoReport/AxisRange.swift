import KantoMetrics
import KantoRuns

/// What a panel's vertical axis spans.
struct AxisRange: Equatable {
    var lower: Double
    var upper: Double

    var span: Double { upper - lower }

    /// Where a value stands, in hundredths of the height from the top; what is far outside is held near.
    func position(of value: Double) -> Double { max(-60, min(160, 100 - 100 * (value - lower) / span)) }

    /// The share of the run that never sets a scale: its beginning.
    static let warmUp = 0.10

    /// The 1st to the 99th percentile of the buckets' lowest and highest values after the first tenth, and 15% on each side.
    ///
    /// - Parameter holdsZero: 0 is inside.
    static func settled(_ series: [Buckets], holdsZero: Bool) -> AxisRange {
        let tail = series.flatMap { buckets in
            let first = Int(Double(buckets.mean.count) * warmUp)
            return buckets.lowest[first...] + buckets.highest[first...]
        }.filter(\.isFinite).sorted()
        guard let first = tail.first, let last = tail.last else { return AxisRange(lower: 0, upper: 1) }
        var (low, high) = (percentile(tail, 1), percentile(tail, 99))
        // A series that stands still has a range all the same.
        if !(high > low) {
            let room = max(abs(low), 1e-6) * 0.5
            (low, high) = (min(first, low - room), max(last, high + room))
        }
        let padding = 0.15 * (high - low)
        guard holdsZero else { return AxisRange(lower: low - padding, upper: high + padding) }
        // Padding below 0 is no use to what is never negative.
        return AxisRange(lower: low >= 0 ? 0 : min(0, low - padding), upper: high <= 0 ? 0 : max(0, high + padding))
    }

    /// All that the buckets hold.
    static func whole(_ series: [Buckets], holdsZero: Bool) -> AxisRange {
        let values = series.flatMap { $0.lowest + $0.highest }.filter(\.isFinite)
        var range = AxisRange(lower: values.min() ?? 0, upper: values.max() ?? 1)
        if holdsZero { range = AxisRange(lower: min(0, range.lower), upper: max(0, range.upper)) }
        if !(range.upper > range.lower) {
            let padding = max(abs(range.lower), 1e-6) * 0.5
            range = AxisRange(lower: range.lower - padding, upper: range.upper + padding)
        }
        return range
    }
}

/// - Parameter sorted: in rising order, at least one.
func percentile(_ sorted: [Double], _ percent: Double) -> Double { quantile(percent / 100, ofSorted: sorted) }
