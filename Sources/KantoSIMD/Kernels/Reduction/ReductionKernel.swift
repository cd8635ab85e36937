import KantoABI

/// What the threads of one run share.
struct ReductionRun {
    var plan: ReductionPlan
    var input0: UnsafePointer<Float>
    var input1: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    /// The variance, where `output` is the mean.
    var secondOutput: UnsafeMutablePointer<Float>
    /// [piece, kept elements], where pieces divide the reduced elements.
    var partials: UnsafeMutablePointer<Double>
    /// [worker, columnScratch], where vectors lie along a kept axis.
    var columns: UnsafeMutablePointer<Float>

    @inline(__always) var alongKept: Bool { plan.alongKept }
    @inline(__always) var kept: Loops { plan.kept }
    @inline(__always) var reduced: Loops { plan.reduced }
    @inline(__always) var vectorAxis: Axis { plan.vectorAxis }

    /// Lends a plan its operands. Partial results are at the front of the scratch, where the alignment serves both.
    init(
        _ plan: ReductionPlan, _ input0: UnsafePointer<Float>, _ input1: UnsafePointer<Float>,
        _ output: UnsafeMutablePointer<Float>, _ secondOutput: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutableRawPointer
    ) {
        self.plan = plan
        self.input0 = input0
        self.input1 = input1
        self.output = output
        self.secondOutput = secondOutput
        partials = scratch.assumingMemoryBound(to: Double.self)
        let partialCount = plan.dividesReduced ? plan.pieceCount * plan.keptCount : 0
        columns = UnsafeMutableRawPointer(partials + partialCount).assumingMemoryBound(to: Float.self)
    }

    /// Takes a result of a piece: writes it out, or lays it down for the end.
    @inline(__always) func finish(_ total: Double, _ keptIndex: Int, _ at: Offsets, _ piece: Int) {
        if plan.dividesReduced {
            partials[piece &* plan.keptCount &+ keptIndex] = total
        } else {
            write(total, at)
        }
    }

    @inline(__always) func write(_ total: Double, _ at: Offsets) {
        switch plan.result {
        case .total: output[at.output] = Float(total)
        case .sum: output[at.output] = Float(total + Double(output[at.output]))
        case .mean: writeMean(total, at)
        case .variance: writeVariance(total, at)
        }
    }
}

/// Makes a kernel of a reduction over any set of axes.
func makeReduction(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    var plan = ReductionPlan()
    plan.function = Int(problem.pointee.function)
    guard let info = kanto_find_function(problem.pointee.op, problem.pointee.function)?.pointee else {
        return decline(message, "no such reduction in the SIMD backend")
    }
    plan.inputCount = Int(info.input_count)
    guard problem.pointee.flags & ~UInt32(KANTO_FLAG_ACCUMULATE) == 0, problem.pointee.activation == 0 else {
        return decline(message, "a reduction takes no flag but accumulate, and no activation")
    }
    if problem.pointee.flags != 0 { plan.result = .sum }
    guard plan.result == .total || info.traits & UInt32(KANTO_TRAIT_SUM) != 0 else {
        return decline(message, "only sums accumulate into what the output holds")
    }
    if let reason = plan.read(problem, host) { return decline(message, reason) }

    return makeKernel(slot, plan.description, plan, scratchBytes: plan.scratchBytes) { kernel, arguments, message in
        runReduction(madeKernel(at: kernel!, as: ReductionPlan.self).pointee.plan, arguments!, message)
    }
}

private func runReduction(
    _ plan: ReductionPlan, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    guard plan.keptCount > 0 else { return kanto_status(KANTO_STATUS_OK) }
    // Nothing is read in an empty reduction.
    let output = kanto_output(arguments, 0)?.assumingMemoryBound(to: Float.self)
    let unread = plan.reducedCount == 0 ? UnsafePointer(output) : nil
    guard let output, let first = floats(kanto_input(arguments, 0)) ?? unread,
        let second = plan.inputCount < 2 ? first : floats(kanto_input(arguments, 1)) ?? unread
    else { return fail(message, "an operand of a reduction is NULL") }
    guard plan.scratchBytes == 0 || arguments.pointee.scratch != nil else {
        return fail(message, "the scratch memory of a reduction is missing: arguments.scratch is NULL")
    }
    let scratch = arguments.pointee.scratch ?? UnsafeMutableRawPointer(output)
    runPieces(ReductionRun(plan, first, second, output, output, scratch: scratch), arguments.pointee.host!)
    return kanto_status(KANTO_STATUS_OK)
}

/// Reduces everything.
func runPieces(_ run: ReductionRun, _ host: UnsafePointer<kanto_host>) {
    var run = run
    if run.plan.pieceCount > 1 {
        parallelFor(host, count: run.plan.pieceCount, &run) { context, index, worker in
            var run = context!.assumingMemoryBound(to: ReductionRun.self).pointee
            run.columns += Int(worker) &* columnScratch
            reduce(run, piece: Int(index))
        }
        if run.plan.dividesReduced { combinePieces(run) }
    } else {
        reduce(run, piece: 0)
    }
}

private func reduce(_ run: ReductionRun, piece: Int) {
    let plan = run.plan
    let all = Range(uncheckedBounds: (0, plan.taskCount))
    let everything = Range(uncheckedBounds: (0, plan.rowCount))
    let tasks = plan.dividesReduced ? all : share(piece, of: plan.pieceCount, plan.taskCount, granularity: 1)
    let reduced = plan.dividesReduced ? share(piece, of: plan.pieceCount, plan.rowCount, granularity: 1) : everything
    switch plan.result {
    case .mean, .variance: return reduceStatistics(run, tasks, reduced, piece)
    case .total, .sum: break
    }
    switch plan.function {
    case KANTO_FUNCTION_SUM: reduceElements(Sum.self, run, tasks, reduced, piece)
    case KANTO_FUNCTION_SUM_OF_SQUARES: reduceElements(SumOfSquares.self, run, tasks, reduced, piece)
    case KANTO_FUNCTION_REDUCE_MAXIMUM: reduceElements(LargestElement.self, run, tasks, reduced, piece)
    case KANTO_FUNCTION_REDUCE_MINIMUM: reduceElements(SmallestElement.self, run, tasks, reduced, piece)
    case KANTO_FUNCTION_MAXIMUM_MAGNITUDE: reduceElements(LargestMagnitude.self, run, tasks, reduced, piece)
    default: sumProducts(run, tasks, reduced, piece)
    }
}

@inline(never) private func reduceElements<R: ReductionFunction>(
    _: R.Type, _ run: ReductionRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int
) {
    if run.plan.isStrided {
        reduce(R.self, columns: Elements<Strided>.self, rows: Elements<Strided>.self, run, tasks, reduced, piece)
    } else {
        reduce(R.self, columns: Elements<Contiguous>.self, rows: Elements<Contiguous>.self, run, tasks, reduced, piece)
    }
}

@inline(never) private func sumProducts(
    _ run: ReductionRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int
) {
    typealias Vectors = Products<Contiguous, Contiguous>
    typealias Gathered = Products<Strided, Strided>
    if run.plan.isStrided {
        reduce(Sum.self, columns: Gathered.self, rows: Gathered.self, run, tasks, reduced, piece)
    } else {
        reduce(Sum.self, columns: Vectors.self, rows: Vectors.self, run, tasks, reduced, piece)
    }
}

/// Reduces a range of the reduced elements for a range of tasks.
@inline(__always) func reduce<R: ReductionFunction, Columns: ReducedRow, Rows: ReducedRow>(
    _: R.Type, columns: Columns.Type, rows: Rows.Type, _ run: ReductionRun, _ tasks: Range<Int>, _ reduced: Range<Int>,
    _ piece: Int
) {
    if run.alongKept {
        reduceColumns(R.self, Columns.self, run, tasks: tasks, reduced: reduced, piece: piece)
    } else {
        reduceRows(R.self, Rows.self, run, kept: tasks, reduced: reduced, piece: piece)
    }
}

/// Combines the pieces' partial results, in the order of the pieces.
func combinePieces(_ run: ReductionRun) {
    switch run.plan.function {
    case KANTO_FUNCTION_REDUCE_MAXIMUM, KANTO_FUNCTION_MAXIMUM_MAGNITUDE: combinePieces(LargestElement.self, run)
    case KANTO_FUNCTION_REDUCE_MINIMUM: combinePieces(SmallestElement.self, run)
    default: combinePieces(Sum.self, run)
    }
}

private func combinePieces<R: ReductionFunction>(_: R.Type, _ run: ReductionRun) {
    let plan = run.plan
    let totals = run.partials
    for piece in 1..<plan.pieceCount {
        let partials = totals + piece * plan.keptCount
        for index in 0..<plan.keptCount { totals[index] = R.combine(totals[index], partials[index]) }
    }
    var keptIndex = 0
    var rows = plan.kept.rows(of: Range(uncheckedBounds: (0, plan.keptCount)))
    while rows.next() {
        var at = rows.start
        for _ in 0..<rows.count {
            run.write(totals[keptIndex], at)
            keptIndex += 1
            at.advance(along: plan.kept.inner, by: 1)
        }
    }
}
