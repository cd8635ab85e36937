import KantoABI

/// What becomes of the total of one kept element.
enum ReducedResult {
    /// It is the output, or is added to it.
    case total, sum
    /// It is divided to make a statistic.
    case mean, variance
}

/// How a reduction goes through its operands.
struct ReductionPlan {
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
    /// Whether the pieces divide the reduced elements, and their partial results are combined at the end. Into how many
    /// depends on the problem alone, so that any number of threads finds the same bits.
    var dividesReduced = false
    /// Workers that need a scratch for columns.
    var workerCount = 1

    /// Places along the reduced axes, but for those that columns are combined along.
    var rowCount: Int { reducedCount / columnsPerResult }

    /// The columns of a task.
    var tileWidth: Int { columnTile / columnsPerResult * columnsPerResult }

    /// Kept elements, or tiles of columns where vectors lie along a kept axis.
    var taskCount: Int {
        alongKept ? kept.rowCount * ((vectorAxis.extent + tileWidth - 1) / tileWidth) : keptCount
    }

    var scratchBytes: Int {
        let columns = alongKept ? workerCount * columnScratch * MemoryLayout<Float>.size : 0
        return columns + (dividesReduced ? pieceCount * keptCount * MemoryLayout<Double>.size : 0)
    }

    /// For people.
    var description: StaticString {
        if alongKept {
            isStrided ? "reduce columns, strided" : "reduce columns"
        } else {
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
        if elementCount >= 1 << 15 {
            let pieces = taskCount < enoughTasks ? min(elementCount >> 14, rowCount / fewestRows, mostPieces) : 1
            dividesReduced = pieces > 1
            pieceCount = dividesReduced ? pieces : Int(host.pointee.thread_count)
            workerCount = Int(host.pointee.thread_count)
        }
        return nil
    }
}

/// Tasks that are enough for the threads of a machine, whole.
private var enoughTasks: Int { 16 }
/// Pieces that the reduced elements are divided into at most, and rows of a piece at least: one worker combines the results.
private var mostPieces: Int { 16 }
private var fewestRows: Int { 32 }

extension ReductionPlan {
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
