// Reductions across the axis that vectors lie along: each lane is an output element, and rows are added to rows.

/// Columns of a task. Whole rows are read in order, since the prefetcher follows lines and not columns; the partial
/// results of a tile stay in the first-level cache.
let columnTile = 1024

/// Floats of scratch for a worker: partial results, what the rounding of sums lost, and partners.
let columnScratch = 3 * columnTile

/// Reduces a range of the reduced elements for a range of tasks: a task is a tile of columns of one outer kept index.
@inline(__always) func reduceColumns<R: ReductionFunction, Row: ReducedRow>(
    _: R.Type, _: Row.Type, _ run: ReductionRun, tasks: Range<Int>, reduced: Range<Int>, piece: Int
) {
    let extent = run.vectorAxis.extent
    let tileWidth = run.plan.tileWidth
    let tiles = (extent + tileWidth - 1) / tileWidth
    let columnsPerResult = run.plan.columnsPerResult
    let partials = run.columns
    let losses = partials + columnTile
    let partners = losses + columnTile
    let identity = Lanes(repeating: R.identity)
    var task = tasks.lowerBound
    while task < tasks.upperBound {
        let outer = task / tiles
        let first = (task &- outer &* tiles) &* tileWidth
        let width = min(tileWidth, extent &- first)
        let firstResult = first / columnsPerResult
        var at = run.kept.offsets(ofRow: outer)
        at.advance(along: run.kept.inner, by: firstResult)
        fill(partials, identity, width)
        fill(losses, Lanes(repeating: 0), width)
        if !reduced.isEmpty, Row.partner(run, at) != nil {
            var place = at
            var column = 0
            while column < width {
                let partner = Row.partner(run, place).unsafelyUnwrapped.pointee
                for _ in 0..<columnsPerResult {
                    partners[column] = partner
                    column = column &+ 1
                }
                place.advance(along: run.kept.inner, by: 1)
            }
        }

        var walk = run.reduced.rows(of: reduced)
        while walk.next() {
            var reduced = walk.start
            var row = 0
            while row &+ 8 <= walk.count {
                addEightRows(R.self, Row.self, run, kept: at, reduced: reduced, partners, partials, losses, width)
                reduced.advance(along: run.reduced.inner, by: 8)
                row = row &+ 8
            }
            while row < walk.count {
                addRow(R.self, Row(run, kept: at, reduced: reduced, partners: partners), partials, losses, width)
                reduced.advance(along: run.reduced.inner, by: 1)
                row = row &+ 1
            }
        }

        var column = 0
        var result = outer &* run.kept.inner.extent &+ firstResult
        while column < width {
            var total = Double(R.identity)
            for _ in 0..<columnsPerResult {
                total = R.combine(total, Double(partials[column]))
                // What an infinite sum lost is NaN, and meaningless.
                if R.isSum, losses[column] == losses[column] { total += Double(losses[column]) }
                column = column &+ 1
            }
            run.finish(total, result, at, piece)
            result = result &+ 1
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

@inline(__always) private func combine<R: ReductionFunction>(_: R.Type, _ a: Lanes, _ b: Lanes, _ lost: inout Lanes) -> Lanes {
    R.isSum ? sum(a, b, &lost) : R.combine(a, b)
}

@inline(__always) private func addRow<R: ReductionFunction, Row: ReducedRow>(
    _: R.Type, _ row: Row, _ partials: UnsafeMutablePointer<Float>, _ losses: UnsafeMutablePointer<Float>, _ width: Int
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
    if column < width { add(column, row.lanes(at: column, count: width &- column, padding: 0)) }
}

/// Eight rows as a tree, which reads and writes the partial results once.
@inline(__always) private func addEightRows<R: ReductionFunction, Row: ReducedRow>(
    _: R.Type, _: Row.Type, _ run: ReductionRun, kept: Offsets, reduced: Offsets, _ partners: UnsafePointer<Float>,
    _ partials: UnsafeMutablePointer<Float>, _ losses: UnsafeMutablePointer<Float>, _ width: Int
) {
    @inline(__always) func row(_ number: Int) -> Row {
        var place = reduced
        place.advance(along: run.reduced.inner, by: number)
        return Row(run, kept: kept, reduced: place, partners: partners)
    }
    let row0 = row(0), row1 = row(1), row2 = row(2), row3 = row(3)
    let row4 = row(4), row5 = row(5), row6 = row(6), row7 = row(7)
    @inline(__always) func add(_ column: Int, _ lanes: (Row) -> Lanes) {
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
    if column < width { add(column) { $0.lanes(at: column, count: width &- column, padding: 0) } }
}
