@inline(__always) private func selectRow<Output: OutputRow, Condition: InputRow, A: InputRow, B: InputRow>(
    _ output: Output, _ condition: Condition, _ a: A, _ b: B, count: Int
) {
    var position = 0
    while position &+ Lanes.scalarCount <= count {
        let isTrue = condition.lanes(at: position) .!= 0
        output.store(b.lanes(at: position).replacing(with: a.lanes(at: position), where: isTrue), at: position)
        position = position &+ Lanes.scalarCount
    }
    let rest = count &- position
    if rest > 0 {
        let isTrue = condition.lanes(at: position, count: rest) .!= 0
        let chosen = b.lanes(at: position, count: rest).replacing(
            with: a.lanes(at: position, count: rest), where: isTrue)
        output.store(chosen, at: position, count: rest)
    }
}

@inline(__always) private func selectRows<Output: OutputRow, Condition: InputRow, A: InputRow, B: InputRow>(
    _: Output.Type, _: Condition.Type, _: A.Type, _: B.Type, _ run: ElementwiseRun, _ elements: Range<Int>
) {
    let loops = run.loops
    var rows = loops.rows(of: elements)
    while rows.next() {
        selectRow(
            Output(run.output + rows.start.output, stride: loops.inner.output),
            Condition(run.input0 + rows.start.input0, stride: loops.inner.input0),
            A(run.input1 + rows.start.input1, stride: loops.inner.input1),
            B(run.input2 + rows.start.input2, stride: loops.inner.input2), count: rows.count)
    }
}

/// Computes a range of the elements of condition ≠ 0 ? a : b.
func computeSelect(_ run: ElementwiseRun, _ elements: Range<Int>) {
    switch run.rows {
    case .vectors(a: .contiguous, b: .contiguous, c: .contiguous):
        selectRows(ContiguousOutput.self, Contiguous.self, Contiguous.self, Contiguous.self, run, elements)
    case .vectors(a: .contiguous, b: .contiguous, c: .broadcast):
        selectRows(ContiguousOutput.self, Contiguous.self, Contiguous.self, Broadcast.self, run, elements)
    case .vectors(a: .contiguous, b: .broadcast, c: .contiguous):
        selectRows(ContiguousOutput.self, Contiguous.self, Broadcast.self, Contiguous.self, run, elements)
    case .vectors(a: .contiguous, b: .broadcast, c: .broadcast):
        selectRows(ContiguousOutput.self, Contiguous.self, Broadcast.self, Broadcast.self, run, elements)
    case .vectors(a: .broadcast, b: .contiguous, c: .contiguous):
        selectRows(ContiguousOutput.self, Broadcast.self, Contiguous.self, Contiguous.self, run, elements)
    default:
        selectRows(StridedOutput.self, Strided.self, Strided.self, Strided.self, run, elements)
    }
}
