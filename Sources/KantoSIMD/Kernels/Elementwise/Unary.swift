import KantoABI

/// The scalars of a run and the parameter of its problem.
struct Constants {
    var s0: Float = 0
    var s1: Float = 0
    var parameter: Float = 0
}

/// A function of one element.
protocol UnaryFunction {
    init(_ constants: Constants)
    func callAsFunction(_ a: Lanes) -> Lanes
}

/// f along one row. A row of the output may be the row of the input: each vector is read before it is written.
@inline(__always) private func unaryRow<F: UnaryFunction, Output: OutputRow, A: InputRow>(
    _ f: F, _ output: Output, _ a: A, count: Int
) {
    var position = 0
    while position &+ Lanes.scalarCount <= count {
        output.store(f(a.lanes(at: position)), at: position)
        position = position &+ Lanes.scalarCount
    }
    let rest = count &- position
    if rest > 0 { output.store(f(a.lanes(at: position, count: rest)), at: position, count: rest) }
}

@inline(__always) private func unaryRows<F: UnaryFunction, Output: OutputRow, A: InputRow>(
    _ f: F, _: Output.Type, _: A.Type, _ run: ElementwiseRun, _ elements: Range<Int>
) {
    let loops = run.loops
    var rows = loops.rows(of: elements)
    while rows.next() {
        unaryRow(
            f, Output(run.output + rows.start.output, stride: loops.inner.output),
            A(run.input0 + rows.start.input0, stride: loops.inner.input0), count: rows.count)
    }
}

@inline(never) private func unary<F: UnaryFunction>(_: F.Type, _ run: ElementwiseRun, _ elements: Range<Int>) {
    let f = F(run.constants)
    switch run.rows {
    case .vectors(a: .contiguous, b: _, c: _):
        unaryRows(f, ContiguousOutput.self, Contiguous.self, run, elements)
    case .vectors(a: .broadcast, b: _, c: _):
        unaryRows(f, ContiguousOutput.self, Broadcast.self, run, elements)
    case .strided:
        unaryRows(f, StridedOutput.self, Strided.self, run, elements)
    }
}

/// Computes a range of the elements of a unary problem.
func computeUnary(_ run: ElementwiseRun, _ elements: Range<Int>) {
    switch run.function {
    case KANTO_FUNCTION_COPY: unary(Copy.self, run, elements)
    case KANTO_FUNCTION_AFFINE: unary(Affine.self, run, elements)
    case KANTO_FUNCTION_ABSOLUTE: unary(Absolute.self, run, elements)
    case KANTO_FUNCTION_SIGN: unary(Sign.self, run, elements)
    case KANTO_FUNCTION_SQUARE: unary(Square.self, run, elements)
    case KANTO_FUNCTION_SQRT: unary(SquareRoot.self, run, elements)
    case KANTO_FUNCTION_RECIPROCAL: unary(Reciprocal.self, run, elements)
    case KANTO_FUNCTION_EXP: unary(Exponential.self, run, elements)
    case KANTO_FUNCTION_LOG: unary(Logarithm.self, run, elements)
    case KANTO_FUNCTION_TANH: unary(HyperbolicTangent.self, run, elements)
    case KANTO_FUNCTION_SIGMOID: unary(Sigmoid.self, run, elements)
    case KANTO_FUNCTION_EXP_MINUS_ONE: unary(ExponentialMinusOne.self, run, elements)
    case KANTO_FUNCTION_LOG_ONE_PLUS: unary(LogarithmOfOnePlus.self, run, elements)
    case KANTO_FUNCTION_ERF: unary(ErrorFunction.self, run, elements)
    case KANTO_FUNCTION_SOFTPLUS: unary(Softplus.self, run, elements)
    case KANTO_FUNCTION_LEAKY_RELU where run.constants.parameter == 0: unary(ReLU.self, run, elements)
    default: unary(LeakyReLU.self, run, elements)
    }
}

private struct Copy: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { a }
}

private struct Affine: UnaryFunction {
    let scale: Lanes
    let offset: Lanes
    @inline(__always) init(_ constants: Constants) {
        scale = Lanes(repeating: constants.s0)
        offset = Lanes(repeating: constants.s1)
    }
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { multiplyAdd(scale, a, offset) }
}

private struct Absolute: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { magnitude(a) }
}

private struct Sign: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes {
        a.replacing(with: 1, where: a .> 0).replacing(with: -1, where: a .< 0)
    }
}

private struct Square: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { a * a }
}

private struct SquareRoot: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { squareRoot(a) }
}

private struct Reciprocal: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { 1 / a }
}

private struct Exponential: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { exp(a) }
}

private struct Logarithm: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { log(a) }
}

private struct HyperbolicTangent: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { tanh(a) }
}

private struct Sigmoid: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { sigmoid(a) }
}

private struct ExponentialMinusOne: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { expMinusOne(a) }
}

private struct LogarithmOfOnePlus: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { logOnePlus(a) }
}

private struct ErrorFunction: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { errorFunction(a) }
}

private struct Softplus: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { softplus(a) }
}

/// A slope of 0 apart, since 0 times infinity is not 0.
private struct ReLU: UnaryFunction {
    @inline(__always) init(_ constants: Constants) {}
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { a.replacing(with: 0, where: a .<= 0) }
}

private struct LeakyReLU: UnaryFunction {
    let slope: Lanes
    @inline(__always) init(_ constants: Constants) { slope = Lanes(repeating: constants.parameter) }
    @inline(__always) func callAsFunction(_ a: Lanes) -> Lanes { (slope * a).replacing(with: a, where: a .> 0) }
}
