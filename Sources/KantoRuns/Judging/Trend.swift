import KantoMetrics

/// Where a curve that is measured once an iteration goes: its last fifth against the fifth before.
struct Trend {
    /// Of the last fifth, and of the fifth before.
    let last, before: Double
    /// By how much the curve has changed, as a share of where it was.
    let change: Double
    /// Whether the change is more than twice its standard error: means of blocks are taken for independent.
    let isSure: Bool
    /// After how many values the smoothed curve was away from the last fifth for the last time.
    let settledAfter: Int
    /// How many values a fifth has.
    let fifth: Int

    /// A change of less than a twentieth is none.
    static let tolerance = 0.05
    /// A curve near zero is judged by this share of its peak.
    private static let floorShare = 0.005
    private static let blockCount = 20

    /// - Parameter values: finite ones; 100 or more.
    init(_ values: [Double]) {
        precondition(values.count >= 5 * Self.blockCount, "\(values.count) values are too few to judge")
        fifth = values.count / 5
        let lastPart = values.suffix(fifth), partBefore = values.dropLast(fifth).suffix(fifth)
        (last, before) = (mean(lastPart), mean(partBefore))

        let buckets = Buckets(values)
        let smooth = smoothed(buckets.mean, sigma: standardSmoothing * Double(buckets.mean.count))
        let floor = max(Self.floorShare * smooth.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude)

        let error = (Self.squaredError(lastPart) + Self.squaredError(partBefore)).squareRoot()
        change = (last - before) / max(abs(before), floor)
        isSure = abs(last - before) > 2 * error
        let (end, allowed) = (last, max(Self.tolerance * abs(last), floor))
        let away = smooth.lastIndex { abs($0 - end) > allowed }
        settledAfter = min(away.map { ($0 + 1) * buckets.size } ?? 0, values.count - fifth)
    }

    /// The squared standard error of a part's mean, by the means of its blocks.
    private static func squaredError(_ part: ArraySlice<Double>) -> Double {
        func start(_ block: Int) -> Int { part.startIndex + block * part.count / blockCount }
        let means = (0..<blockCount).map { mean(part[start($0)..<start($0 + 1)]) }
        let center = mean(means)
        return means.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(blockCount - 1) / Double(blockCount)
    }
}
