/// How often the norms of the critic's input gradient fell where: counts in 80 bins over [0, 2), the last one open upwards.
///
/// 1 lies between two bins, and so do 0.9 and 1.1.
public struct GradientNormHistogram: Sendable, Equatable {
    /// How many bins there are.
    public static let binCount = 80
    /// Where the last bin would end if it were closed.
    public static let upperBound = 2.0
    /// The first bin that holds any, and the counts from there to the last one that does: a run keeps a histogram an iteration.
    private var firstBin = 0
    private var filled: [UInt32] = []

    /// Without any norms.
    public init() {}

    /// - Parameter counts: one a bin.
    /// - Returns: nil if there are not `binCount` of them, or one is negative or too large for 32 bits.
    public init?(counts: [Int]) {
        guard counts.count == Self.binCount, counts.allSatisfy({ UInt32(exactly: $0) != nil }) else { return nil }
        guard let first = counts.firstIndex(where: { $0 != 0 }), let last = counts.lastIndex(where: { $0 != 0 }) else { return }
        firstBin = first
        filled = counts[first...last].map { UInt32($0) }
    }

    /// One a bin.
    public var counts: [Int] {
        var counts = [Int](repeating: 0, count: Self.binCount)
        for (offset, count) in filled.enumerated() { counts[firstBin + offset] = Int(count) }
        return counts
    }

    /// How many norms there are.
    public var total: Int { filled.reduce(0) { $0 + Int($1) } }

    /// The share of norms within 10% of 1; nil of none.
    public var shareNearOne: Double? {
        let near = Self.bin(of: 0.9)..<Self.bin(of: 1.1)
        let count = filled.indices.reduce(0) { near.contains(firstBin + $1) ? $0 + Int(filled[$1]) : $0 }
        return total == 0 ? nil : Double(count) / Double(total)
    }

    /// The bin of a norm, which is no NaN.
    static func bin(of norm: Double) -> Int { Int(min(norm * (Double(binCount) / upperBound), Double(binCount - 1))) }
}
