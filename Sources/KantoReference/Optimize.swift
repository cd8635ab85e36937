import KantoABI

private let pieceElements = 8192

func planOptimize(_ problem: kanto_problem) throws(Declined) -> Work {
    let scalarCount = Int(try function(of: problem).scalar_count)
    let count = try contiguousCount(problem, "parameters are")
    return Work(
        description: "optimize, scalar",
        pieceCount: pieces(count, of: pieceElements),
        body: problem.dtype == KANTO_DTYPE_F64
            ? { optimizePiece(Double.self, Piece($0, $1, $2)) } : { optimizePiece(Float.self, Piece($0, $1, $2)) },
        scalarCount: scalarCount)
}

private func optimizePiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    switch Int(piece.problem.pointee.function) {
    case KANTO_FUNCTION_ADAM: adamPiece(T.self, piece)
    case KANTO_FUNCTION_MOMENTUM: momentumPiece(T.self, piece)
    default: rmsPropPiece(T.self, piece)
    }
}

private func momentumPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    let gradient = piece.input(0, as: T.self)
    let parameter = piece.output(0, as: T.self)
    let velocity = piece.output(1, as: T.self)
    let (rate, momentum, decay) = (piece.scalar(0), piece.scalar(1), piece.scalar(2))
    for index in piece.elements {
        let m = momentum * velocity[index].wide + gradient[index].wide
        velocity[index] = T(m)
        parameter[index] = T(parameter[index].wide * (1 - rate * decay) - rate * m)
    }
}

private func rmsPropPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    let gradient = piece.input(0, as: T.self)
    let parameter = piece.output(0, as: T.self)
    let meanSquare = piece.output(1, as: T.self)
    let (rate, beta, epsilon, decay) = (piece.scalar(0), piece.scalar(1), piece.scalar(2), piece.scalar(3))
    for index in piece.elements {
        let g = gradient[index].wide
        let v = beta * meanSquare[index].wide + (1 - beta) * g * g
        meanSquare[index] = T(v)
        parameter[index] = T(parameter[index].wide * (1 - rate * decay) - rate * g / (v.squareRoot() + epsilon))
    }
}

private func adamPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    let gradient = piece.input(0, as: T.self)
    let parameter = piece.output(0, as: T.self)
    let first = piece.output(1, as: T.self)
    let second = piece.output(2, as: T.self)
    let rate = piece.scalar(0)
    let beta1 = piece.scalar(1)
    let beta2 = piece.scalar(2)
    let epsilon = piece.scalar(3)
    let correction1 = piece.scalar(4)
    let correction2 = piece.scalar(5)
    let decay = piece.scalar(6)
    for index in piece.elements {
        let g = gradient[index].wide
        let m = beta1 * first[index].wide + (1 - beta1) * g
        let v = beta2 * second[index].wide + (1 - beta2) * g * g
        let step = rate * (m / correction1) / ((v / correction2).squareRoot() + epsilon)
        first[index] = T(m)
        second[index] = T(v)
        parameter[index] = T(parameter[index].wide * (1 - rate * decay) - step)
    }
}

extension Piece {
    /// The piece's share of the elements.
    fileprivate var elements: Range<Int> {
        let start = index * pieceElements
        return start..<min(start + pieceElements, Int(problem.pointee.iteration.extent.0))
    }
}
