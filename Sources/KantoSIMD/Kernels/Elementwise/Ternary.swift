import KantoABI

/// A function of three elements.
protocol TernaryFunction {
    init(_ constants: Constants)
    func callAsFunction(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes
}

@inline(__always)
private func ternaryRow<
    F: TernaryFunction, Output: OutputRow, A: InputRow, B: InputRow, C: InputRow
>(_ f: F, _ output: Output, _ a: A, _ b: B, _ c: C, count: Int) {
    var position = 0
    while position &+ Lanes.scalarCount <= count {
        output.store(f(a.lanes(at: position), b.lanes(at: position), c.lanes(at: position)), at: position)
        position = position &+ Lanes.scalarCount
    }
    let rest = count &- position
    if rest > 0 {
        let value = f(
            a.lanes(at: position, count: rest), b.lanes(at: position, count: rest), c.lanes(at: position, count: rest))
        output.store(value, at: position, count: rest)
    }
}

@inline(__always)
private func ternaryRows<
    F: TernaryFunction, Output: OutputRow, A: InputRow, B: InputRow, C: InputRow
>(_ f: F, _: Output.Type, _: A.Type, _: B.Type, _: C.Type, _ run: ElementwiseRun, _ elements: Range<Int>) {
    let loops = run.loops
    var rows = loops.rows(of: elements)
    while rows.next() {
        ternaryRow(
            f, Output(run.output + rows.start.output, stride: loops.inner.output),
            A(run.input0 + rows.start.input0, stride: loops.inner.input0),
            B(run.input1 + rows.start.input1, stride: loops.inner.input1),
            C(run.input2 + rows.start.input2, stride: loops.inner.input2), count: rows.count)
    }
}

/// The patterns of a normalization among others: a contiguous, b and c one number a row (per sample) or contiguous (per
/// channel).
@inline(never) private func ternary<F: TernaryFunction>(_: F.Type, _ run: ElementwiseRun, _ elements: Range<Int>) {
    let f = F(run.constants)
    switch run.rows {
    case .vectors(a: .contiguous, b: .contiguous, c: .contiguous):
        ternaryRows(f, ContiguousOutput.self, Contiguous.self, Contiguous.self, Contiguous.self, run, elements)
    case .vectors(a: .contiguous, b: .contiguous, c: .broadcast):
        ternaryRows(f, ContiguousOutput.self, Contiguous.self, Contiguous.self, Broadcast.self, run, elements)
    case .vectors(a: .contiguous, b: .broadcast, c: .contiguous):
        ternaryRows(f, ContiguousOutput.self, Contiguous.self, Broadcast.self, Contiguous.self, run, elements)
    case .vectors(a: .contiguous, b: .broadcast, c: .broadcast):
        ternaryRows(f, ContiguousOutput.self, Contiguous.self, Broadcast.self, Broadcast.self, run, elements)
    case .vectors(a: .broadcast, b: .contiguous, c: .contiguous):
        ternaryRows(f, ContiguousOutput.self, Broadcast.self, Contiguous.self, Contiguous.self, run, elements)
    default:
        ternaryRows(f, StridedOutput.self, Strided.self, Strided.self, Strided.self, run, elements)
    }
}

/// Computes a range of the elements of a ternary problem.
func computeTernary(_ run: ElementwiseRun, _ elements: Range<Int>) {
    switch run.function {
    case KANTO_FUNCTION_SELECT: ternary(Select.self, run, elements)
    case KANTO_FUNCTION_MULTIPLY_ADD: ternary(MultiplyAdd.self, run, elements)
    default: ternary(Normalize.self, run, elements)
    }
}

private struct Select: TernaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        c.replacing(with: b, where: a .!= 0)
    }
}

private struct MultiplyAdd: TernaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { multiplyAdd(a, b, c) }
}

private struct Normalize: TernaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { (a - b) * c }
}
