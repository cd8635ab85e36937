import KantoABI

private struct MatmulPlan {
    var product: Product
    var layoutB: PanelSource
    var batchStrideB = 0
    /// Products that B is packed for.
    var packCount = 1
    /// Whether A, stored [k, m], is copied into panels [k, 6], one after another.
    var packsA = false
    var m = 0
    var k = 0
    var rowStrideA = 0
    var batchStrideA = 0
    var packedSizeA = 0
    var hasBias = false

    var piecesA: PackPieces { PackPieces(groupCount: product.groupCount, rowCount: k) }
}

func makeMatmul(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    let known =
        KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS | KANTO_FLAG_TRANSPOSE_A | KANTO_FLAG_TRANSPOSE_B
        | KANTO_FLAG_DERIVATIVE
    guard problem.pointee.flags & ~UInt32(known) == 0 else { return decline(message, "unknown flag of a matmul") }
    let requested = RequestedEpilogue(problem)
    if let refusal = requested.refusal { return decline(message, refusal) }
    let shape = problem.pointee.matmul
    let transposesA = problem.pointee.flags & UInt32(KANTO_FLAG_TRANSPOSE_A) != 0
    let transposesB = problem.pointee.flags & UInt32(KANTO_FLAG_TRANSPOSE_B) != 0
    let words = SumWords(of: problem)
    if words == .numbers {
        if isRowwiseProduct(shape, transposesB: transposesB) { return makeRowwiseProduct(problem, requested, host, slot) }
        if shape.batch == 1 && min(shape.m, shape.n) == 1 && shape.k > 1 { return makeMatrixVector(problem, requested, slot) }
    }
    let m = Int(shape.m), n = Int(shape.n), k = Int(shape.k), batch = Int(shape.batch)
    let panels = Panels(rowCount: k, columnCount: n)
    var product = Product(panels: panels, classes: UnsafeMutablePointer<RowClass>.allocate(capacity: 1))
    product.words = words
    product.epilogue = requested.epilogue
    var rowClass = RowClass()
    rowClass.walk.innerCount = k
    rowClass.walk.innerStrideB = 1
    rowClass.rows.count = m
    rowClass.rows.innerCount = max(m, 1)
    rowClass.rows.innerStrideA = Int(shape.row_stride_a)
    rowClass.rows.innerStrideC = Int(shape.row_stride_c)
    var plan = MatmulPlan(
        product: product,
        layoutB: transposesB
            ? PanelSource(rowsPerBlock: max(k, 1), rowStride: 1, columnStride: Int(shape.row_stride_b))
            : PanelSource(rowsPerBlock: max(k, 1), rowStride: Int(shape.row_stride_b)))
    plan.m = m
    plan.k = k
    plan.hasBias = requested.hasBias
    plan.batchStrideB = Int(shape.batch_stride_b)
    // To pack B costs as much as two tiles that read it, so for few rows it is read as it stands. The last vector of a row
    // must not reach past the row, and the stride of a single row, which may be anything, has to say that it is so.
    let isUnpacked = !transposesB && m <= 2 &* tileRows && n % Lanes.scalarCount == 0 && shape.row_stride_b > 0
    if isUnpacked { plan.product.unpackedStrideB = Int(shape.row_stride_b) }
    if batch > 1 && shape.batch_stride_b == 0 && !transposesA {
        // One B for all: the batch only makes more rows.
        rowClass.rows.count = batch &* m
        rowClass.rows.outerStrideA = Int(shape.batch_stride_a)
        rowClass.rows.outerStrideC = Int(shape.batch_stride_c)
    } else {
        plan.product.groupCount = batch
        plan.product.groupStrideA = Int(shape.batch_stride_a)
        plan.product.groupStrideC = Int(shape.batch_stride_c)
        if shape.batch_stride_b != 0 {
            plan.packCount = batch
            plan.product.groupStrideB = isUnpacked ? Int(shape.batch_stride_b) : panels.size
        }
    }
    if transposesA {
        plan.packsA = true
        plan.rowStrideA = Int(shape.row_stride_a)
        plan.batchStrideA = Int(shape.batch_stride_a)
        plan.packedSizeA = roundUp(m, to: tileRows) &* k
        plan.product.groupStrideA = plan.packedSizeA
        rowClass.walk.innerStrideA = tileRows
        rowClass.rows.innerCount = tileRows
        rowClass.rows.innerStrideA = 1
        rowClass.rows.middleCount = max(roundUp(m, to: tileRows) / tileRows, 1)
        rowClass.rows.middleStrideA = tileRows &* k
        rowClass.rows.middleStrideC = tileRows &* Int(shape.row_stride_c)
    }
    if isUnpacked { plan.packCount = 0 }
    plan.product.append(rowClass)
    plan.product.fit(host, countA: m &* k &* max(batch, 0))
    let packedA = plan.packsA ? max(batch, 0) &* plan.packedSizeA : 0
    let scratch = roundUp(plan.packCount &* panels.size, to: floatsPerLine) &+ packedA
    return makeKernel(
        slot, "matmul", tile: tileName, plan, scratchBytes: 4 &* (batch > 0 ? scratch : 0), owned: plan.product.classes,
        run: runMatmul)
}

private struct TransposedRowsJob {
    var plan: UnsafePointer<MadeKernel<MatmulPlan>>
    var source: UnsafePointer<Float>
    var packed: UnsafeMutablePointer<Float>
}

private let runMatmul: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: MatmulPlan.self)
    let host = arguments!.pointee.host!
    var product = made.pointee.plan.product
    if product.tileCount == 0 || product.panels.columnCount <= 0 || product.groupCount <= 0 {
        return kanto_status(KANTO_STATUS_OK)
    }
    let c = kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self)
    let bias = made.pointee.plan.hasBias ? kanto_input(arguments, 2)!.assumingMemoryBound(to: Float.self) : nil
    product.epilogue.derivative.setSaved(kanto_input(arguments, 2), output: c)
    // With an empty inner dimension nothing else is read; the addresses only have to be some.
    var a = UnsafePointer(c)
    var b = UnsafePointer(c)
    if made.pointee.plan.k > 0 {
        a = kanto_input(arguments, 0)!.assumingMemoryBound(to: Float.self)
        b = kanto_input(arguments, 1)!.assumingMemoryBound(to: Float.self)
        let scratch = arguments!.pointee.scratch?.assumingMemoryBound(to: Float.self)
        if product.unpackedStrideB == 0 {
            packInParallel(
                host,
                PackJob(
                    panels: product.panels, layout: made.pointee.plan.layoutB, groupCount: made.pointee.plan.packCount,
                    groupStrideSource: made.pointee.plan.batchStrideB, groupStridePacked: product.panels.size,
                    source: b, packed: scratch!))
            b = UnsafePointer(scratch!)
        }
        if made.pointee.plan.packsA {
            let size = roundUp(made.pointee.plan.packCount &* product.panels.size, to: floatsPerLine)
            var job = TransposedRowsJob(plan: made, source: a, packed: scratch! + size)
            parallelFor(host, count: made.pointee.plan.piecesA.count, &job) { context, index, _ in
                let job = context!.assumingMemoryBound(to: TransposedRowsJob.self)
                let plan = job.pointee.plan.pointee.plan
                let group = plan.piecesA.group(index)
                packTransposedRows(
                    job.pointee.source + group &* plan.batchStrideA, stride: plan.rowStrideA, depth: plan.k,
                    columns: plan.m, rows: plan.piecesA.rows(index),
                    to: job.pointee.packed + group &* plan.packedSizeA)
            }
            a = UnsafePointer(scratch! + size)
        }
    }
    product.computeInParallel(host, ProductOperands(a: a, b: b, c: c, bias: bias))
    return kanto_status(KANTO_STATUS_OK)
}
