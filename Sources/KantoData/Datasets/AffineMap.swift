/// Values of the data to values for training and back: `value · multiplier + offset`, with one pair for all or one a column.
struct AffineMap: Sendable {
    let multipliers: [Double]
    let offsets: [Double]

    static let identity = AffineMap(multipliers: [1], offsets: [0])

    /// One range onto another.
    init(_ source: ValueRange, onto target: ValueRange) {
        let multiplier = (target.upper - target.lower) / (source.upper - source.lower)
        self.init(multipliers: [multiplier], offsets: [target.lower - source.lower * multiplier])
    }

    /// Columns to mean 0 and deviation 1; a column that does not vary becomes 0.
    init(means: [Double], deviations: [Double]) {
        let multipliers = deviations.map { $0 > 0 ? 1 / $0 : 1 }
        self.init(multipliers: multipliers, offsets: zip(means, multipliers).map { -$0 * $1 })
    }

    init(multipliers: [Double], offsets: [Double]) { (self.multipliers, self.offsets) = (multipliers, offsets) }

    /// Numbers of a file, from the first column on.
    func apply(_ format: NumberFormat, _ source: UnsafeRawPointer, count: Int, into output: UnsafeMutablePointer<Float>) {
        if multipliers.count == 1 {
            let (multiplier, offset) = (multipliers[0], offsets[0])
            format.forEach(source, count: count) { output[$0] = Float($1 * multiplier + offset) }
        } else {
            precondition(count <= multipliers.count)
            multipliers.withUnsafeBufferPointer { multipliers in
                offsets.withUnsafeBufferPointer { offsets in
                    format.forEach(source, count: count) { output[$0] = Float($1 * multipliers[$0] + offsets[$0]) }
                }
            }
        }
    }
}
