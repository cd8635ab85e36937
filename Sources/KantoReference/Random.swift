import KantoABI

// Blocks of random words; a piece is so many of them.
private let pieceBlocks = 512

func planRandom(_ problem: kanto_problem) throws(Declined) -> Work {
    let scalarCount = Int(try function(of: problem).scalar_count)
    let count = try contiguousCount(problem, "the output is")
    return Work(
        description: "random, scalar",
        pieceCount: pieces(count, of: 4 * pieceBlocks),
        body: problem.dtype == KANTO_DTYPE_F64
            ? { randomPiece(Double.self, Piece($0, $1, $2)) } : { randomPiece(Float.self, Piece($0, $1, $2)) },
        scalarCount: scalarCount)
}

private func randomPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    let output = piece.output(0, as: T.self)
    let count = Int(piece.problem.pointee.iteration.extent.0)
    let isNormal = piece.problem.pointee.function == KANTO_FUNCTION_NORMAL
    let (offset, scale) = (piece.scalar(0), piece.scalar(1))
    func word(_ index: Int) -> UInt64 { UInt64(piece.scalar(index)) | UInt64(piece.scalar(index + 1)) << 32 }
    let (key, stream, firstBlock) = (word(2), word(4), word(6))

    for element in Swift.stride(from: piece.index * 4 * pieceBlocks, to: min(count, (piece.index + 1) * 4 * pieceBlocks), by: 4) {
        let words = kanto_philox(key, stream, firstBlock &+ UInt64(element / 4))
        let values: SIMD4<Double>
        if isNormal {
            let (a, b) = (kanto_normal_pair(words.word0, words.word1), kanto_normal_pair(words.word2, words.word3))
            values = SIMD4(a.first, a.second, b.first, b.second)
        } else {
            values = SIMD4<Double>(SIMD4(words.word0, words.word1, words.word2, words.word3) &>> 8) * 0x1p-24
        }
        for lane in 0..<min(4, count - element) { output[element + lane] = T(offset + scale * values[lane]) }
    }
}
