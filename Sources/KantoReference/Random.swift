import KantoABI

// Blocks of random words; a piece is so many of them.
private let pieceBlocks = 512

func planRandom(_ problem: kanto_problem) throws(Declined) -> Work {
    guard (KANTO_FUNCTION_UNIFORM...KANTO_FUNCTION_NORMAL).contains(Int(problem.function)) else {
        throw Declined("unknown distribution \(problem.function)")
    }
    try check(flagsOf: problem, among: 0)
    try check(activationOf: problem, allowed: false)
    guard problem.iteration.rank == 1 else {
        throw Declined("the rank is \(problem.iteration.rank), expected 1: the output is contiguous")
    }
    let count = try elementCount([problem.iteration.extent.0])
    return Work(
        description: "random, scalar",
        pieceCount: pieces(count, of: 4 * pieceBlocks),
        body: problem.dtype == KANTO_DTYPE_F64
            ? { randomPiece(Double.self, Piece($0, $1, $2)) } : { randomPiece(Float.self, Piece($0, $1, $2)) },
        scalarCount: 8)
}

private func randomPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    let output = piece.output(0, as: T.self)
    let count = Int(piece.problem.pointee.iteration.extent.0)
    let isNormal = piece.problem.pointee.function == KANTO_FUNCTION_NORMAL
    let (offset, scale) = (piece.scalar(0), piece.scalar(1))
    func word(_ index: Int) -> UInt32 { UInt32(piece.scalar(index)) }
    var key = (word(2), word(3))
    let firstBlock = UInt64(word(6)) | UInt64(word(7)) << 32

    for element in stride(from: piece.index * 4 * pieceBlocks, to: min(count, (piece.index + 1) * 4 * pieceBlocks), by: 4) {
        let block = firstBlock &+ UInt64(element / 4)
        var counter = (UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), word(4), word(5))
        var words = (UInt32(0), UInt32(0), UInt32(0), UInt32(0))
        kanto_philox(&counter.0, &key.0, &words.0)
        let values = if isNormal {
            SIMD4(lowHalf: normalPair(words.0, words.1), highHalf: normalPair(words.2, words.3))
        } else {
            SIMD4(Double(words.0 >> 8), Double(words.1 >> 8), Double(words.2 >> 8), Double(words.3 >> 8)) * 0x1p-24
        }
        for lane in 0..<min(4, count - element) { output[element + lane] = T(offset + scale * values[lane]) }
    }
}

private func normalPair(_ first: UInt32, _ second: UInt32) -> SIMD2<Double> {
    var (x, y) = (0.0, 0.0)
    kanto_normal_pair(first, second, &x, &y)
    return SIMD2(x, y)
}
