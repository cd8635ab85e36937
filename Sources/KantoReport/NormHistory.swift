import KantoGAN
import KantoRuns

/// How the norms of the critic's input gradient were spread, in columns of equally many iterations.
struct NormHistory {
    static let binCount = GradientNormHistogram.binCount
    static let binWidth = GradientNormHistogram.upperBound / Double(binCount)
    /// The most columns that are drawn.
    static let mostColumns = 160

    /// Iterations of a column, but for the last.
    let columnSize: Int
    /// Counts, one a bin, of each column.
    private(set) var columns: [[Int]] = []

    /// Nil if no iteration has a histogram.
    init?(_ history: [IterationMetrics]) {
        columnSize = Buckets.size(history.count, atMost: Self.mostColumns)
        for start in stride(from: 0, to: history.count, by: columnSize) {
            var column = [Int](repeating: 0, count: Self.binCount)
            for metrics in history[start..<min(start + columnSize, history.count)] {
                for (bin, count) in metrics.gradientNormHistogram.counts.enumerated() { column[bin] += count }
            }
            columns.append(column)
        }
        guard columns.contains(where: { $0.contains { $0 > 0 } }) else { return nil }
    }

    /// Of the last tenth of the run.
    var late: [Int] {
        let first = columns.count - max(1, columns.count / 10)
        return columns[first...].reduce(into: [Int](repeating: 0, count: Self.binCount)) { sums, column in
            for bin in column.indices { sums[bin] += column[bin] }
        }
    }

    /// From the 0.5th to the 99.5th percentile after the run's first tenth, and 0.85 to 1.15 at least.
    static func settled(_ histories: [NormHistory]) -> AxisRange {
        var shares = [Double](repeating: 0, count: binCount)
        for history in histories {
            let total = Double(history.columns.reduce(0) { $0 + $1.reduce(0, +) })
            for column in history.columns[Int(Double(history.columns.count) * AxisRange.warmUp)...] {
                for bin in column.indices { shares[bin] += Double(column[bin]) / total }
            }
        }
        let sum = shares.reduce(0, +)
        func bin(of percentile: Double) -> Double {
            var below = 0.0
            let bin = shares.firstIndex { share in
                below += share
                return below >= percentile * sum
            }
            return Double(bin ?? 0)
        }
        return AxisRange(
            lower: min(0.85, max(0, binWidth * (bin(of: 0.005) - 1))),
            upper: min(GradientNormHistogram.upperBound, max(1.15, binWidth * (bin(of: 0.995) + 2))))
    }

    /// The bins that hold anything.
    static func whole(_ histories: [NormHistory]) -> AxisRange {
        let used = (0..<binCount).filter { bin in histories.contains { $0.columns.contains { $0[bin] > 0 } } }
        return AxisRange(lower: binWidth * Double(used.first ?? 0), upper: binWidth * Double((used.last ?? 0) + 1))
    }
}
