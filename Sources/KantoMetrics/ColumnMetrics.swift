import KantoTensor

/// How alike the columns of two tables are: W1 of each column by itself, and how much the correlations of pairs differ.
///
/// W1 of numbers is the area between their distribution functions (Peyré and Cuturi 2019, remark 2.30), here in units of the
/// column's deviation as training has it. The correlations are Pearson's.
public struct ColumnMetrics: Sendable {
    /// Of each column.
    private let transports: [SortedTransport]
    /// [count, columns], column by column standardized for correlations.
    private let real, generated: Tensor
    private let differences: [Double]
    private let columnCount: Int

    /// - Parameters:
    ///   - real: [n, columns].
    ///   - generated: [m, columns].
    /// - Throws: `TensorError` if the numbers of columns differ.
    public init(real: Tensor, generated: Tensor) throws {
        guard real.rank == 2, generated.rank == 2, real.shape[1] == generated.shape[1], real.shape[1] > 0 else {
            throw TensorError("column metrics", "tables of shapes \(real.shape) and \(generated.shape)")
        }
        columnCount = real.shape[1]
        var transports: [SortedTransport] = []
        func column(_ index: Int, of table: Tensor) throws -> [Float] { try table.sliced(index..<index + 1, axis: 1).floats }
        for index in 0..<columnCount {
            transports.append(SortedTransport(try column(index, of: real), try column(index, of: generated)))
        }
        self.transports = transports
        (self.real, self.generated) = (real, generated)
        differences = try Self.differences(real, generated)
    }

    /// W1 of each column.
    public var distances: [Double] { transports.map(\.value) }

    /// W1 of each column with an interval.
    public func distances(_ bootstrap: Bootstrap) -> [Estimate] {
        transports.map { bootstrap.estimate([$0.potentials, $0.otherPotentials], within: 0 ... .infinity) { $0[0] - $0[1] } }
    }

    /// The mean over the columns.
    public func meanDistance(_ bootstrap: Bootstrap) -> Estimate {
        func sum(_ potentials: KeyPath<SortedTransport, [Double]>) -> [Double] {
            var sums = transports[0][keyPath: potentials]
            for transport in transports.dropFirst() {
                for (row, potential) in transport[keyPath: potentials].enumerated() { sums[row] += potential }
            }
            return sums.map { $0 / Double(columnCount) }
        }
        return bootstrap.estimate([sum(\.potentials), sum(\.otherPotentials)], within: 0 ... .infinity) { $0[0] - $0[1] }
    }

    /// The pair of columns whose correlations differ most; nil of one column.
    public var mostDifferentPair: (first: Int, second: Int)? {
        guard columnCount > 1, let place = differences.indices.max(by: { differences[$0] < differences[$1] }) else { return nil }
        return (place / columnCount, place % columnCount)
    }

    /// The largest difference of two correlations, from 0 to 2; nil of one column.
    public func largestCorrelationDifference(_ bootstrap: Bootstrap) throws -> Estimate? {
        guard columnCount > 1 else { return nil }
        return try bootstrap.estimate(
            of: differences.max()!, [real.shape[0], generated.shape[0]], draws: columnCount > 64 ? 20 : 100, within: 0...2
        ) {
            try Self.differences(real.gathered($0[0]), generated.gathered($0[1])).max()!
        }
    }

    /// |r − s| of each pair of columns, [columns, columns].
    private static func differences(_ real: Tensor, _ generated: Tensor) throws -> [Double] {
        zip(try correlations(real), try correlations(generated)).map { abs($0 - $1) }
    }

    /// A column that does not vary has the correlation 0 with all others.
    private static func correlations(_ table: Tensor) throws -> [Double] {
        let centered = try table - table.mean(axes: [0])
        let norms = try centered.square().sum(axes: [0]).squareRoot()
        let units = try centered.dividedOrZero(by: norms)
        return try units.matmul(units, transposeSelf: true).doubles
    }
}
