// Reductions along the axis that vectors lie along: each output element is a row, or many, of what is reduced.

/// Vectors that are summed in float32 into one of four partial results before these go on in double.
private var chainLimit: Int { @inline(__always) get { 64 } }

/// Reduces a range of the reduced elements, for each kept element of a range.
@inline(__always) func reduceRows<R: ReductionFunction, Row: ReducedRow>(
    _: R.Type, _: Row.Type, _ run: ReductionRun, kept: Range<Int>, reduced: Range<Int>, piece: Int
) {
    let longest = chainLimit &* 4 &* Lanes.scalarCount
    var keptIndex = kept.lowerBound
    var keptRows = run.kept.rows(of: kept)
    while keptRows.next() {
        var at = keptRows.start
        let end = keptIndex &+ keptRows.count
        while keptIndex < end {
            var total = Double(R.identity)
            var partials = RowPartials<R>()
            let partner = Row.partner(run, at) ?? run.input0
            var rows = run.reduced.rows(of: reduced)
            while rows.next() {
                let row = Row(run, kept: at, reduced: rows.start, partners: partner)
                var position = 0
                while position < rows.count {
                    let length = min(longest, rows.count &- position)
                    // Short rows share their partial results: to combine the lanes costs more than a short row.
                    let added = length / (4 &* Lanes.scalarCount) &+ 4
                    if partials.chainLength &+ added > chainLimit &+ 4 { total = R.combine(total, partials.take()) }
                    partials.add(row, position, length)
                    partials.chainLength = partials.chainLength &+ added
                    position = position &+ length
                }
            }
            total = R.combine(total, partials.take())
            run.finish(total, keptIndex, at, piece)
            keptIndex = keptIndex &+ 1
            at.advance(along: run.kept.inner, by: 1)
        }
    }
}

/// Four vectors of partial results, as many as hide the latency of an addition.
private struct RowPartials<R: ReductionFunction> {
    private var partial0 = Lanes(repeating: R.identity)
    private var partial1 = Lanes(repeating: R.identity)
    private var partial2 = Lanes(repeating: R.identity)
    private var partial3 = Lanes(repeating: R.identity)
    /// The most vectors that may have gone into one of them.
    var chainLength = 0

    @inline(__always) init() {}

    @inline(__always) mutating func add<Row: ReducedRow>(_ row: Row, _ start: Int, _ length: Int) {
        let width = Lanes.scalarCount
        let end = start &+ length
        var position = start
        while position &+ 4 &* width <= end {
            partial0 = R.add(row.lanes(at: position), to: partial0)
            partial1 = R.add(row.lanes(at: position &+ width), to: partial1)
            partial2 = R.add(row.lanes(at: position &+ 2 &* width), to: partial2)
            partial3 = R.add(row.lanes(at: position &+ 3 &* width), to: partial3)
            position = position &+ 4 &* width
        }
        while position &+ width <= end {
            partial0 = R.add(row.lanes(at: position), to: partial0)
            position = position &+ width
        }
        if position < end {
            partial1 = R.add(row.lanes(at: position, count: end &- position, padding: R.identity), to: partial1)
        }
    }

    /// All of them combined; nothing is left.
    @inline(__always) mutating func take() -> Double {
        let all = R.combine(R.combine(partial0, partial2), R.combine(partial1, partial3))
        self = RowPartials()
        return Double(R.combineLanes(all))
    }
}
