// Reductions across the axis that vectors lie along: each lane is an output element, and rows are added to rows.

/// Columns of a task. Whole rows are read in order, since the prefetcher follows lines and not columns; the partial
/// results of a tile stay in the first-level cache.
let columnTile = 1024

/// Rows that are added in float32 before the sum goes on with a compensation of its error.
private let blockRows = 128

/// Floats of scratch for a piece of work: partial results, sums, compensations.
let columnScratch = 3 * columnTile

/// Reduces a range of the reduced elements for a range of tasks: a task is a tile of columns of one outer kept index.
@inline(__always) func reduceColumns<R: Reduction, A: InputRow>(
    _: R.Type, _: A.Type, _ run: ReduceRun, tasks: Range<Int>, reduced: Range<Int>, piece: Int
) {
    let extent = run.kept.inner.extent
    let tiles = (extent + columnTile - 1) / columnTile
    let partials = run.columns + piece &* columnScratch
    let sums = partials + columnTile
    let compensations = sums + columnTile
    let identity = Lanes(repeating: R.identity)
    let pitch = run.reduced.inner.input0
    let stride = run.kept.inner.input0
    var task = tasks.lowerBound
    while task < tasks.upperBound {
        let outer = task / tiles
        let first = (task &- outer &* tiles) &* columnTile
        let width = min(columnTile, extent &- first)
        var at = run.kept.offsets(ofRow: outer)
        at.advance(along: run.kept.inner, by: first)
        fill(partials, identity, width)
        fill(sums, Lanes(repeating: 0), width)
        fill(compensations, Lanes(repeating: 0), width)

        var rowsInBlock = 0
        var walk = run.reduced.rows(of: reduced)
        while walk.next() {
            var start = run.input + (at.input0 &+ walk.start.input0)
            var remaining = walk.count
            while remaining > 0 {
                let rows = min(remaining, R.isSum ? blockRows &- rowsInBlock : remaining)
                var row = 0
                while row &+ 8 <= rows {
                    addEightRows(R.self, A.self, start, stride, pitch, partials, width)
                    start += 8 &* pitch
                    row = row &+ 8
                }
                while row < rows {
                    addRow(R.self, A(start, stride: stride), partials, width)
                    start += pitch
                    row = row &+ 1
                }
                remaining = remaining &- rows
                rowsInBlock = rowsInBlock &+ rows
                if R.isSum, rowsInBlock == blockRows {
                    addBlock(partials, sums, compensations, width)
                    rowsInBlock = 0
                }
            }
        }
        if R.isSum { addBlock(partials, sums, compensations, width) }

        for column in 0..<width {
            var total = Double(partials[column])
            if R.isSum {
                total = Double(sums[column])
                // The compensation of an infinite sum is NaN, and meaningless.
                let compensation = Double(compensations[column])
                if compensation == compensation { total += compensation }
            }
            run.finish(total, outer &* extent &+ first &+ column, at.output, piece)
            at.advance(along: run.kept.inner, by: 1)
        }
        task = task &+ 1
    }
}

@inline(__always) private func fill(_ target: UnsafeMutablePointer<Float>, _ value: Lanes, _ width: Int) {
    let output = ContiguousOutput(target, stride: 1)
    var column = 0
    while column < width {
        output.store(value, at: column)
        column = column &+ Lanes.scalarCount
    }
}

@inline(__always) private func addRow<R: Reduction, A: InputRow>(
    _: R.Type, _ row: A, _ partials: UnsafeMutablePointer<Float>, _ width: Int
) {
    let partial = Contiguous(partials, stride: 1)
    let result = ContiguousOutput(partials, stride: 1)
    var column = 0
    while column &+ Lanes.scalarCount <= width {
        result.store(R.add(row.lanes(at: column), to: partial.lanes(at: column)), at: column)
        column = column &+ Lanes.scalarCount
    }
    if column < width {
        result.store(R.add(row.lanes(at: column, count: width &- column), to: partial.lanes(at: column)), at: column)
    }
}

/// Eight rows as a tree, which reads and writes the partial results once and rounds less than a chain.
@inline(__always) private func addEightRows<R: Reduction, A: InputRow>(
    _: R.Type, _: A.Type, _ start: UnsafePointer<Float>, _ stride: Int, _ pitch: Int,
    _ partials: UnsafeMutablePointer<Float>, _ width: Int
) {
    let row0 = A(start, stride: stride)
    let row1 = A(start + pitch, stride: stride)
    let row2 = A(start + 2 &* pitch, stride: stride)
    let row3 = A(start + 3 &* pitch, stride: stride)
    let row4 = A(start + 4 &* pitch, stride: stride)
    let row5 = A(start + 5 &* pitch, stride: stride)
    let row6 = A(start + 6 &* pitch, stride: stride)
    let row7 = A(start + 7 &* pitch, stride: stride)
    let partial = Contiguous(partials, stride: 1)
    let result = ContiguousOutput(partials, stride: 1)
    @inline(__always) func add(_ column: Int, _ lanes: (A) -> Lanes) {
        let pair0 = R.add(lanes(row1), to: R.contribution(lanes(row0)))
        let pair1 = R.add(lanes(row3), to: R.contribution(lanes(row2)))
        let pair2 = R.add(lanes(row5), to: R.contribution(lanes(row4)))
        let pair3 = R.add(lanes(row7), to: R.contribution(lanes(row6)))
        let sum = R.combine(R.combine(pair0, pair1), R.combine(pair2, pair3))
        result.store(R.combine(partial.lanes(at: column), sum), at: column)
    }
    var column = 0
    while column &+ Lanes.scalarCount <= width {
        add(column) { $0.lanes(at: column) }
        column = column &+ Lanes.scalarCount
    }
    if column < width { add(column) { $0.lanes(at: column, count: width &- column) } }
}

/// Adds the partial sums to the sums, keeps what the rounding lost (Knuth's two-sum), and starts the partial sums anew.
@inline(__always) private func addBlock(
    _ partials: UnsafeMutablePointer<Float>, _ sums: UnsafeMutablePointer<Float>,
    _ compensations: UnsafeMutablePointer<Float>, _ width: Int
) {
    var column = 0
    while column < width {
        let partial = Contiguous(partials, stride: 1).lanes(at: column)
        let sum = Contiguous(sums, stride: 1).lanes(at: column)
        let compensation = Contiguous(compensations, stride: 1).lanes(at: column)
        let newSum = sum + partial
        let added = newSum - sum
        let lost = (sum - (newSum - added)) + (partial - added)
        ContiguousOutput(sums, stride: 1).store(newSum, at: column)
        ContiguousOutput(compensations, stride: 1).store(compensation + lost, at: column)
        ContiguousOutput(partials, stride: 1).store(Lanes(repeating: 0), at: column)
        column = column &+ Lanes.scalarCount
    }
}
