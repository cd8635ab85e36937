import KantoABI

/// A kernel of a reduction.
private struct ReducePlan {
    var header = kanto_kernel()
    var function = 0
    var accumulates = false
    /// Whether vectors lie along a kept axis.
    var alongKept = false
    var isStrided = false
    var kept = Loops()
    var reduced = Loops()
    var keptCount = 1
    var reducedCount = 1
    var pieceCount = 1
    /// Whether the pieces divide the reduced elements, and their partial results are combined at the end.
    var dividesReduced = false
}

/// What the threads of one run share.
struct ReduceRun {
    var function: Int
    var accumulates: Bool
    var alongKept: Bool
    var isStrided: Bool
    var kept: Loops
    var reduced: Loops
    /// Kept elements, or tiles of them where vectors lie along a kept axis.
    var taskCount: Int
    var keptCount: Int
    var reducedCount: Int
    var pieceCount: Int
    var dividesReduced: Bool
    var input: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    /// [piece, keptCount], where pieces divide the reduced elements.
    var partials: UnsafeMutablePointer<Double>
    /// [piece, columnScratch], where vectors lie along a kept axis.
    var columns: UnsafeMutablePointer<Float>

    /// Takes a result of a piece: writes it out, or lays it down for the end.
    @inline(__always) func finish(_ total: Double, _ keptIndex: Int, _ outputOffset: Int, _ piece: Int) {
        if dividesReduced {
            partials[piece &* keptCount &+ keptIndex] = total
        } else {
            write(total, outputOffset)
        }
    }

    @inline(__always) func write(_ total: Double, _ outputOffset: Int) {
        output[outputOffset] = Float(accumulates ? total + Double(output[outputOffset]) : total)
    }
}

/// Makes a kernel of a reduction over any set of axes.
func makeReduce(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?
) -> kanto_status {
    var plan = ReducePlan()
    plan.function = Int(problem.pointee.function)
    guard KANTO_FUNCTION_SUM...KANTO_FUNCTION_MAXIMUM_MAGNITUDE ~= plan.function else {
        return decline(message, "no such reduction in the SIMD backend")
    }
    guard problem.pointee.flags & ~UInt32(KANTO_FLAG_ACCUMULATE) == 0, problem.pointee.activation == 0 else {
        return decline(message, "a reduction takes no flag but accumulate, and no activation")
    }
    plan.accumulates = problem.pointee.flags != 0
    guard !plan.accumulates || plan.function == KANTO_FUNCTION_SUM || plan.function == KANTO_FUNCTION_SUM_OF_SQUARES
    else { return decline(message, "only sums accumulate into what the output holds") }

    var kept = AxisList()
    var reduced = AxisList()
    defer {
        kept.deallocate()
        reduced.deallocate()
    }
    var elementCount = 0
    if let reason = kept.read(problem, inputCount: 1, &elementCount) { return decline(message, reason) }
    var index = 0
    while index < kept.count {
        if kept.axes[index].output == 0 { reduced.append(kept.remove(at: index)) } else { index += 1 }
    }
    for index in 0..<kept.count { plan.keptCount *= kept.axes[index].extent }
    for index in 0..<reduced.count { plan.reducedCount *= reduced.axes[index].extent }
    kept.collapse()
    reduced.collapse()

    // Vectors lie along the axis of the smallest stride in the input; of equals, along the reduced one.
    let keptAxis = axisOfSmallestStride(kept)
    let reducedAxis = axisOfSmallestStride(reduced)
    let keptInner = keptAxis < 0 ? Axis() : kept.remove(at: keptAxis)
    let reducedInner = reducedAxis < 0 ? Axis() : reduced.remove(at: reducedAxis)
    plan.alongKept = keptAxis >= 0 && (reducedAxis < 0 || keptInner.input0 < reducedInner.input0)
    let vectorAxis = plan.alongKept ? keptInner : reducedInner
    plan.isStrided = vectorAxis.extent != 1 && vectorAxis.input0 != 1
    plan.kept = Loops(inner: keptInner, outside: kept)
    plan.reduced = Loops(inner: reducedInner, outside: reduced)

    // As for elementwise ops: a fork and join takes as long as about 2¹⁵ elements.
    let threads = Int(host.pointee.thread_count)
    if elementCount >= 1 << 15, threads > 1 {
        plan.pieceCount = threads
        plan.dividesReduced = taskCount(plan) < 4 * threads
    }
    var scratchBytes = plan.alongKept ? plan.pieceCount * columnScratch * MemoryLayout<Float>.size : 0
    if plan.dividesReduced { scratchBytes += plan.pieceCount * plan.keptCount * MemoryLayout<Double>.size }

    let block = UnsafeMutablePointer<ReducePlan>.allocate(capacity: 1)
    block.initialize(to: plan)
    let description: StaticString =
        if plan.alongKept { plan.isStrided ? "reduce columns, strided" : "reduce columns" } else {
            plan.isStrided ? "reduce rows, strided" : "reduce rows"
        }
    setHeader(&block.pointee.header, description, scratchBytes: scratchBytes)
    block.pointee.header.run = { kernel, arguments, message in runReduce(kernel!, arguments!, message) }
    kernel.pointee = UnsafeMutableRawPointer(block).assumingMemoryBound(to: kanto_kernel.self)
    return kanto_status(KANTO_STATUS_OK)
}

/// The axis of the smallest stride in the input but 0, which repeats one element; -1 if there is no axis.
private func axisOfSmallestStride(_ list: AxisList) -> Int {
    func key(_ axis: Axis) -> Int { axis.input0 == 0 ? .max : axis.input0 }
    var best = -1
    for index in 0..<list.count where best < 0 || key(list.axes[index]) <= key(list.axes[best]) { best = index }
    return best
}

private func taskCount(_ plan: ReducePlan) -> Int {
    guard plan.alongKept else { return plan.keptCount }
    return plan.kept.rowCount * ((plan.kept.inner.extent + columnTile - 1) / columnTile)
}

private func runReduce(
    _ kernel: UnsafePointer<kanto_kernel>, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    let plan = UnsafeRawPointer(kernel).assumingMemoryBound(to: ReducePlan.self)
    guard plan.pointee.keptCount > 0 else { return kanto_status(KANTO_STATUS_OK) }
    guard let output = arguments.pointee.outputs.0?.assumingMemoryBound(to: Float.self),
        // Nothing is read in an empty reduction.
        let input = floats(arguments.pointee.inputs.0) ?? (plan.pointee.reducedCount == 0 ? UnsafePointer(output) : nil)
    else { return fail(message, "an operand of a reduction is NULL") }
    // Partial results are at the front, where the alignment serves both.
    let scratch = arguments.pointee.scratch ?? UnsafeMutableRawPointer(output)
    guard plan.pointee.header.scratch_bytes == 0 || arguments.pointee.scratch != nil else {
        return fail(message, "the scratch memory of a reduction is missing: arguments.scratch is NULL")
    }
    let partialCount = plan.pointee.dividesReduced ? plan.pointee.pieceCount * plan.pointee.keptCount : 0
    let partials = scratch.assumingMemoryBound(to: Double.self)
    var run = ReduceRun(
        function: plan.pointee.function, accumulates: plan.pointee.accumulates, alongKept: plan.pointee.alongKept,
        isStrided: plan.pointee.isStrided, kept: plan.pointee.kept, reduced: plan.pointee.reduced,
        taskCount: taskCount(plan.pointee), keptCount: plan.pointee.keptCount, reducedCount: plan.pointee.reducedCount,
        pieceCount: plan.pointee.pieceCount, dividesReduced: plan.pointee.dividesReduced, input: input, output: output,
        partials: partials, columns: UnsafeMutableRawPointer(partials + partialCount).assumingMemoryBound(to: Float.self))
    if run.pieceCount > 1 {
        let host = arguments.pointee.host!
        host.pointee.parallel_for(host, Int64(run.pieceCount), { context, index, _ in
            reduce(context!.assumingMemoryBound(to: ReduceRun.self).pointee, piece: Int(index))
        }, &run)
        if run.dividesReduced { combinePieces(run) }
    } else {
        reduce(run, piece: 0)
    }
    return kanto_status(KANTO_STATUS_OK)
}

private func reduce(_ run: ReduceRun, piece: Int) {
    switch run.function {
    case KANTO_FUNCTION_SUM: reduce(Sum.self, run, piece)
    case KANTO_FUNCTION_SUM_OF_SQUARES: reduce(SumOfSquares.self, run, piece)
    case KANTO_FUNCTION_REDUCE_MAXIMUM: reduce(LargestElement.self, run, piece)
    case KANTO_FUNCTION_REDUCE_MINIMUM: reduce(SmallestElement.self, run, piece)
    default: reduce(LargestMagnitude.self, run, piece)
    }
}

@inline(never) private func reduce<R: Reduction>(_: R.Type, _ run: ReduceRun, _ piece: Int) {
    let all = Range(uncheckedBounds: (0, run.taskCount))
    let tasks = run.dividesReduced ? all : share(piece, of: run.pieceCount, run.taskCount, granularity: 1)
    let everything = Range(uncheckedBounds: (0, run.reducedCount))
    let reduced =
        run.dividesReduced ? share(piece, of: run.pieceCount, run.reducedCount, granularity: 1) : everything
    switch (run.alongKept, run.isStrided) {
    case (true, false): reduceColumns(R.self, Contiguous.self, run, tasks: tasks, reduced: reduced, piece: piece)
    case (true, true): reduceColumns(R.self, Strided.self, run, tasks: tasks, reduced: reduced, piece: piece)
    case (false, false): reduceRows(R.self, Contiguous.self, run, kept: tasks, reduced: reduced, piece: piece)
    case (false, true): reduceRows(R.self, Strided.self, run, kept: tasks, reduced: reduced, piece: piece)
    }
}

/// Combines the pieces' partial results, in the order of the pieces.
private func combinePieces(_ run: ReduceRun) {
    var keptIndex = 0
    var rows = run.kept.rows(of: Range(uncheckedBounds: (0, run.keptCount)))
    while rows.next() {
        var outputOffset = rows.start.output
        for _ in 0..<rows.count {
            var total = run.partials[keptIndex]
            for piece in 1..<run.pieceCount {
                let next = run.partials[piece * run.keptCount + keptIndex]
                total =
                    switch run.function {
                    case KANTO_FUNCTION_SUM, KANTO_FUNCTION_SUM_OF_SQUARES: Sum.combine(total, next)
                    case KANTO_FUNCTION_REDUCE_MINIMUM: SmallestElement.combine(total, next)
                    default: LargestElement.combine(total, next)
                    }
            }
            run.write(total, outputOffset)
            keptIndex += 1
            outputOffset += run.kept.inner.output
        }
    }
}
