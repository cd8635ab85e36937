/// The rows of a batch that one rank computes.
///
/// Every rank has its part of the whole, in the order of the ranks; where they do not divide it evenly the first ones have a row
/// more.
public struct RowShare: Sendable, Equatable {
    /// Rows of the whole batch.
    public let total: Int
    /// This rank's.
    public let own: Range<Int>

    /// Rows of a whole batch.
    public init(own: Range<Int>, of total: Int) { (self.own, self.total) = (own, total) }

    /// - Precondition: there are as many rows as ranks, at least.
    public init(of total: Int, rank: Int, rankCount: Int) {
        precondition(total >= rankCount && 0..<rankCount ~= rank, "\(total) rows for rank \(rank) of \(rankCount)")
        let (even, rest) = total.quotientAndRemainder(dividingBy: rankCount)
        let start = rank * even + min(rank, rest)
        self.total = total
        own = start..<start + even + (rank < rest ? 1 : 0)
    }

    /// Where the rows of this rank stand in as many whole batches, one behind the other, as it has parts of them; nil if its rows
    /// are not parts of such.
    package func places(ofRows count: Int) -> [Range<Int>]? {
        guard count > 0, count.isMultiple(of: own.count) else { return nil }
        return (0..<count / own.count).map { own.lowerBound + $0 * total..<own.upperBound + $0 * total }
    }
}
