import KantoABI

// A piece is a tile of C, so that its sums and the part of B that they need stay in the cache.
private let tileRows = 4
private let tileColumns = 256

func planMatmul(_ problem: kanto_problem) throws(Declined) -> Work {
    try check(
        flagsOf: problem,
        among: KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS | KANTO_FLAG_DERIVATIVE | KANTO_FLAG_TRANSPOSE_A | KANTO_FLAG_TRANSPOSE_B)
    try check(activationOf: problem, allowed: true)
    guard problem.function == 0 else { throw Declined("matmul has no function, but \(problem.function) is asked for") }
    let matmul = problem.matmul
    try elementCount([matmul.batch, matmul.m, matmul.n])
    try elementCount([matmul.m, matmul.k])
    try elementCount([matmul.k, matmul.n])
    for stride in [matmul.row_stride_a, matmul.row_stride_b, matmul.row_stride_c] {
        try elementCount([max(matmul.m, matmul.n, matmul.k), stride])
    }
    for stride in [matmul.batch_stride_a, matmul.batch_stride_b, matmul.batch_stride_c] {
        try elementCount([matmul.batch, stride])
    }
    guard matmul.m <= 1 || matmul.row_stride_c >= matmul.n else {
        throw Declined("rows of C overlap: row_stride_c is \(matmul.row_stride_c), expected n = \(matmul.n) or more")
    }
    guard matmul.batch <= 1 || matmul.batch_stride_c > 0 else {
        throw Declined("batch_stride_c is 0, but each of \(matmul.batch) products needs a C of its own")
    }
    let tiles = pieces(Int(matmul.m), of: tileRows) * pieces(Int(matmul.n), of: tileColumns)
    return Work(
        description: "matmul, scalar",
        pieceCount: Int(matmul.batch) * tiles,
        body: productBody(
            problem, float32: { matmulTile(Float.self, Float.self, Piece($0, $1, $2)) },
            float64: { matmulTile(Double.self, Double.self, Piece($0, $1, $2)) },
            rounded32: { matmulTile(Float.self, RoundedFloat.self, Piece($0, $1, $2)) },
            rounded64: { matmulTile(Double.self, RoundedDouble.self, Piece($0, $1, $2)) }),
        scratchBytesPerWorker: tileRows * tileColumns * MemoryLayout<Double>.stride)
}

private func matmulTile<T: Element, Factor: Number>(_ type: T.Type, _ factor: Factor.Type, _ piece: Piece) {
    let problem = piece.problem.pointee
    let matmul = problem.matmul
    let m = Int(matmul.m)
    let n = Int(matmul.n)
    let k = Int(matmul.k)
    let transposesA = problem.flags & UInt32(KANTO_FLAG_TRANSPOSE_A) != 0
    let transposesB = problem.flags & UInt32(KANTO_FLAG_TRANSPOSE_B) != 0
    let rowA = transposesA ? 1 : Int(matmul.row_stride_a)
    let columnA = transposesA ? Int(matmul.row_stride_a) : 1
    let rowB = transposesB ? 1 : Int(matmul.row_stride_b)
    let columnB = transposesB ? Int(matmul.row_stride_b) : 1

    let columnTiles = pieces(n, of: tileColumns)
    let (row, column) = piece.index.quotientAndRemainder(dividingBy: columnTiles)
    let (batch, rowTile) = row.quotientAndRemainder(dividingBy: pieces(m, of: tileRows))
    let i0 = rowTile * tileRows
    let rows = min(tileRows, m - i0)
    let j0 = column * tileColumns
    let columns = min(tileColumns, n - j0)

    let a = piece.input(0, as: Factor.self) + batch * Int(matmul.batch_stride_a) + i0 * rowA
    let b = piece.input(1, as: Factor.self) + batch * Int(matmul.batch_stride_b) + j0 * columnB
    let bias = piece.input(2, as: T.self) + j0
    let place = batch * Int(matmul.batch_stride_c) + i0 * Int(matmul.row_stride_c) + j0
    let c = piece.output(0, as: T.self) + place
    let saved = piece.input(2, as: T.self) + place
    let sums = piece.scratch.assumingMemoryBound(to: Double.self)

    if columnA == 1 && rowB == 1 && columnB != 1 {
        for i in 0..<rows {
            for j in 0..<columns {
                sums[i * columns + j] = dot(k, a + i * rowA, b + j * columnB)
            }
        }
    } else {
        sums.update(repeating: 0, count: rows * columns)
        for p in 0..<k {
            for i in 0..<rows {
                let value = a[i * rowA + p * columnA].wide
                addScaled(columns, value, b + p * rowB, stride: columnB, to: sums + i * columns)
            }
        }
    }
    let epilogue = Epilogue(problem)
    for i in 0..<rows {
        let row = i * Int(matmul.row_stride_c)
        epilogue.write(sums + i * columns, to: c + row, bias: bias, saved: saved + row, count: columns)
    }
}
