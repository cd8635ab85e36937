import KantoABI

// Products with a single row or column, of which a tile would leave five rows of six or all lanes but one empty. They
// read the matrix once and where it stands.

private struct MatrixVectorPlan {
    /// The matrix as it is stored: [rows, columns].
    var rows: Int
    var columns: Int
    var rowStride: Int
    /// Whether the vector has a number for each column, so that a row yields a number (a dot product); otherwise it has
    /// one for each row, and the rows are added up.
    var dotsRows: Bool
    var matrixIsA: Bool
    var vectorStride: Int
    var targetStride: Int
    var epilogue: Epilogue
    var hasBias: Bool
    /// From one number of the bias to the next: 0 where there is one column.
    var biasStride: Int

    var outputCount: Int { dotsRows ? rows : columns }
    var depth: Int { dotsRows ? columns : rows }
    /// A multiple of a cache line of numbers.
    var outputsPerPiece: Int { roundUp(max(16384 / max(depth, 1), 16), to: 16) }
}

/// A kernel for a matmul of one row or one column, not batched, with something to sum.
func makeMatrixVector(
    _ problem: UnsafePointer<kanto_problem>, _ requested: RequestedEpilogue, _ slot: KernelSlot
) -> kanto_status {
    let shape = problem.pointee.matmul
    let transposesA = problem.pointee.flags & UInt32(KANTO_FLAG_TRANSPOSE_A) != 0
    let transposesB = problem.pointee.flags & UInt32(KANTO_FLAG_TRANSPOSE_B) != 0
    let matrixIsA = shape.n == 1
    let count = Int(matrixIsA ? shape.m : shape.n)
    let depth = Int(shape.k)
    // A [m, k] yields one number a row; so does B stored [n, k].
    let dotsRows = matrixIsA ? !transposesA : transposesB
    let vectorIsStoredAsRow = matrixIsA ? transposesB : !transposesA
    let plan = MatrixVectorPlan(
        rows: dotsRows ? count : depth, columns: dotsRows ? depth : count,
        rowStride: Int(matrixIsA ? shape.row_stride_a : shape.row_stride_b), dotsRows: dotsRows, matrixIsA: matrixIsA,
        vectorStride: vectorIsStoredAsRow ? 1 : Int(matrixIsA ? shape.row_stride_b : shape.row_stride_a),
        targetStride: matrixIsA ? Int(shape.row_stride_c) : 1, epilogue: requested.epilogue,
        hasBias: requested.hasBias, biasStride: matrixIsA ? 0 : 1)
    return makeKernel(slot, "matmul by a vector", tile: tileName, plan, scratchBytes: 4 &* depth, run: runMatrixVector)
}

private struct MatrixVectorJob {
    var plan: UnsafePointer<MadeKernel<MatrixVectorPlan>>
    var matrix: UnsafePointer<Float>
    /// Contiguous.
    var vector: UnsafePointer<Float>
    var target: UnsafeMutablePointer<Float>
    var bias: UnsafePointer<Float>?
    var epilogue: Epilogue
}

private let runMatrixVector: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: MatrixVectorPlan.self)
    let plan = made.pointee.plan
    let operands = ProductOperands(arguments!, hasBias: plan.hasBias)
    var job = MatrixVectorJob(
        plan: made, matrix: plan.matrixIsA ? operands.a : operands.b, vector: plan.matrixIsA ? operands.b : operands.a,
        target: operands.c, bias: operands.bias, epilogue: plan.epilogue)
    job.epilogue.derivative.setSaved(kanto_input(arguments, 2), output: job.target)
    if plan.vectorStride != 1 {
        let copy = arguments!.pointee.scratch!.assumingMemoryBound(to: Float.self)
        for i in 0..<plan.depth { copy[i] = job.vector[i &* plan.vectorStride] }
        job.vector = UnsafePointer(copy)
    }
    let pieces = roundUp(plan.outputCount, to: plan.outputsPerPiece) / plan.outputsPerPiece
    parallelFor(arguments!.pointee.host!, count: pieces, &job) { context, index, _ in
        let job = context!.assumingMemoryBound(to: MatrixVectorJob.self).pointee
        let plan = job.plan.pointee.plan
        let first = Int(index) &* plan.outputsPerPiece
        let outputs = first..<min(first &+ plan.outputsPerPiece, plan.outputCount)
        if plan.dotsRows { job.dotRows(outputs) } else { job.addRows(outputs) }
    }
    return kanto_status(KANTO_STATUS_OK)
}

extension MatrixVectorJob {
    /// Four accumulators hide the latency of the multiply-add.
    fileprivate func dotRows(_ rows: Range<Int>) {
        let plan = plan.pointee.plan
        let width = Lanes.scalarCount
        for row in rows {
            let source = matrix + row &* plan.rowStride
            var sum0 = Lanes(), sum1 = Lanes(), sum2 = Lanes(), sum3 = Lanes()
            var column = 0
            while column &+ 4 &* width <= plan.columns {
                sum0 = multiplyAdd(loadLanes(source + column), loadLanes(vector + column), sum0)
                let second = column &+ width
                sum1 = multiplyAdd(loadLanes(source + second), loadLanes(vector + second), sum1)
                let third = second &+ width
                sum2 = multiplyAdd(loadLanes(source + third), loadLanes(vector + third), sum2)
                let fourth = third &+ width
                sum3 = multiplyAdd(loadLanes(source + fourth), loadLanes(vector + fourth), sum3)
                column &+= 4 &* width
            }
            while column &+ width <= plan.columns {
                sum0 = multiplyAdd(loadLanes(source + column), loadLanes(vector + column), sum0)
                column &+= width
            }
            let lanes = (sum0 + sum1) + (sum2 + sum3)
            var sum: Float = 0
            for lane in 0..<width { sum += lanes[lane] }
            while column < plan.columns {
                sum += source[column] * vector[column]
                column &+= 1
            }
            finish(sum, row)
        }
    }

    /// Adds up the rows for four vectors of columns at a time, then for the columns that are left.
    fileprivate func addRows(_ columns: Range<Int>) {
        let plan = plan.pointee.plan
        let width = Lanes.scalarCount
        var column = columns.lowerBound
        while column &+ 4 &* width <= columns.upperBound {
            var sum0 = Lanes(), sum1 = Lanes(), sum2 = Lanes(), sum3 = Lanes()
            var source = matrix + column
            for row in 0..<plan.rows {
                let factor = Lanes(repeating: vector[row])
                sum0 = multiplyAdd(factor, loadLanes(source), sum0)
                sum1 = multiplyAdd(factor, loadLanes(source + width), sum1)
                sum2 = multiplyAdd(factor, loadLanes(source + 2 &* width), sum2)
                sum3 = multiplyAdd(factor, loadLanes(source + 3 &* width), sum3)
                source += plan.rowStride
            }
            for lane in 0..<width {
                finish(sum0[lane], column &+ lane)
                finish(sum1[lane], column &+ width &+ lane)
                finish(sum2[lane], column &+ 2 &* width &+ lane)
                finish(sum3[lane], column &+ 3 &* width &+ lane)
            }
            column &+= 4 &* width
        }
        while column &+ width <= columns.upperBound {
            var sum = Lanes()
            var source = matrix + column
            for row in 0..<plan.rows {
                sum = multiplyAdd(Lanes(repeating: vector[row]), loadLanes(source), sum)
                source += plan.rowStride
            }
            for lane in 0..<width { finish(sum[lane], column &+ lane) }
            column &+= width
        }
        while column < columns.upperBound {
            var sum: Float = 0
            for row in 0..<plan.rows { sum += vector[row] * matrix[row &* plan.rowStride &+ column] }
            finish(sum, column)
            column &+= 1
        }
    }

    @inline(__always) private func finish(_ sum: Float, _ index: Int) {
        let plan = plan.pointee.plan
        var sum = sum
        if let bias { sum += bias[index &* plan.biasStride] }
        let address = target + index &* plan.targetStride
        epilogue.store(sum, to: address)
        if epilogue.curve != .none { epilogue.curve.apply(to: address, count: 1) }
    }
}
