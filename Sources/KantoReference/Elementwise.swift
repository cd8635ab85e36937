import KantoABI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

private let pieceElements = 8192

func planElementwise(_ problem: kanto_problem) throws(Declined) -> Work {
    let function = try function(of: problem)
    try check(flagsOf: problem, among: 0)
    try check(activationOf: problem, allowed: false)
    let axes = try loopNest(problem.iteration)
    for axis in axes where axis.extent > 1 && axis.outputStride == 0 {
        throw Declined("an output stride is 0 over \(axis.extent) elements, which would be written to one place")
    }
    let count = try elementCount(axes.map { Int64($0.extent) })
    let isDouble = problem.dtype == KANTO_DTYPE_F64
    let body: kanto_body, description: StaticString
    switch Int(problem.op) {
    case KANTO_OP_UNARY:
        description = "unary, scalar"
        body = isDouble ? { unaryPiece(Double.self, Piece($0, $1, $2)) } : { unaryPiece(Float.self, Piece($0, $1, $2)) }
    case KANTO_OP_BINARY:
        description = "binary, scalar"
        body = isDouble ? { binaryPiece(Double.self, Piece($0, $1, $2)) } : { binaryPiece(Float.self, Piece($0, $1, $2)) }
    default:
        description = "ternary, scalar"
        body = isDouble ? { ternaryPiece(Double.self, Piece($0, $1, $2)) } : { ternaryPiece(Float.self, Piece($0, $1, $2)) }
    }
    return Work(
        description: description, pieceCount: pieces(count, of: pieceElements), body: body,
        scalarCount: Int(function.scalar_count), axes: axes)
}

private func unaryPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    @inline(__always) func map(_ function: (T) -> T) {
        let a = piece.input(0, as: T.self)
        let output = piece.output(0, as: T.self)
        piece.forEachRow { count, offsets, axis in
            for i in 0..<count {
                output[offsets.output + i * axis.outputStride] = function(a[offsets.inputs.0 + i * axis.inputStrides.0])
            }
        }
    }
    let parameter = piece.problem.pointee.parameter
    switch Int(piece.problem.pointee.function) {
    case KANTO_FUNCTION_COPY: map { $0 }
    case KANTO_FUNCTION_FILL:
        let output = piece.output(0, as: T.self)
        let value = T(piece.scalar(0))
        piece.forEachRow { count, offsets, axis in
            for i in 0..<count { output[offsets.output + i * axis.outputStride] = value }
        }
    case KANTO_FUNCTION_AFFINE:
        let s0 = piece.scalar(0)
        let s1 = piece.scalar(1)
        map { T(s0 * $0.wide + s1) }
    case KANTO_FUNCTION_ABSOLUTE: map { $0.magnitude }
    case KANTO_FUNCTION_SIGN: map { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 == 0 ? 0 : $0 }
    case KANTO_FUNCTION_SQUARE: map { $0 * $0 }
    case KANTO_FUNCTION_SQRT: map { $0.squareRoot() }
    case KANTO_FUNCTION_RECIPROCAL: map { 1 / $0 }
    case KANTO_FUNCTION_EXP: map { T(exp($0.wide)) }
    case KANTO_FUNCTION_LOG: map { T(log($0.wide)) }
    case KANTO_FUNCTION_TANH: map { T(hyperbolicTangent($0.wide)) }
    case KANTO_FUNCTION_SIGMOID: map { T(sigmoid($0.wide)) }
    case KANTO_FUNCTION_EXP_MINUS_ONE: map { T(expm1($0.wide)) }
    case KANTO_FUNCTION_LOG_ONE_PLUS: map { T(log1p($0.wide)) }
    case KANTO_FUNCTION_ERF: map { T(erf($0.wide)) }
    case KANTO_FUNCTION_SOFTPLUS: map { T(softplus($0.wide)) }
    default: map { T(leakyReLU($0.wide, slope: parameter)) }
    }
}

private func binaryPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    @inline(__always) func map(_ function: (T, T) -> T) {
        let a = piece.input(0, as: T.self)
        let b = piece.input(1, as: T.self)
        let output = piece.output(0, as: T.self)
        piece.forEachRow { count, offsets, axis in
            for i in 0..<count {
                output[offsets.output + i * axis.outputStride] = function(
                    a[offsets.inputs.0 + i * axis.inputStrides.0], b[offsets.inputs.1 + i * axis.inputStrides.1])
            }
        }
    }
    let slope = piece.problem.pointee.parameter
    switch Int(piece.problem.pointee.function) {
    case KANTO_FUNCTION_ADD: map { $0 + $1 }
    case KANTO_FUNCTION_SUBTRACT: map { $0 - $1 }
    case KANTO_FUNCTION_MULTIPLY: map { $0 * $1 }
    case KANTO_FUNCTION_DIVIDE: map { $0 / $1 }
    case KANTO_FUNCTION_DIVIDE_OR_ZERO: map { $1 == 0 ? 0 : $0 / $1 }
    case KANTO_FUNCTION_MAXIMUM: map { $0.isNaN || $1.isNaN ? .nan : $0 > $1 ? $0 : $1 }
    case KANTO_FUNCTION_MINIMUM: map { $0.isNaN || $1.isNaN ? .nan : $0 < $1 ? $0 : $1 }
    case KANTO_FUNCTION_ADD_SCALED:
        let s0 = piece.scalar(0)
        let s1 = piece.scalar(1)
        map { T(s0 * $0.wide + s1 * $1.wide) }
    case KANTO_FUNCTION_GREATER: map { $0 > $1 ? 1 : 0 }
    default: map { $0.isNaN || $1.isNaN ? .nan : $1 > 0 ? $0 : slope == 0 ? 0 : T(slope * $0.wide) }
    }
}

private func ternaryPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    @inline(__always) func map(_ function: (T, T, T) -> T) {
        let a = piece.input(0, as: T.self)
        let b = piece.input(1, as: T.self)
        let c = piece.input(2, as: T.self)
        let output = piece.output(0, as: T.self)
        piece.forEachRow { count, offsets, axis in
            for i in 0..<count {
                output[offsets.output + i * axis.outputStride] = function(
                    a[offsets.inputs.0 + i * axis.inputStrides.0], b[offsets.inputs.1 + i * axis.inputStrides.1],
                    c[offsets.inputs.2 + i * axis.inputStrides.2])
            }
        }
    }
    switch Int(piece.problem.pointee.function) {
    case KANTO_FUNCTION_SELECT: map { $0 != 0 ? $1 : $2 }
    case KANTO_FUNCTION_MULTIPLY_ADD: map { T($0.wide * $1.wide + $2.wide) }
    default: map { T(($0.wide - $1.wide) * $2.wide) }
    }
}

extension Piece {
    /// Calls the body for each stretch of the piece's elements along the innermost axis: how many they are, the offsets
    /// of the first, and the axis.
    @inline(__always)
    fileprivate func forEachRow(_ body: (_ count: Int, _ offsets: Offsets, _ axis: Axis) -> Void) {
        guard let inner = axes.last else {
            return body(1, Offsets(), Axis(extent: 1, outputStride: 0, inputStrides: (0, 0, 0)))
        }
        let total = axes.reduce(1) { $0 * $1.extent }
        var element = index * pieceElements
        let end = min(total, element + pieceElements)
        while element < end {
            let count = min(end - element, inner.extent - element % inner.extent)
            body(count, Offsets(element, in: axes[...]), inner)
            element += count
        }
    }
}
