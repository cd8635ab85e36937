// Reductions across the axis that vectors lie along: each lane is an output element, and rows are added to rows.

/// Columns of a task. Whole rows are read in order, since the prefetcher follows lines and not columns; the partial
/// results of a tile stay in the first-level cache.
let columnTile = 1024

/// Floats of scratch for a piece of work: partial results, and what the rounding of sums lost.
let columnScratch = 2 * columnTile

/// Reduces a range of the reduced elements for a range of tasks: a task is a tile of columns of one outer kept index.
@inline(__always) func reduceColumns<R: Reduction, A: InputRow>(
    _: R.Type, _: A.Type, _ run: ReduceRun, tasks: Range<Int>, reduced: Range<Int>, piece: Int
) {
    let extent = run.kept.inner.extent
    let tiles = (extent + columnTile - 1) / columnTile
    let partials = run.columns + piece &* columnScratch
    let losses = partials + columnTile
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
        fill(losses, Lanes(repeating: 0), width)

        var walk = run.reduced.rows(of: reduced)
        while walk.next() {
            var start = run.input + (at.input0 &+ walk.start.input0)
            var row = 0
            while row &+ 8 <= walk.count {
                addEightRows(R.self, A.self, start, stride, pitch, partials, losses, width)
                start += 8 &* pitch
                row = row &+ 8
            }
            while row < walk.count {
                addRow(R.self, A(start, stride: stride), partials, losses, width)
                start += pitch
                row = row &+ 1
            }
        }

        for column in 0..<width {
            var total = Double(partials[column])
            // What an infinite sum lost is NaN, and meaningless.
            if R.isSum, losses[column] == losses[column] { total += Double(losses[column]) }
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

// Sums keep what each addition loses (Knuth's two-sum), so that equal parts of opposite sign cancel to zero: the gradient of a
// critic's bias is such a sum, and Adam would make a whole step of what rounding left of it.

@inline(__always) private func sum(_ a: Lanes, _ b: Lanes, _ lost: inout Lanes) -> Lanes {
    let sum = a + b
    let added = sum - a
    lost += (a - (sum - added)) + (b - added)
    return sum
}

@inline(__always) private func combine<R: Reduction>(_: R.Type, _ a: Lanes, _ b: Lanes, _ lost: inout Lanes) -> Lanes {
    R.isSum ? sum(a, b, &lost) : R.combine(a, b)
}

@inline(__always) private func addRow<R: Reduction, A: InputRow>(
    _: R.Type, _ row: A, _ partials: UnsafeMutablePointer<Float>, _ losses: UnsafeMutablePointer<Float>, _ width: Int
) {
    @inline(__always) func add(_ column: Int, _ lanes: Lanes) {
        var lost = Contiguous(losses, stride: 1).lanes(at: column)
        let partial = Contiguous(partials, stride: 1).lanes(at: column)
        ContiguousOutput(partials, stride: 1).store(combine(R.self, partial, R.contribution(lanes), &lost), at: column)
        if R.isSum { ContiguousOutput(losses, stride: 1).store(lost, at: column) }
    }
    var column = 0
    while column &+ Lanes.scalarCount <= width {
        add(column, row.lanes(at: column))
        column = column &+ Lanes.scalarCount
    }
    if column < width { add(column, row.lanes(at: column, count: width &- column)) }
}

/// Eight rows as a tree, which reads and writes the partial results once.
@inline(__always) private func addEightRows<R: Reduction, A: InputRow>(
    _: R.Type, _: A.Type, _ start: UnsafePointer<Float>, _ stride: Int, _ pitch: Int,
    _ partials: UnsafeMutablePointer<Float>, _ losses: UnsafeMutablePointer<Float>, _ width: Int
) {
    let row0 = A(start, stride: stride)
    let row1 = A(start + pitch, stride: stride)
    let row2 = A(start + 2 &* pitch, stride: stride)
    let row3 = A(start + 3 &* pitch, stride: stride)
    let row4 = A(start + 4 &* pitch, stride: stride)
    let row5 = A(start + 5 &* pitch, stride: stride)
    let row6 = A(start + 6 &* pitch, stride: stride)
    let row7 = A(start + 7 &* pitch, stride: stride)
    @inline(__always) func add(_ column: Int, _ lanes: (A) -> Lanes) {
        var lost = Contiguous(losses, stride: 1).lanes(at: column)
        let pair0 = combine(R.self, R.contribution(lanes(row0)), R.contribution(lanes(row1)), &lost)
        let pair1 = combine(R.self, R.contribution(lanes(row2)), R.contribution(lanes(row3)), &lost)
        let pair2 = combine(R.self, R.contribution(lanes(row4)), R.contribution(lanes(row5)), &lost)
        let pair3 = combine(R.self, R.contribution(lanes(row6)), R.contribution(lanes(row7)), &lost)
        let four0 = combine(R.self, pair0, pair1, &lost)
        let four1 = combine(R.self, pair2, pair3, &lost)
        let eight = combine(R.self, four0, four1, &lost)
        let partial = Contiguous(partials, stride: 1).lanes(at: column)
        ContiguousOutput(partials, stride: 1).store(combine(R.self, partial, eight, &lost), at: column)
        if R.isSum { ContiguousOutput(losses, stride: 1).store(lost, at: column) }
    }
    var column = 0
    while column &+ Lanes.scalarCount <= width {
        add(column) { $0.lanes(at: column) }
        column = column &+ Lanes.scalarCount
    }
    if column < width { add(column) { $0.lanes(at: column, count: width &- column) } }
}
