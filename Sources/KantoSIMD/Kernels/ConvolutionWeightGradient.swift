import KantoABI

// The weight gradient: rows of a tile are neighbouring kernel columns and channels of one kernel row, columns are output
// channels, and the inner dimension is the output positions for which the kernel row falls inside the input. The tiles
// are independent, so that threads need no reduction unless there are too few tiles.

private struct WeightGradientPlan {
    var shape: ConvolutionShape
    var accumulates: Bool
    /// The sums of dy over all positions; no kept elements where they are not wanted.
    var bias: ReducePlan
    /// dy as a matrix [positions, output channels of a group].
    var panels: Panels
    var verticals: UnsafeMutablePointer<AxisClass>
    var verticalCount: Int
    var horizontals: UnsafeMutablePointer<AxisClass>
    var horizontalCount: Int
    /// The positions of a block, for each pair of classes, and where a pair's begin.
    var steps: UnsafeMutablePointer<Step>?
    var firstSteps: UnsafeMutablePointer<Int>?
    /// Kernel rows, times kernel columns where their channels are not one run in memory.
    var unitCount: Int
    /// Rows of the weights in a unit, and how they are cut into pieces.
    var unitRows: Int
    var pieceRows: Int
    var piecesPerUnit: Int
    /// Panels of output channels are cut into this many pieces.
    var panelPieces: Int
    /// Positions are walked in blocks of samples, or of output rows of one sample, for which dy stays in cache.
    var blockSamples: Int
    var blockOutputRows: Int
    /// With more than one part the batch is cut, and each part sums into a copy of its own.
    var partCount: Int

    var packedSize: Int { packs ? shape.groups &* panels.size : 0 }
    var weightCount: Int { shape.weightRows &* shape.outputChannels }
    /// One panel of whole vectors already stands as it would be packed. Several are packed even where that is not
    /// needed: read with the stride of all output channels, they fall into few sets of the cache (a tenth slower).
    var packs: Bool {
        shape.groups > 1 || panels.count > 1 || shape.outputChannels % Lanes.scalarCount != 0
    }
    var pieceCount: Int { partCount &* shape.groups &* panelPieces &* unitCount &* piecesPerUnit }
}

/// Output positions of a block: few enough that a panel of their gradients and what they read of the input stay in
/// cache from tile to tile, and as many as that allows, for each block adds its sums to the weights once. Narrow panels
/// leave the input the larger share: 256 instead of 512 gave a tenth with 16 columns. Where a kernel row holds few tiles
/// there is little to reuse, and the blocks are long.
private func positionsPerBlock(unitRows: Int) -> Int {
    if unitRows < 4 &* tileRows { return 2048 }
    return Panels.fullWidth < 64 ? 256 : 512
}

func makeConvolutionWeightGradient(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    guard problem.pointee.flags & ~UInt32(KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS) == 0 else {
        return decline(message, "unknown flag of a weight gradient")
    }
    guard problem.pointee.activation == KANTO_ACTIVATION_NONE else {
        return decline(message, "a weight gradient has no epilogue")
    }
    if let flaw = ConvolutionShape.flaw(problem) { return decline(message, flaw) }
    let shape = ConvolutionShape(problem.pointee.convolution)
    let accumulates = problem.pointee.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
    let positions = shape.outputHeight &* shape.outputWidth
    var bias = ReducePlan()
    if problem.pointee.flags & UInt32(KANTO_FLAG_BIAS) != 0 {
        if let reason = bias.read(sumOver: shape.batch &* positions, shape.outputChannels, accumulates: accumulates, host) {
            return decline(message, reason)
        }
    } else {
        bias.keptCount = 0
    }
    let panels = Panels(rowCount: shape.batch &* positions, columnCount: shape.groupOutputChannels)
    let verticals = UnsafeMutablePointer<AxisClass>.allocate(capacity: max(shape.outputHeight, 1))
    let horizontals = UnsafeMutablePointer<AxisClass>.allocate(capacity: max(shape.outputWidth, 1))
    var plan = WeightGradientPlan(
        shape: shape, accumulates: accumulates, bias: bias, panels: panels,
        verticals: verticals, verticalCount: shape.vertical.forwardClasses(verticals),
        horizontals: horizontals, horizontalCount: shape.horizontal.forwardClasses(horizontals),
        steps: nil, firstSteps: nil,
        unitCount: shape.kernelHeight, unitRows: shape.kernelWidth &* shape.channels, pieceRows: 1, piecesPerUnit: 1,
        panelPieces: 1, blockSamples: 1, blockOutputRows: max(shape.outputHeight, 1), partCount: 1)
    if !shape.hasContiguousRows {
        plan.unitCount = shape.kernelHeight &* shape.kernelWidth
        plan.unitRows = shape.groupChannels
    }
    let longest = positionsPerBlock(unitRows: plan.unitRows)
    if positions > longest {
        plan.blockOutputRows = max(longest / max(shape.outputWidth, 1), 1)
    } else {
        plan.blockSamples = max(min(longest / max(positions, 1), shape.batch), 1)
    }
    plan.tabulateSteps()
    plan.divide(threads: Int(host.pointee.thread_count))
    let copies = plan.partCount > 1 ? plan.partCount &* roundUp(plan.weightCount, to: 16) : 0
    // The sums of dy are finished before the scratch is written again.
    let scratch = max(plan.packedSize &+ copies, (bias.scratchBytes &+ 3) / 4)
    return makeKernel(slot, "conv2d_weight_gradient", plan, scratchFloats: scratch, run: runWeightGradient) { kernel in
        let made = UnsafeMutableRawPointer(kernel!).assumingMemoryBound(to: MadeKernel<WeightGradientPlan>.self)
        made.pointee.plan.steps?.deallocate()
        made.pointee.plan.firstSteps?.deallocate()
        made.pointee.plan.verticals.deallocate()
        made.pointee.plan.horizontals.deallocate()
        made.deallocate()
    }
}

extension WeightGradientPlan {
    /// Lists the positions of a block class by class: samples, output rows, output columns. A shorter block walks a
    /// shorter part of the same list.
    mutating func tabulateSteps() {
        var total = 0
        for y in 0..<verticalCount {
            for x in 0..<horizontalCount { total &+= rowsInBlock(y) &* horizontals[x].count }
        }
        let steps = UnsafeMutablePointer<Step>.allocate(capacity: max(total &* blockSamples, 1))
        let firstSteps = UnsafeMutablePointer<Int>.allocate(capacity: max(verticalCount &* horizontalCount, 1))
        var count = 0
        for y in 0..<verticalCount {
            for x in 0..<horizontalCount {
                firstSteps[y &* horizontalCount &+ x] = count
                for sample in 0..<blockSamples {
                    for row in 0..<rowsInBlock(y) {
                        for column in 0..<horizontals[x].count {
                            let offset = row &* shape.vertical.stride &* shape.width &+ column &* shape.horizontal.stride
                            steps[count] = Step(
                                offsetA: sample &* shape.inputSize &+ offset &* shape.channels,
                                rowB: (sample &* shape.outputHeight &+ row) &* shape.outputWidth &+ column)
                            count &+= 1
                        }
                    }
                }
            }
        }
        self.steps = steps
        self.firstSteps = firstSteps
    }

    private func rowsInBlock(_ vertical: Int) -> Int { min(verticals[vertical].count, blockOutputRows) }

    /// Cuts the work into pieces: the rows of a unit first, then the panels and, if these are still too few, the batch.
    mutating func divide(threads: Int) {
        let wanted = threads == 1 ? 1 : threads &* piecesPerThread
        let whole = max(shape.groups &* unitCount, 1)
        let fewest = roundUp(unitRows, to: longestPiece) / longestPiece
        let most = max(unitRows / shortestPiece, 1)
        piecesPerUnit = max(1, fewest, min(roundUp(wanted, to: whole) / whole, most))
        pieceRows = max(roundUp(roundUp(unitRows, to: piecesPerUnit) / piecesPerUnit, to: tileRows), tileRows)
        piecesPerUnit = max(roundUp(unitRows, to: pieceRows) / pieceRows, 1)
        var pieces = whole &* piecesPerUnit
        panelPieces = max(1, min(roundUp(wanted, to: pieces) / pieces, panels.count))
        pieces &*= panelPieces
        if threads > 1 && pieces < 3 &* threads {
            partCount = max(1, min(roundUp(wanted, to: pieces) / pieces, shape.batch))
        }
    }
}

/// Rows of a piece at least, so that a block of dy is read by several tiles, and at most, so that the part of the input
/// that a block of positions reads stays in the second-level cache while the panels pass.
private var shortestPiece: Int { 24 }
private var longestPiece: Int { 192 }

private struct WeightGradientJob {
    var plan: UnsafePointer<MadeKernel<WeightGradientPlan>>
    var x: UnsafePointer<Float>
    /// As panels.
    var dy: UnsafePointer<Float>
    /// The output, or the copies of the parts.
    var sums: UnsafeMutablePointer<Float>
    var partStride: Int
    var dw: UnsafeMutablePointer<Float>
}

private let runWeightGradient: RunFunction = { kernel, arguments, _ in
    let made = plan(of: kernel!, as: WeightGradientPlan.self)
    let plan = made.pointee.plan
    let host = arguments!.pointee.host!
    if plan.bias.keptCount > 0 {
        let db = arguments!.pointee.outputs.1!.assumingMemoryBound(to: Float.self)
        // Nothing is read where there are no positions.
        let dy = floats(arguments!.pointee.inputs.1) ?? UnsafePointer(db)
        let scratch = arguments!.pointee.scratch ?? UnsafeMutableRawPointer(db)
        runPieces(ReduceRun(plan.bias, dy, dy, db, db, scratch: scratch), host)
    }
    if plan.weightCount == 0 { return kanto_status(KANTO_STATUS_OK) }
    let dw = arguments!.pointee.outputs.0!.assumingMemoryBound(to: Float.self)
    if plan.panels.rowCount == 0 || plan.shape.inputSize == 0 {
        if !plan.accumulates { fillWithZeros(dw, plan.weightCount) }
        return kanto_status(KANTO_STATUS_OK)
    }
    let scratch = arguments!.pointee.scratch?.assumingMemoryBound(to: Float.self)
    let dy = arguments!.pointee.inputs.1!.assumingMemoryBound(to: Float.self)
    var job = WeightGradientJob(
        plan: made, x: arguments!.pointee.inputs.0!.assumingMemoryBound(to: Float.self), dy: dy, sums: dw, partStride: 0,
        dw: dw)
    if plan.packs {
        packInParallel(
            host,
            PackJob(
                panels: plan.panels,
                layout: PanelSource(rowsPerBlock: plan.panels.rowCount, rowStride: plan.shape.outputChannels),
                groupCount: plan.shape.groups, groupStrideSource: plan.shape.groupOutputChannels,
                groupStridePacked: plan.panels.size, source: dy, packed: scratch!))
        job.dy = UnsafePointer(scratch!)
    }
    if plan.partCount > 1 {
        job.sums = scratch! + plan.packedSize
        job.partStride = roundUp(plan.weightCount, to: 16)
    }
    parallelFor(host, count: plan.pieceCount, &job) { context, index, _ in
        context!.assumingMemoryBound(to: WeightGradientJob.self).pointee.computePiece(Int(index))
    }
    if plan.partCount > 1 {
        let pieces = roundUp(plan.weightCount, to: weightsPerReduction) / weightsPerReduction
        parallelFor(host, count: pieces, &job) { context, index, _ in
            context!.assumingMemoryBound(to: WeightGradientJob.self).pointee.reducePiece(Int(index))
        }
    }
    return kanto_status(KANTO_STATUS_OK)
}

private var weightsPerReduction: Int { 4096 }

extension WeightGradientJob {
    /// Adds up the copies of some weights.
    func reducePiece(_ index: Int) {
        let plan = plan.pointee.plan
        let first = index &* weightsPerReduction
        for i in first..<min(first &+ weightsPerReduction, plan.weightCount) {
            var sum = plan.accumulates ? dw[i] : 0
            for part in 0..<plan.partCount { sum += sums[part &* partStride &+ i] }
            dw[i] = sum
        }
    }

    /// Sums some rows of one unit for one panel, over all positions of a part of the batch.
    func computePiece(_ index: Int) {
        let plan = plan.pointee.plan
        let shape = plan.shape
        let piece = index % plan.piecesPerUnit
        var rest = index / plan.piecesPerUnit
        let unit = rest % plan.unitCount
        rest /= plan.unitCount
        let panelPiece = rest % plan.panelPieces
        rest /= plan.panelPieces
        let group = rest % shape.groups
        let part = rest / shape.groups
        let rows = piece &* plan.pieceRows..<min((piece &+ 1) &* plan.pieceRows, plan.unitRows)
        let samples = part &* shape.batch / plan.partCount..<(part &+ 1) &* shape.batch / plan.partCount
        let panels = panelPiece &* plan.panels.count / plan.panelPieces
            ..< (panelPiece &+ 1) &* plan.panels.count / plan.panelPieces
        let target = sums + (part &* partStride &+ unit &* plan.unitRows &* shape.outputChannels
            &+ group &* shape.groupOutputChannels)
        if plan.partCount > 1 || !plan.accumulates {
            for panel in panels {
                for row in rows {
                    fillWithZeros(
                        target + (row &* shape.outputChannels &+ panel &* Panels.fullWidth), plan.panels.columns(panel))
                }
            }
        }
        var sample = samples.lowerBound
        while sample < samples.upperBound {
            let sampleEnd = min(sample &+ plan.blockSamples, samples.upperBound)
            var top = 0
            while top < shape.outputHeight {
                let bottom = min(top &+ plan.blockOutputRows, shape.outputHeight)
                withBorderSums { sums in
                    for panel in panels {
                        addBlock(
                            group: group, panel: panel, unit: unit, rows: rows, samples: sample..<sampleEnd,
                            outputRows: top..<bottom, target + panel &* Panels.fullWidth, borderSums: sums)
                    }
                }
                top = bottom
            }
            sample = sampleEnd
        }
    }

    private func addBlock(
        group: Int, panel: Int, unit: Int, rows: Range<Int>, samples: Range<Int>, outputRows: Range<Int>,
        _ target: UnsafeMutablePointer<Float>, borderSums: UnsafeMutablePointer<Float>
    ) {
        let plan = plan.pointee.plan
        let shape = plan.shape
        let vectors = plan.panels.vectors(panel)
        let width = vectors &* Lanes.scalarCount
        let tapY = shape.hasContiguousRows ? unit : unit / shape.kernelWidth
        let panelStart = dy + (group &* plan.panels.size &+ plan.panels.offset(panel))
        var task = TileTask(
            a: x, panel: panelStart, columnCount: plan.panels.columns(panel), c: target, borderSums: borderSums)
        task.epilogue.accumulates = true
        for yIndex in 0..<plan.verticalCount {
            let y = plan.verticals[yIndex]
            if tapY < y.firstTap || tapY >= y.firstTap &+ y.tapCount { continue }
            let top = max(y.start, outputRows.lowerBound)
            let bottom = min(y.start &+ y.count, outputRows.upperBound)
            if top >= bottom { continue }
            let sourceY = top &* shape.vertical.stride &- shape.vertical.pad &+ tapY &* shape.dilationY
            for xIndex in 0..<plan.horizontalCount {
                let horizontal = plan.horizontals[xIndex]
                var first = rows.lowerBound
                var last = rows.upperBound
                // The column of the input that the unit's first row reads; left of the input where that row is no tap.
                var sourceX = horizontal.start &* shape.horizontal.stride &- shape.horizontal.pad
                if shape.hasContiguousRows {
                    first = max(first, horizontal.firstTap &* shape.channels)
                    last = min(last, (horizontal.firstTap &+ horizontal.tapCount) &* shape.channels)
                } else {
                    let tapX = unit % shape.kernelWidth
                    if tapX < horizontal.firstTap || tapX >= horizontal.firstTap &+ horizontal.tapCount { continue }
                    sourceX &+= tapX &* shape.dilationX
                }
                if first >= last { continue }
                task.steps = UnsafePointer(plan.steps! + plan.firstSteps![yIndex &* plan.horizontalCount &+ xIndex])
                task.stepCount = samples.count &* (bottom &- top) &* horizontal.count
                let sample = samples.lowerBound
                task.panel = panelStart
                    + ((sample &* shape.outputHeight &+ top) &* shape.outputWidth &+ horizontal.start) &* width
                addTiles(
                    &task, rows: first..<last, target,
                    offset: sample &* shape.inputSize &+ (sourceY &* shape.width &+ sourceX) &* shape.channels
                        &+ group &* shape.groupChannels,
                    vectors: vectors)
            }
        }
    }

    @inline(__always)
    private func addTiles(
        _ task: inout TileTask, rows: Range<Int>, _ target: UnsafeMutablePointer<Float>, offset: Int, vectors: Int
    ) {
        let stride = plan.pointee.plan.shape.outputChannels
        var row = rows.lowerBound
        while row < rows.upperBound {
            task.rowCount = min(tileRows, rows.upperBound &- row)
            let last = task.rowCount &- 1
            let source = x + (offset &+ row)
            task.rows.e0 = source
            task.rows.e1 = source + min(1, last)
            task.rows.e2 = source + min(2, last)
            task.rows.e3 = source + min(3, last)
            task.rows.e4 = source + min(4, last)
            task.rows.e5 = source + min(5, last)
            task.targets.e0 = target + row &* stride
            task.targets.e1 = target + (row &+ 1) &* stride
            task.targets.e2 = target + (row &+ 2) &* stride
            task.targets.e3 = target + (row &+ 3) &* stride
            task.targets.e4 = target + (row &+ 4) &* stride
            task.targets.e5 = target + (row &+ 5) &* stride
            withUnsafePointer(to: &task) { computeTile($0, vectorCount: vectors) }
            row &+= tileRows
        }
    }
}
