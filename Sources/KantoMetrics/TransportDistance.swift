import KantoTensor

/// The Wasserstein distance of two sets of as many samples, exact: W_p^p is the mean of |a − b|^p over the best assignment of
/// one set to the other (Peyré and Cuturi 2019, proposition 2.1).
///
/// Between finite sets it is never 0: compare it with that between two sets of real samples. Its fluctuations are those
/// of the potentials' means (del Barrio and Loubes 2019, theorem 4.1), which give the interval.
///
/// Checked against the Python packages `pot` and `scipy`.
public struct TransportDistance: Sendable {
    private let order: Int
    private let assignment: Assignment

    /// - Parameters:
    ///   - order: p; 1 or 2.
    ///   - a: [n, …].
    ///   - b: [n, …].
    /// - Throws: `TensorError` if counts or widths differ.
    public init(order: Int, between a: Tensor, and b: Tensor) throws {
        precondition(1...2 ~= order, "W\(order) is not computed")
        let distances = try SquaredDistances(from: a, to: b)
        guard distances.count == distances.otherCount, distances.count > 0 else {
            throw TensorError("transport", "between \(distances.count) and \(distances.otherCount) samples, expected as many")
        }
        var costs: [Double] = []
        costs.reserveCapacity(distances.count * distances.count)
        try distances.forEachRow { _, values in
            for value in values { costs.append(order == 2 ? Double(value) : Double(value).squareRoot()) }
        }
        self.order = order
        assignment = try Assignment(costs: costs)
    }

    /// In the units of the samples.
    public var value: Double { root(mean(assignment.rowPotentials) + mean(assignment.columnPotentials)) }

    /// With an interval.
    public func estimate(_ bootstrap: Bootstrap) -> Estimate {
        bootstrap.estimate([assignment.rowPotentials, assignment.columnPotentials], within: 0 ... .infinity) {
            root($0[0] + $0[1])
        }
    }

    private func root(_ power: Double) -> Double { order == 1 ? max(0, power) : max(0, power).squareRoot() }
}
