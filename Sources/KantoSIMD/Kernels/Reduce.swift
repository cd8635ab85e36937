import KantoABI

/// What becomes of the total of one kept element.
enum ReducedResult {
    /// It is the output, or is added to it.
    case total, sum
    /// It is divided to make a statistic.
    case mean, variance
}

/// How a reduction goes through its operands.
struct ReducePlan {
    var function = 0
    var result = ReducedResult.total
    var inputCount = 1
    /// Whether vectors lie along a kept axis.
    var alongKept = false
    /// Where vectors lie.
    var vectorAxis = Axis()
    var isStrided = false
    /// Columns that are combined to one result, where vectors lie along a kept axis: the channels of a group.
    var columnsPerResult = 1
    var kept = Loops()
    var reduced = Loops()
    var keptCount = 1
    var reducedCount = 1
    var pieceCount = 1
    /// Whether the pieces divide the reduced elements, and their partial results are combined at the end.
    var dividesReduced = false

    /// Places along the reduced axes, but for those that columns are combined along.
    var rowCount: Int { reducedCount / columnsPerResult }

    /// The columns of a task.
    var tileWidth: Int { columnTile / columnsPerResult * columnsPerResult }

    /// Kept elements, or tiles of columns where vectors lie along a kept axis.
    var taskCount: Int {
        alongKept ? kept.rowCount * ((vectorAxis.extent + tileWidth - 1) / tileWidth) : keptCount
    }

    var scratchBytes: Int {
        let columns = alongKept ? pieceCount * columnScratch * MemoryLayout<Float>.size : 0
        return columns + (dividesReduced ? pieceCount * keptCount * MemoryLayout<Double>.size : 0)
    }

    /// For people.
    var description: StaticString {
        if alongKept { isStrided ? "reduce columns, strided" : "reduce columns" } else {
            isStrided ? "reduce rows, strided" : "reduce rows"
        }
    }

    /// Divides the problem's nest into kept and reduced axes, or returns why not.
    mutating func read(_ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>) -> StaticString? {
        var kept = AxisList()
        var reduced = AxisList()
        defer {
            kept.deallocate()
            reduced.deallocate()
        }
        var elementCount = 0
        if let reason = kept.read(problem, inputCount: inputCount, &elementCount) { return reason }
        var index = 0
        while index < kept.count {
            if kept.axes[index].output == 0 { reduced.append(kept.remove(at: index)) } else { index += 1 }
        }
        for index in 0..<kept.count { keptCount *= kept.axes[index].extent }
        for index in 0..<reduced.count { reducedCount *= reduced.axes[index].extent }
        kept.collapse()
        reduced.collapse()

        // Vectors lie along the axis of the smallest stride in the inputs; of equals, along the reduced one.
        let keptAxis = axisOfSmallestStride(kept)
        let reducedAxis = axisOfSmallestStride(reduced)
        let keptInner = keptAxis < 0 ? Axis() : kept.remove(at: keptAxis)
        var reducedInner = reducedAxis < 0 ? Axis() : reduced.remove(at: reducedAxis)
        alongKept = keptAxis >= 0 && (reducedAxis < 0 || strideOrder(keptInner) < strideOrder(reducedInner))
        vectorAxis = alongKept ? keptInner : reducedInner
        let width = reducedInner.extent
        if !alongKept, 2...2 * Lanes.scalarCount ~= width, keptAxis >= 0, reduced.count > 0, reducedInner.input0 == 1,
            keptInner.input0 == width, inputCount < 2 || reducedInner.input1 == 1 && keptInner.input1 == width
        {
            // Short rows side by side: one row of columns, several to a result.
            alongKept = true
            columnsPerResult = width
            vectorAxis.extent = keptInner.extent * width
            reducedInner = reduced.remove(at: axisOfSmallestStride(reduced))
        }
        self.kept = Loops(inner: keptInner, outside: kept)
        self.reduced = Loops(inner: reducedInner, outside: reduced)
        isStrided = vectorAxis.extent != 1 && (vectorAxis.input0 != 1 || inputCount > 1 && vectorAxis.input1 != 1)

        // As for elementwise ops: a fork and join takes as long as about 2¹⁵ elements.
        let threads = Int(host.pointee.thread_count)
        if elementCount >= 1 << 15, threads > 1 {
            pieceCount = threads
            dividesReduced = taskCount < 4 * threads
        }
        return nil
    }
}

extension ReducePlan {
    /// Plans the sums over the rows of a contiguous matrix, or returns why not.
    mutating func read(
        sumOver rowCount: Int, _ columnCount: Int, accumulates: Bool, _ host: UnsafePointer<kanto_host>
    ) -> StaticString? {
        function = Int(KANTO_FUNCTION_SUM)
        result = accumulates ? .sum : .total
        var problem = kanto_problem()
        problem.iteration.rank = 2
        (problem.iteration.extent.0, problem.iteration.extent.1) = (Int64(rowCount), Int64(columnCount))
        problem.iteration.output_stride.1 = 1
        (problem.iteration.input_stride.0.0, problem.iteration.input_stride.0.1) = (Int64(columnCount), 1)
        return read(&problem, host)
    }
}

/// What the threads of one run share.
struct ReduceRun {
    var plan: ReducePlan
    var input0: UnsafePointer<Float>
    var input1: UnsafePointer<Float>
    var output: UnsafeMutablePointer<Float>
    /// The variance, where `output` is the mean.
    var secondOutput: UnsafeMutablePointer<Float>
    /// [piece, kept elements], where pieces divide the reduced elements.
    var partials: UnsafeMutablePointer<Double>
    /// [piece, columnScratch], where vectors lie along a kept axis.
    var columns: UnsafeMutablePointer<Float>

    @inline(__always) var alongKept: Bool { plan.alongKept }
    @inline(__always) var kept: Loops { plan.kept }
    @inline(__always) var reduced: Loops { plan.reduced }
    @inline(__always) var vectorAxis: Axis { plan.vectorAxis }

    /// Lends a plan its operands. Partial results are at the front of the scratch, where the alignment serves both.
    init(
        _ plan: ReducePlan, _ input0: UnsafePointer<Float>, _ input1: UnsafePointer<Float>,
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

/// A kernel of a reduction.
private struct ReduceKernel {
    var header = kanto_kernel()
    var plan: ReducePlan
}

/// Makes a kernel of a reduction over any set of axes.
func makeReduce(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?
) -> kanto_status {
    var plan = ReducePlan()
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

    let block = UnsafeMutablePointer<ReduceKernel>.allocate(capacity: 1)
    block.initialize(to: ReduceKernel(plan: plan))
    setHeader(&block.pointee.header, plan.description, scratchBytes: plan.scratchBytes)
    block.pointee.header.run = { kernel, arguments, message in runReduce(kernel!, arguments!, message) }
    kernel.pointee = UnsafeMutableRawPointer(block).assumingMemoryBound(to: kanto_kernel.self)
    return kanto_status(KANTO_STATUS_OK)
}

/// Orders axes by their strides in the inputs; one that repeats an element of the first comes last.
private func strideOrder(_ axis: Axis) -> Int { axis.input0 == 0 ? .max : max(axis.input0, axis.input1) }

/// The axis of the smallest stride, the innermost of equals; -1 if there is no axis.
private func axisOfSmallestStride(_ list: AxisList) -> Int {
    var best = -1
    for index in 0..<list.count where best < 0 || strideOrder(list.axes[index]) <= strideOrder(list.axes[best]) {
        best = index
    }
    return best
}

private func runReduce(
    _ kernel: UnsafePointer<kanto_kernel>, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    let plan = UnsafeRawPointer(kernel).assumingMemoryBound(to: ReduceKernel.self).pointee.plan
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
    runPieces(ReduceRun(plan, first, second, output, output, scratch: scratch), arguments.pointee.host!)
    return kanto_status(KANTO_STATUS_OK)
}

/// Reduces everything.
func runPieces(_ run: ReduceRun, _ host: UnsafePointer<kanto_host>) {
    var run = run
    if run.plan.pieceCount > 1 {
        parallelFor(host, count: run.plan.pieceCount, &run) { context, index, _ in
            reduce(context!.assumingMemoryBound(to: ReduceRun.self).pointee, piece: Int(index))
        }
        if run.plan.dividesReduced { combinePieces(run) }
    } else {
        reduce(run, piece: 0)
    }
}

private func reduce(_ run: ReduceRun, piece: Int) {
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

@inline(never) private func reduceElements<R: Reduction>(
    _: R.Type, _ run: ReduceRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int
) {
    if run.plan.isStrided {
        reduce(R.self, columns: Elements<Strided>.self, rows: Elements<Strided>.self, run, tasks, reduced, piece)
    } else {
        reduce(R.self, columns: Elements<Contiguous>.self, rows: Elements<Contiguous>.self, run, tasks, reduced, piece)
    }
}

@inline(never) private func sumProducts(
    _ run: ReduceRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int
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
@inline(__always) func reduce<R: Reduction, Columns: ReducedRow, Rows: ReducedRow>(
    _: R.Type, columns: Columns.Type, rows: Rows.Type, _ run: ReduceRun, _ tasks: Range<Int>, _ reduced: Range<Int>,
    _ piece: Int
) {
    if run.alongKept {
        reduceColumns(R.self, Columns.self, run, tasks: tasks, reduced: reduced, piece: piece)
    } else {
        reduceRows(R.self, Rows.self, run, kept: tasks, reduced: reduced, piece: piece)
    }
}

/// Combines the pieces' partial results, in the order of the pieces.
func combinePieces(_ run: ReduceRun) {
    let plan = run.plan
    var keptIndex = 0
    var rows = plan.kept.rows(of: Range(uncheckedBounds: (0, plan.keptCount)))
    while rows.next() {
        var at = rows.start
        for _ in 0..<rows.count {
            var total = run.partials[keptIndex]
            for piece in 1..<plan.pieceCount {
                let next = run.partials[piece * plan.keptCount + keptIndex]
                total =
                    switch plan.function {
                    case KANTO_FUNCTION_REDUCE_MAXIMUM, KANTO_FUNCTION_MAXIMUM_MAGNITUDE:
                        LargestElement.combine(total, next)
                    case KANTO_FUNCTION_REDUCE_MINIMUM: SmallestElement.combine(total, next)
                    default: Sum.combine(total, next)
                    }
            }
            run.write(total, at)
            keptIndex += 1
            at.advance(along: plan.kept.inner, by: 1)
        }
    }
}
