import KantoABI

// Products of few steps or few rows. All their work is to write C or to read B, so both are gone through row by row, from
// end to end: tiles would touch the lines of many rows for a few multiply-adds each.

private struct RowwiseProductPlan {
    /// Sums that are worked on at once, on the stack. With the rows of B that they meet they stay in the first-level cache.
    typealias Sums = Six<(Line, Line, Line, Line, Line, Line, Line, Line)>
    typealias Line = SIMD64<Float>
    static var sumCount: Int { MemoryLayout<Sums>.size / MemoryLayout<Float>.size }

    var rowCount: Int
    var columnCount: Int
    var depth: Int
    var rowStrideA: Int
    var stepStrideA: Int
    var rowStrideB: Int
    /// Whether B is stored [columns, depth] and has to be copied as [depth, columns].
    var copiesB: Bool
    var rowStrideC: Int
    var epilogue: Epilogue
    var hasBias: Bool
    /// Of a piece of C that a thread computes.
    var rowsPerPiece = 1
    var columnsPerPiece = 1

    /// Rows that meet a few rows of B in turn.
    var rowsAtOnce: Int { depth <= stepsAtOnce ? 1 : rowsPerPiece }
    var columnsAtOnce: Int { min(1024, RowwiseProductPlan.sumCount / rowsAtOnce / floatsPerLine &* floatsPerLine) }
    var columnPieces: Int { roundUp(columnCount, to: columnsPerPiece) / columnsPerPiece }
    var rowPieces: Int { roundUp(rowCount, to: rowsPerPiece) / rowsPerPiece }
}

private var stepsAtOnce: Int { 4 }

/// Whether a matmul is such a product. Of few rows, B has to be stored by rows, and these to be long enough for runs; and a
/// single row is added up in registers (`makeMatrixVector`) where B has at most 512 KB and stays in a cache.
func isRowwiseProduct(_ shape: kanto_matmul, transposesB: Bool) -> Bool {
    guard shape.batch == 1, shape.m > 0, shape.k > 0, shape.n >= 2 * Int64(Lanes.scalarCount) else { return false }
    if shape.m > 1 && shape.k <= Int64(stepsAtOnce) { return true }
    if transposesB || shape.m > 4 || shape.n < 256 { return false }
    return shape.m > 1 || shape.k > (1 << 17) / shape.n
}

/// A kernel for such a product.
func makeRowwiseProduct(
    _ problem: UnsafePointer<kanto_problem>, _ requested: RequestedEpilogue, _ host: UnsafePointer<kanto_host>,
    _ slot: KernelSlot
) -> kanto_status {
    let shape = problem.pointee.matmul
    let transposesA = problem.pointee.flags & UInt32(KANTO_FLAG_TRANSPOSE_A) != 0
    // A single step of B stored [n, 1] without gaps is a row.
    let copiesB = problem.pointee.flags & UInt32(KANTO_FLAG_TRANSPOSE_B) != 0 && !(shape.k == 1 && shape.row_stride_b == 1)
    var plan = RowwiseProductPlan(
        rowCount: Int(shape.m), columnCount: Int(shape.n), depth: Int(shape.k),
        rowStrideA: transposesA ? 1 : Int(shape.row_stride_a), stepStrideA: transposesA ? Int(shape.row_stride_a) : 1,
        rowStrideB: Int(shape.row_stride_b), copiesB: copiesB, rowStrideC: Int(shape.row_stride_c),
        epilogue: requested.epilogue, hasBias: requested.hasBias)
    // Runs of 1 KB at least, and no piece of less than 16384 multiply-adds.
    let smallest = max(256, roundUp(16384 / plan.depth, to: floatsPerLine))
    plan.rowsPerPiece = plan.depth <= stepsAtOnce ? max(1, 8192 / plan.columnCount) : plan.rowCount
    // Columns are shared out where there are not rows enough for all threads.
    let pieces = max(1, Int(host.pointee.thread_count) &* piecesPerThread / plan.rowPieces)
    plan.columnsPerPiece = max(smallest, roundUp((plan.columnCount &+ pieces &- 1) / pieces, to: floatsPerLine))
    let scratch = copiesB ? plan.depth &* plan.columnCount : 0
    return makeKernel(slot, "matmul by rows", tile: tileName, plan, scratchBytes: 4 &* scratch, run: runRowwiseProduct)
}

private struct RowwiseProductJob {
    var plan: UnsafePointer<MadeKernel<RowwiseProductPlan>>
    /// B is [depth, columns].
    var operands: ProductOperands
    var rowStrideB: Int
    var epilogue: Epilogue
}

private let runRowwiseProduct: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: RowwiseProductPlan.self)
    let plan = made.pointee.plan
    var job = RowwiseProductJob(
        plan: made, operands: ProductOperands(arguments!, hasBias: plan.hasBias), rowStrideB: plan.rowStrideB,
        epilogue: plan.epilogue)
    job.epilogue.derivative.setSaved(kanto_input(arguments, 2), output: job.operands.c)
    if plan.copiesB {
        let copy = arguments!.pointee.scratch!.assumingMemoryBound(to: Float.self)
        for column in 0..<plan.columnCount {
            let source = job.operands.b + column &* plan.rowStrideB
            for step in 0..<plan.depth { copy[step &* plan.columnCount &+ column] = source[step] }
        }
        (job.operands.b, job.rowStrideB) = (UnsafePointer(copy), plan.columnCount)
    }
    parallelFor(arguments!.pointee.host!, count: plan.rowPieces &* plan.columnPieces, &job) { context, index, _ in
        let job = context!.assumingMemoryBound(to: RowwiseProductJob.self)
        let plan = job.pointee.plan.pointee.plan
        let row = Int(index) / plan.columnPieces &* plan.rowsPerPiece
        let column = Int(index) % plan.columnPieces &* plan.columnsPerPiece
        job.pointee.compute(
            rows: row..<min(row &+ plan.rowsPerPiece, plan.rowCount),
            columns: column..<min(column &+ plan.columnsPerPiece, plan.columnCount))
    }
    return kanto_status(KANTO_STATUS_OK)
}

extension RowwiseProductJob {
    fileprivate func compute(rows: Range<Int>, columns: Range<Int>) {
        let plan = plan.pointee.plan
        let zero = RowwiseProductPlan.Line()
        let zeros = (zero, zero, zero, zero, zero, zero, zero, zero)
        var space = RowwiseProductPlan.Sums(e0: zeros, e1: zeros, e2: zeros, e3: zeros, e4: zeros, e5: zeros)
        withUnsafeMutableBytes(of: &space) { bytes in
            let sums = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
            var row = rows.lowerBound
            while row < rows.upperBound {
                let end = min(row &+ plan.rowsAtOnce, rows.upperBound)
                var column = columns.lowerBound
                while column < columns.upperBound {
                    let count = min(plan.columnsAtOnce, columns.upperBound &- column)
                    compute(row..<end, column, count, sums)
                    column &+= count
                }
                row = end
            }
        }
    }

    /// Some rows of `count` columns from `column` on: their sums, then the epilogue.
    private func compute(_ rows: Range<Int>, _ column: Int, _ count: Int, _ sums: UnsafeMutablePointer<Float>) {
        let plan = plan.pointee.plan
        var step = 0
        while step < plan.depth {
            let steps = min(stepsAtOnce, plan.depth &- step)
            let b = operands.b + (step &* rowStrideB &+ column)
            for row in rows {
                let a = operands.a + (row &* plan.rowStrideA &+ step &* plan.stepStrideA)
                let sums = sums + (row &- rows.lowerBound) &* count
                add(steps, a, b, count: count, to: sums, isFirst: step == 0)
            }
            step &+= steps
        }
        var epilogue = epilogue
        if let bias = operands.bias { epilogue.bias = bias + column }
        for row in rows {
            let target = operands.c + (row &* plan.rowStrideC &+ column)
            epilogue.store(sums + (row &- rows.lowerBound) &* count, count: count, to: target)
            if epilogue.curve != .none { epilogue.curve.apply(to: target, count: count) }
        }
    }

    /// Adds one to four steps of a row.
    @inline(__always)
    private func add(
        _ steps: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int,
        to sums: UnsafeMutablePointer<Float>, isFirst: Bool
    ) {
        switch steps {
        case 1: add(known: 1, a, b, count, sums, isFirst)
        case 2: add(known: 2, a, b, count, sums, isFirst)
        case 3: add(known: 3, a, b, count, sums, isFirst)
        default: add(known: 4, a, b, count, sums, isFirst)
        }
    }

    @inline(__always)
    private func add(
        known steps: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int,
        _ sums: UnsafeMutablePointer<Float>, _ isFirst: Bool
    ) {
        let stride = plan.pointee.plan.stepStrideA
        let a0 = a[0]
        let a1 = steps > 1 ? a[stride] : 0
        let a2 = steps > 2 ? a[2 &* stride] : 0
        let a3 = steps > 3 ? a[3 &* stride] : 0
        var column = 0
        while column &+ Lanes.scalarCount <= count {
            var sum = isFirst ? SingleRow() : SingleRow(loading: sums + column)
            let rows = b + column
            sum.addProduct(a0, SingleRow(loading: rows), Number.self)
            if steps > 1 { sum.addProduct(a1, SingleRow(loading: rows + rowStrideB), Number.self) }
            if steps > 2 { sum.addProduct(a2, SingleRow(loading: rows + 2 &* rowStrideB), Number.self) }
            if steps > 3 { sum.addProduct(a3, SingleRow(loading: rows + 3 &* rowStrideB), Number.self) }
            sum.store(to: sums + column)
            column &+= Lanes.scalarCount
        }
        while column < count {
            var sum = isFirst ? 0 : sums[column]
            sum += a0 * b[column]
            if steps > 1 { sum += a1 * b[rowStrideB &+ column] }
            if steps > 2 { sum += a2 * b[2 &* rowStrideB &+ column] }
            if steps > 3 { sum += a3 * b[3 &* rowStrideB &+ column] }
            sums[column] = sum
            column &+= 1
        }
    }
}
