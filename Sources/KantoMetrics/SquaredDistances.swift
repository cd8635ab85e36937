import KantoTensor

/// The squared Euclidean distances from each sample of one set to each of another, some rows at a time: the whole matrix of two
/// sets of 50,000 would take 10 GB.
///
/// Of wide samples they are |a|² + |b|² − 2 a·b, the products by Kanto's matmul, taken from a common center so that little is
/// lost to cancellation: about 1e-6 of the sets' own extent. Of narrow ones they are the sums of squared differences.
public struct SquaredDistances {
    /// [count, width] each.
    private var rows: Tensor
    private let others: Tensor
    private var rowNorms: [Float] = []
    private let otherNorms: [Float]
    /// Of the others; nil where distances are sums of differences.
    private let center: Tensor?

    /// Of so many numbers and more a sample the matrix product is faster.
    private static let narrowWidth = 8
    /// Distances of a block.
    private static let blockSize = 1 << 20

    /// - Parameters:
    ///   - rows: [n, …].
    ///   - others: [m, …], of the same width.
    /// - Throws: `TensorError` if the widths differ.
    public init(from rows: Tensor, to others: Tensor) throws {
        self = try SquaredDistances(to: others).from(rows)
    }

    /// From no samples yet.
    package init(to others: Tensor) throws {
        let others = try others.detached().flattened()
        rows = try others.sliced(0..<0)
        if others.shape[1] < Self.narrowWidth || others.shape[0] == 0 {
            (self.others, otherNorms, center) = (others, [], nil)
            return
        }
        let center = try others.mean(axes: [0])
        self.others = try others - center
        (self.center, otherNorms) = (center, try Self.norms(self.others))
    }

    /// Those of other samples to the same ones.
    ///
    /// - Throws: as the initializer does.
    package func from(_ rows: Tensor) throws -> SquaredDistances {
        let rows = try rows.detached().flattened()
        guard rows.shape[1] == others.shape[1] else {
            throw TensorError("distances", "between samples of \(rows.shape[1]) and of \(others.shape[1]) numbers")
        }
        var distances = self
        distances.rows = rows
        if let center {
            distances.rows = try rows - center
            distances.rowNorms = try Self.norms(distances.rows)
        }
        return distances
    }

    /// Some rows at a time: their squares are as large as they are.
    private static func norms(_ samples: Tensor) throws -> [Float] {
        let blockRows = max(1, blockSize / max(1, samples.shape[1]))
        return try stride(from: 0, to: samples.shape[0], by: blockRows).flatMap { start in
            try samples.sliced(start..<min(start + blockRows, samples.shape[0])).square().sum(axes: [1]).floats
        }
    }

    /// How many samples distances are taken from.
    public var count: Int { rows.shape[0] }
    /// How many samples distances are taken to.
    public var otherCount: Int { others.shape[0] }

    /// Calls `body` with each row's number and its distances to all others, in their order.
    public func forEachRow(_ body: (Int, [Float]) throws -> Void) throws {
        guard otherCount > 0 else { return }
        if center == nil { return try forEachNarrowRow(body) }
        let blockRows = max(1, Self.blockSize / otherCount)
        var distances = [Float](repeating: 0, count: otherCount)
        for start in stride(from: 0, to: count, by: blockRows) {
            let range = start..<min(start + blockRows, count)
            let products = try rows.sliced(range).matmul(others, transposeOther: true).floats
            for row in range {
                let (norm, first) = (rowNorms[row], (row - start) * otherCount)
                for other in 0..<otherCount {
                    distances[other] = max(0, norm + otherNorms[other] - 2 * products[first + other])
                }
                try body(row, distances)
            }
        }
    }

    private func forEachNarrowRow(_ body: (Int, [Float]) throws -> Void) rethrows {
        let width = rows.shape[1]
        let (a, b) = (rows.floats, others.floats)
        var distances = [Float](repeating: 0, count: otherCount)
        for row in 0..<count {
            for other in 0..<otherCount {
                var sum: Float = 0
                for column in 0..<width {
                    let difference = a[row * width + column] - b[other * width + column]
                    sum += difference * difference
                }
                distances[other] = sum
            }
            try body(row, distances)
        }
    }
}

extension SquaredDistances {
    /// The nearest of the others to each row, and its squared distance.
    ///
    /// - Parameter except: of each row one that is not to be found, such as the row itself; nil to look at all.
    package func nearest(except: [Int]? = nil) throws -> [(index: Int, squaredDistance: Float)] {
        var found: [(index: Int, squaredDistance: Float)] = []
        try forEachRow { row, values in
            let skipped = except?[row] ?? -1
            var nearest = skipped == 0 ? 1 : 0
            for other in values.indices where values[other] < values[nearest] && other != skipped { nearest = other }
            found.append((nearest, values[nearest]))
        }
        return found
    }

    /// From each sample of a set to its k-th nearest among the others of the set.
    ///
    /// - Throws: `TensorError` if the set has no k others.
    static func toNeighbor(_ k: Int, within set: Tensor) throws -> [Float] {
        let distances = try SquaredDistances(from: set, to: set)
        guard k > 0, distances.count > k else {
            throw TensorError("neighbors", "\(distances.count) samples, expected more than \(k)")
        }
        var radii: [Float] = []
        var nearest = [Float](repeating: .infinity, count: k)
        try distances.forEachRow { row, values in
            for place in 0..<k { nearest[place] = .infinity }
            for other in 0..<values.count where values[other] < nearest[k - 1] && other != row {
                var place = k - 1
                while place > 0, nearest[place - 1] > values[other] {
                    nearest[place] = nearest[place - 1]
                    place -= 1
                }
                nearest[place] = values[other]
            }
            radii.append(nearest[k - 1])
        }
        return radii
    }
}
