import KantoABI

/// A function of two elements.
protocol BinaryFunction {
    init(_ constants: Constants)
    func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes
}

@inline(__always) private func binaryRow<F: BinaryFunction, Output: OutputRow, A: InputRow, B: InputRow>(
    _ f: F, _ output: Output, _ a: A, _ b: B, count: Int
) {
    var position = 0
    while position &+ Lanes.scalarCount <= count {
        output.store(f(a.lanes(at: position), b.lanes(at: position)), at: position)
        position = position &+ Lanes.scalarCount
    }
    let rest = count &- position
    if rest > 0 {
        output.store(
            f(a.lanes(at: position, count: rest), b.lanes(at: position, count: rest)), at: position, count: rest)
    }
}

@inline(__always) private func binaryRows<F: BinaryFunction, Output: OutputRow, A: InputRow, B: InputRow>(
    _ f: F, _: Output.Type, _: A.Type, _: B.Type, _ run: ElementwiseRun, _ elements: Range<Int>
) {
    let loops = run.loops
    var rows = loops.rows(of: elements)
    while rows.next() {
        binaryRow(
            f, Output(run.output + rows.start.output, stride: loops.inner.output),
            A(run.input0 + rows.start.input0, stride: loops.inner.input0),
            B(run.input1 + rows.start.input1, stride: loops.inner.input1), count: rows.count)
    }
}

@inline(never) private func binary<F: BinaryFunction>(_: F.Type, _ run: ElementwiseRun, _ elements: Range<Int>) {
    let f = F(run.constants)
    switch run.rows {
    case .vectors(a: .contiguous, b: .contiguous, c: _):
        binaryRows(f, ContiguousOutput.self, Contiguous.self, Contiguous.self, run, elements)
    case .vectors(a: .contiguous, b: .broadcast, c: _):
        binaryRows(f, ContiguousOutput.self, Contiguous.self, Broadcast.self, run, elements)
    case .vectors(a: .broadcast, b: .contiguous, c: _):
        binaryRows(f, ContiguousOutput.self, Broadcast.self, Contiguous.self, run, elements)
    case .vectors(a: .broadcast, b: .broadcast, c: _), .strided:
        binaryRows(f, StridedOutput.self, Strided.self, Strided.self, run, elements)
    }
}

/// Computes a range of the elements of a binary problem.
func computeBinary(_ run: ElementwiseRun, _ elements: Range<Int>) {
    switch run.function {
    case KANTO_FUNCTION_ADD: binary(Add.self, run, elements)
    case KANTO_FUNCTION_SUBTRACT: binary(Subtract.self, run, elements)
    case KANTO_FUNCTION_MULTIPLY: binary(Multiply.self, run, elements)
    case KANTO_FUNCTION_DIVIDE: binary(Divide.self, run, elements)
    case KANTO_FUNCTION_DIVIDE_OR_ZERO: binary(DivideOrZero.self, run, elements)
    case KANTO_FUNCTION_MAXIMUM: binary(Maximum.self, run, elements)
    case KANTO_FUNCTION_MINIMUM: binary(Minimum.self, run, elements)
    case KANTO_FUNCTION_ADD_SCALED: binary(AddScaled.self, run, elements)
    case KANTO_FUNCTION_GREATER: binary(Greater.self, run, elements)
    case KANTO_FUNCTION_LEAKY_RELU_GRADIENT where run.constants.parameter == 0:
        binary(ReLUGradient.self, run, elements)
    default: binary(LeakyReLUGradient.self, run, elements)
    }
}

/// The larger one, NaN if either is.
@inline(__always) func maximum(_ a: Lanes, _ b: Lanes) -> Lanes {
    a.replacing(with: b, where: (b .> a) .| (b .!= b))
}

/// The smaller one, NaN if either is.
@inline(__always) func minimum(_ a: Lanes, _ b: Lanes) -> Lanes {
    a.replacing(with: b, where: (b .< a) .| (b .!= b))
}

private struct Add: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { a + b }
}

private struct Subtract: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { a - b }
}

private struct Multiply: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { a * b }
}

private struct Divide: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { a / b }
}

private struct DivideOrZero: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes {
        (a / b).replacing(with: 0, where: b .== 0)
    }
}

private struct Maximum: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { maximum(a, b) }
}

private struct Minimum: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { minimum(a, b) }
}

private struct AddScaled: BinaryFunction {
    let scaleA: Lanes
    let scaleB: Lanes
    @inline(__always) init(_ constants: Constants) {
        scaleA = Lanes(repeating: constants.s0)
        scaleB = Lanes(repeating: constants.s1)
    }
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes { multiplyAdd(scaleA, a, scaleB * b) }
}

private struct Greater: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes {
        Lanes(repeating: 0).replacing(with: 1, where: a .> b)
    }
}

/// A slope of 0 apart, since 0 times infinity is not 0.
private struct ReLUGradient: BinaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes {
        keepingNaN(Lanes(repeating: 0).replacing(with: a, where: b .> 0), of: a, b)
    }
}

private struct LeakyReLUGradient: BinaryFunction {
    let slope: Lanes
    @inline(__always) init(_ constants: Constants) { slope = Lanes(repeating: constants.parameter) }
    @inline(__always) func callAsFunction(_ a: Lanes, _ b: Lanes) -> Lanes {
        keepingNaN((slope * a).replacing(with: a, where: b .> 0), of: a, b)
    }
}
