// Reductions along the axis that vectors lie along: each output element is a row, or many, of the input.

/// Elements that are summed in float32 before the sum goes on in double: 64 for each lane of four partial sums.
private var blockLength: Int { @inline(__always) get { 64 * 4 * Lanes.scalarCount } }

/// Reduces a range of the reduced elements, for each kept element of a range.
@inline(__always) func reduceRows<R: Reduction, A: InputRow>(
    _: R.Type, _: A.Type, _ run: ReduceRun, kept: Range<Int>, reduced: Range<Int>, piece: Int
) {
    let stride = run.reduced.inner.input0
    var keptIndex = kept.lowerBound
    var keptRows = run.kept.rows(of: kept)
    while keptRows.next() {
        var at = keptRows.start
        let end = keptIndex &+ keptRows.count
        while keptIndex < end {
            var total = Double(R.identity)
            var rows = run.reduced.rows(of: reduced)
            while rows.next() {
                let row = A(run.input + (at.input0 &+ rows.start.input0), stride: stride)
                var position = 0
                while position < rows.count {
                    let length = min(blockLength, rows.count &- position)
                    total = R.combine(total, Double(reduceBlock(R.self, row, position, length)))
                    position = position &+ length
                }
            }
            run.finish(total, keptIndex, at.output, piece)
            keptIndex = keptIndex &+ 1
            at.advance(along: run.kept.inner, by: 1)
        }
    }
}

@inline(__always) private func reduceBlock<R: Reduction, A: InputRow>(
    _: R.Type, _ row: A, _ start: Int, _ length: Int
) -> Float {
    let width = Lanes.scalarCount
    let end = start &+ length
    let identity = Lanes(repeating: R.identity)
    var position = start
    var partial0 = identity
    var partial1 = identity
    if length >= 4 &* width {
        var partial2 = identity
        var partial3 = identity
        while position &+ 4 &* width <= end {
            partial0 = R.add(row.lanes(at: position), to: partial0)
            partial1 = R.add(row.lanes(at: position &+ width), to: partial1)
            partial2 = R.add(row.lanes(at: position &+ 2 &* width), to: partial2)
            partial3 = R.add(row.lanes(at: position &+ 3 &* width), to: partial3)
            position = position &+ 4 &* width
        }
        partial0 = R.combine(partial0, partial2)
        partial1 = R.combine(partial1, partial3)
    }
    while position &+ width <= end {
        partial0 = R.add(row.lanes(at: position), to: partial0)
        position = position &+ width
    }
    if position < end {
        partial1 = R.add(row.lanes(at: position, count: end &- position, padding: R.identity), to: partial1)
    }
    return R.combineLanes(R.combine(partial0, partial1))
}
