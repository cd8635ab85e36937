import KantoABI

// The weight gradient: rows are kernel taps and channels, columns are output channels, and the inner dimension is the
// output positions for which the taps fall inside the input. Positions whose taps are the same form a class; they are
// walked in blocks, for each of which dy and then the input, a few tiles at a time, are copied in the order in which the
// tiles read them (ConvolutionWeightBlock.swift).

struct WeightGradientPlan {
    var shape: ConvolutionShape
    var accumulates: Bool
    /// What x and dy consist of.
    var words = SumWords.numbers
    var bias: ReductionPlan
    var classes: UnsafeMutablePointer<PositionClass>
    var classCount = 0
    var blockCount = 0
    /// Positions of a block at most. Each block adds its sums to the weights once, which twice as many did not make cheaper,
    /// and leaves dy of the next one in the cache.
    let blockLimit = 256
    /// With more than one part the blocks are shared out, and each part sums into a copy of its own.
    var partCount = 1

    var weightCount: Int { shape.weightRows &* shape.outputChannels }
    /// Pieces that the rows of all groups can be cut into. They are independent: how many a run takes changes no result.
    var largestRowPieces: Int { max(shape.groups, 1) &* max(shape.weightRows / fewestRows, 1) }
    var copyStride: Int { roundUp(weightCount, to: 16) }
    /// Rows of the weights that stand side by side in the input: a kernel row's, or a single tap's channels.
    var lineRows: Int { shape.hasContiguousRows ? shape.kernelWidth &* shape.channels : shape.groupChannels }
}

/// Output positions of all samples whose taps fall inside the input for the same kernel rows and columns.
struct PositionClass {
    var vertical: AxisClass
    var horizontal: AxisClass
    /// A is the input at the first tap inside it, C the output.
    var positions: RowGrid
    /// Blocks of the classes before, and of this one.
    var firstBlock: Int
    var blockCount: Int
}

func makeConvolutionWeightGradient(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?,
    _ algorithm: ConvolutionAlgorithm
) -> kanto_status {
    guard problem.pointee.flags & ~UInt32(KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS) == 0 else {
        return decline(message, "unknown flag of a weight gradient")
    }
    guard problem.pointee.activation == KANTO_ACTIVATION_NONE else {
        return decline(message, "a weight gradient has no epilogue")
    }
    if let flaw = ConvolutionShape.flaw(problem) { return decline(message, flaw) }
    let shape = ConvolutionShape(problem.pointee.convolution)
    let choice = shape.filteredOutputs(problem, algorithm)
    if let refusal = choice.refusal { return decline(message, refusal) }
    let accumulates = problem.pointee.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
    var bias = ReductionPlan()
    if let reason = bias.readBiasGradient(problem, shape, host) { return decline(message, reason) }
    var plan = WeightGradientPlan(shape, accumulates: accumulates, bias: bias, host: host)
    plan.words = SumWords(of: problem)
    let copies = plan.copyCount(threads: Int(host.pointee.thread_count)) &* plan.copyStride
    let workers = Int(host.pointee.thread_count) &* WeightBlockLayout(plan).floatCount
    // The sums of dy are finished before the scratch is written again.
    let scratch = max(copies &+ workers, (bias.scratchBytes &+ 3) / 4)
    let status = makeKernel(
        slot, "conv2d_weight_gradient", tile: tileName, plan, scratchBytes: 4 &* scratch, owned: plan.classes,
        run: runWeightGradient)
    guard let forward = FilteredPlan(shape, isAdjoint: false, outputs: choice.outputs, RequestedEpilogue(), host) else {
        return status
    }
    let filtered = FilteredWeightGradient(forward, accumulates: accumulates)
    return makeKernel(
        slot, "conv2d_weight_gradient", tile: forward.tileName, filtered, scratchBytes: 4 &* max(scratch, filtered.scratchCount),
        owned: forward.parts, other: slot.pointee, run: runFilteredWeightGradient)
}

private let runFilteredWeightGradient: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: FilteredWeightGradient.self)
    let direct = madeKernel(at: made.pointee.head.other!, as: WeightGradientPlan.self)
    direct.pointee.plan.bias.sumBias(arguments!)
    let isFinite = made.pointee.plan.run(
        arguments!.pointee.host!, x: floats(kanto_input(arguments, 0))!, dy: floats(kanto_input(arguments, 1))!,
        dw: kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self),
        scratch: arguments!.pointee.scratch!.assumingMemoryBound(to: Float.self))
    if !isFinite { sumWeights(direct, arguments!) }
    return kanto_status(KANTO_STATUS_OK)
}

extension WeightGradientPlan {
    /// Lists the classes that have taps at all, counts their blocks, and cuts the work into pieces.
    fileprivate init(
        _ shape: ConvolutionShape, accumulates: Bool, bias: ReductionPlan, host: UnsafePointer<kanto_host>
    ) {
        self.shape = shape
        self.accumulates = accumulates
        self.bias = bias
        let axes = AxisClasses(shape, limit: max(shape.outputHeight, shape.outputWidth, 1)) { $0.forwardClasses($1) }
        classes = .allocate(capacity: max(axes.pairCount, 1))
        for y in 0..<axes.verticalCount {
            for x in 0..<axes.horizontalCount { append(axes.vertical[y], axes.horizontal[x]) }
        }
        axes.deallocate()
        divide()
    }

    private mutating func append(_ y: AxisClass, _ x: AxisClass) {
        if y.tapCount == 0 || x.tapCount == 0 || shape.channels == 0 || shape.batch <= 0 { return }
        let positions = shape.positions(y, x, shape.forwardStrides)
        let blocks = roundUp(positions.count, to: blockLimit) / blockLimit
        (classes + classCount).initialize(
            to: PositionClass(
                vertical: y, horizontal: x, positions: positions, firstBlock: blockCount, blockCount: blocks))
        classCount &+= 1
        blockCount &+= blocks
    }

    /// Shares the blocks out, as long as all copies of the weights stay small and each part has blocks enough to pay for its
    /// copy; fewer where there are too few rows to be shared out in their place. Pieces of rows copy dy anew, each of them,
    /// which where it is large comes from memory each time (128 to 128 channels by 3x3 at 32x32, 192 samples: a third slower).
    ///
    /// What is summed in which order depends on the shape alone, so that any number of threads finds the same bits.
    private mutating func divide() {
        let groups = max(shape.groups, 1)
        let paying = min(enoughPieces / groups, blockCount / payingBlocks)
        let needed = min(enoughPieces / largestRowPieces, blockCount / fewestBlocks)
        partCount = max(1, min(largestCopies / max(weightCount, 1), max(paying, needed)))
    }

    /// Copies of the weights that a run needs: one thread sums part after part into the same one.
    fileprivate func copyCount(threads: Int) -> Int {
        partCount == 1 ? 0 : threads == 1 ? 1 : partCount
    }

    /// Pieces that the rows of each group are cut into by a run. Each copies dy anew.
    fileprivate func rowPieces(threads: Int) -> Int {
        if threads == 1 { return 1 }
        let pieces = max(shape.groups, 1) &* partCount
        return max(1, min(roundUp(threads &* piecesPerThread, to: pieces) / pieces, shape.weightRows / fewestRows))
    }
}

/// Pieces that are enough for the threads of a machine.
private var enoughPieces: Int { 16 }
/// Blocks of a part with which it costs next to nothing, and at least: to fill and to add up a copy costs about as much as a
/// block adds to it.
private var payingBlocks: Int { 8 }
private var fewestBlocks: Int { 2 }
/// Numbers in all copies of the weights at most: they should stay in the last-level cache.
private var largestCopies: Int { 1 << 21 }
/// Rows of a piece at least, so that dy, which each piece copies anew, is read by several tiles.
private var fewestRows: Int { 48 }

private struct WeightGradientJob {
    var plan: UnsafePointer<MadeKernel<WeightGradientPlan>>
    var x: UnsafePointer<Float>
    var dy: UnsafePointer<Float>
    /// The output, or the copies of the parts.
    var sums: UnsafeMutablePointer<Float>
    var partStride: Int
    var dw: UnsafeMutablePointer<Float>
    /// Of the first worker.
    var scratch: UnsafeMutablePointer<Float>
    var rowPieces: Int
}

private let runWeightGradient: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: WeightGradientPlan.self)
    made.pointee.plan.bias.sumBias(arguments!)
    sumWeights(made, arguments!)
    return kanto_status(KANTO_STATUS_OK)
}

extension ReductionPlan {
    /// That of a weight gradient's bias gradient, the sums of dy over all positions; no kept elements where it is not wanted.
    mutating func readBiasGradient(
        _ problem: UnsafePointer<kanto_problem>, _ shape: ConvolutionShape, _ host: UnsafePointer<kanto_host>
    ) -> StaticString? {
        guard problem.pointee.flags & UInt32(KANTO_FLAG_BIAS) != 0 else {
            keptCount = 0
            return nil
        }
        return read(
            sumOver: shape.batch &* shape.outputHeight &* shape.outputWidth, shape.outputChannels,
            accumulates: problem.pointee.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0, host)
    }

    /// Computes it, with the arguments and the scratch of the weight gradient.
    func sumBias(_ arguments: UnsafePointer<kanto_arguments>) {
        if keptCount == 0 { return }
        let db = kanto_output(arguments, 1)!.assumingMemoryBound(to: Float.self)
        // Nothing is read where there are no positions.
        let dy = floats(kanto_input(arguments, 1)) ?? UnsafePointer(db)
        let scratch = arguments.pointee.scratch ?? UnsafeMutableRawPointer(db)
        runPieces(ReductionRun(self, dy, dy, db, db, scratch: scratch), arguments.pointee.host!)
    }
}

private func sumWeights(_ made: UnsafePointer<MadeKernel<WeightGradientPlan>>, _ arguments: UnsafePointer<kanto_arguments>) {
    let plan = made.pointee.plan
    let host = arguments.pointee.host!
    if plan.weightCount == 0 { return }
    let dw = kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self)
    if plan.blockCount == 0 {
        if !plan.accumulates { fillWithZeros(dw, plan.weightCount) }
        return
    }
    let scratch = arguments.pointee.scratch!.assumingMemoryBound(to: Float.self)
    let shape = plan.shape
    let threads = Int(host.pointee.thread_count)
    var job = WeightGradientJob(
        plan: made, x: kanto_input(arguments, 0)!.assumingMemoryBound(to: Float.self),
        dy: kanto_input(arguments, 1)!.assumingMemoryBound(to: Float.self), sums: dw, partStride: 0, dw: dw,
        scratch: scratch, rowPieces: plan.rowPieces(threads: threads))
    if plan.partCount > 1 {
        job.sums = scratch
        job.scratch = scratch + plan.copyCount(threads: threads) &* plan.copyStride
        if threads == 1 {
            job.computePartsInTurn()
            return
        }
        job.partStride = plan.copyStride
    }
    parallelFor(host, count: shape.groups &* plan.partCount &* job.rowPieces, &job) { context, index, worker in
        context!.assumingMemoryBound(to: WeightGradientJob.self).pointee.computePiece(Int(index), worker: Int(worker))
    }
    if plan.partCount > 1 {
        let pieces = roundUp(plan.weightCount, to: weightsPerReduction) / weightsPerReduction
        parallelFor(host, count: pieces, &job) { context, index, _ in
            let job = context!.assumingMemoryBound(to: WeightGradientJob.self).pointee
            let plan = job.plan.pointee.plan
            let first = Int(index) &* weightsPerReduction
            let weights = first..<min(first &+ weightsPerReduction, plan.weightCount)
            job.add(parts: 0..<plan.partCount, weights)
        }
    }
}

private var weightsPerReduction: Int { 4096 }

extension WeightGradientJob {
    /// Adds the copies of these parts to some weights; the first part, to what the output is to start with.
    func add(parts: Range<Int>, _ weights: Range<Int>) {
        let startsWithZero = parts.lowerBound == 0 && !plan.pointee.plan.accumulates
        for i in weights {
            var sum = startsWithZero ? 0 : dw[i]
            for part in parts { sum += sums[part &* partStride &+ i] }
            dw[i] = sum
        }
    }

    /// Sums part after part into the one copy and adds each to the weights, as several threads would.
    func computePartsInTurn() {
        let plan = plan.pointee.plan
        for part in 0..<plan.partCount {
            for group in 0..<plan.shape.groups { compute(0..<plan.shape.weightRows, group: group, part: part, worker: 0) }
            add(parts: part..<part &+ 1, 0..<plan.weightCount)
        }
    }

    func computePiece(_ index: Int, worker: Int) {
        let plan = plan.pointee.plan
        let rowPiece = index % rowPieces
        let rows = rowPiece &* plan.shape.weightRows / rowPieces..<(rowPiece &+ 1) &* plan.shape.weightRows / rowPieces
        let index = index / rowPieces
        compute(rows, group: index / plan.partCount, part: index % plan.partCount, worker: worker)
    }

    /// Sums some rows of one group over the blocks of one part.
    private func compute(_ rows: Range<Int>, group: Int, part: Int, worker: Int) {
        let plan = plan.pointee.plan
        let shape = plan.shape
        let blocks = part &* plan.blockCount / plan.partCount..<(part &+ 1) &* plan.blockCount / plan.partCount
        let target = sums + (part &* partStride &+ group &* shape.groupOutputChannels)
        if plan.partCount > 1 || !plan.accumulates {
            for row in rows { fillWithZeros(target + row &* shape.outputChannels, shape.groupOutputChannels) }
        }
        let layout = WeightBlockLayout(plan)
        withBorderSums { borderSums in
            var block = WeightBlock(
                plan, layout, group: group, x: x, dy: dy, scratch: scratch + worker &* layout.floatCount,
                borderSums: borderSums)
            for index in 0..<plan.classCount {
                let found = plan.classes[index]
                let first = max(blocks.lowerBound &- found.firstBlock, 0)
                let last = min(blocks.upperBound &- found.firstBlock, found.blockCount)
                if first >= last { continue }
                block.listRows(rows, of: found)
                if block.rowCount == 0 { continue }
                for number in first..<last {
                    let (count, parts) = (found.positions.count, found.blockCount)
                    block.copyOutput(found.positions, number &* count / parts..<(number &+ 1) &* count / parts)
                    block.addProducts(to: target)
                }
            }
        }
    }
}
