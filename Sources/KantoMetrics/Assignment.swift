import KantoTensor

/// The assignment of rows to columns of a square matrix that costs least, by shortest augmenting paths (Jonker and Volgenant
/// 1987, in the form of Crouse 2016), and the potentials that prove it.
///
/// At most n³ steps: a second for n = 1024.
public struct Assignment: Sendable {
    /// The column of each row.
    public let columns: [Int]
    /// One a row. For all rows and columns u + v is at most the cost, and equal to it where they are assigned to each other.
    public let rowPotentials: [Double]
    /// One a column.
    public let columnPotentials: [Double]

    /// - Parameter costs: [n, n], row by row, finite.
    /// - Throws: `TensorError` if they are no square or one is not finite.
    public init(costs: [Double]) throws {
        let n = Int(Double(costs.count).squareRoot())
        guard n * n == costs.count, costs.allSatisfy(\.isFinite) else {
            throw TensorError("assignment", "\(costs.count) costs, expected n² finite ones")
        }
        var (u, v) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
        var columnOfRow = [Int](repeating: -1, count: n)
        var rowOfColumn = [Int](repeating: -1, count: n)
        var path = [Int](repeating: -1, count: n)
        for first in 0..<n {
            // Dijkstra's algorithm over the reduced costs, from this row to the nearest column that is free.
            var shortest = [Double](repeating: .infinity, count: n)
            var isRowDone = [Bool](repeating: false, count: n)
            var isColumnDone = [Bool](repeating: false, count: n)
            var open = Array((0..<n).reversed())
            var (row, sink, least) = (first, -1, 0.0)
            while sink < 0 {
                isRowDone[row] = true
                var (place, lowest) = (-1, Double.infinity)
                for index in 0..<open.count {
                    let column = open[index]
                    let reduced = least + costs[row * n + column] - u[row] - v[column]
                    if reduced < shortest[column] {
                        path[column] = row
                        shortest[column] = reduced
                    }
                    if shortest[column] < lowest || shortest[column] == lowest && rowOfColumn[column] < 0 {
                        (lowest, place) = (shortest[column], index)
                    }
                }
                least = lowest
                let column = open[place]
                isColumnDone[column] = true
                open.swapAt(place, open.count - 1)
                open.removeLast()
                if rowOfColumn[column] < 0 { sink = column } else { row = rowOfColumn[column] }
            }
            u[first] += least
            for row in 0..<n where isRowDone[row] && row != first { u[row] += least - shortest[columnOfRow[row]] }
            for column in 0..<n where isColumnDone[column] { v[column] -= least - shortest[column] }
            // Along the path each row takes the next column.
            var column = sink
            while true {
                let row = path[column]
                rowOfColumn[column] = row
                swap(&columnOfRow[row], &column)
                if row == first { break }
            }
        }
        (columns, rowPotentials, columnPotentials) = (columnOfRow, u, v)
    }
}
