import KantoABI
import OneDNNAdapter

/// The part of `out = act(product + bias + (accumulate ? old : 0))`, or of
/// `out = act'(saved) (product + (accumulate ? old : 0))`, that oneDNN leaves to the plugin:
/// - its last step, in place. oneDNN has no derivative that yields 0 where its factor is 0 and the product infinite, and
///   none at all after a gradient, and no ReLU or sigmoid that keeps NaN. The pass is bound by the memory's bandwidth;
/// - all of it where the product is zero because an inner dimension is empty, which oneDNN refuses or leaves unwritten.
struct Epilogue: Pass {
    private let matrices: Matrices
    private let productIsZero: Bool
    private let addsBias: Bool
    private let accumulates: Bool
    private let activation: Activation
    private let isDerivative: Bool

    /// - Parameter productIsZero: whether the output is to be written as if the product were zero. Otherwise it holds
    ///   all but the last step.
    init(_ problem: kanto_problem, over matrices: Matrices, productIsZero: Bool = false) throws(Refusal) {
        self.productIsZero = productIsZero
        addsBias = productIsZero && problem.hasBias
        accumulates = problem.accumulates
        activation = try Activation(problem)
        isDerivative = problem.isDerivative
        // A bias needs to know where the rows begin.
        self.matrices = addsBias ? matrices : matrices.flattened
    }

    func run(_ arguments: UnsafePointer<kanto_arguments>, threadCount: Int32) {
        var job = Job(
            epilogue: self, output: kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self),
            other: kanto_input(arguments, 2)?.assumingMemoryBound(to: Float.self),
            pieceCount: matrices.pieceCount(threadCount: Int(threadCount)))
        gomp_parallel_for(
            Int64(threadCount), Int64(job.pieceCount),
            { context, index, _ in context!.assumingMemoryBound(to: Job.self).pointee.run(piece: Int(index)) }, &job)
    }

    private struct Job {
        let epilogue: Epilogue
        let output: UnsafeMutablePointer<Float>
        /// The bias or the saved output.
        let other: UnsafePointer<Float>?
        let pieceCount: Int

        func run(piece: Int) {
            epilogue.matrices.forEachRow(of: piece, of: pieceCount) { start, columns in
                epilogue.finish(
                    output + start + columns.lowerBound, count: columns.count,
                    bias: epilogue.addsBias ? other! + columns.lowerBound : nil,
                    saved: epilogue.isDerivative ? other! + start + columns.lowerBound : nil)
            }
        }
    }

    private func finish(
        _ values: UnsafeMutablePointer<Float>, count: Int, bias: UnsafePointer<Float>?, saved: UnsafePointer<Float>?
    ) {
        if productIsZero, !accumulates { values.update(repeating: 0, count: count) }
        if let bias {
            for index in 0..<count { values[index] += bias[index] }
        }
        if let saved {
            activation.multiplyByDerivative(values, at: saved, count: count)
        } else {
            activation.apply(to: values, count: count)
        }
    }
}

/// Where the elements of an output stand: a matrix of `rows` x `columns`, `batch` times.
struct Matrices {
    let batch, rows, columns: Int
    let batchStride, rowStride: Int

    init(batch: Int64, rows: Int64, columns: Int64, batchStride: Int64, rowStride: Int64) {
        self.batch = Int(batch)
        self.rows = Int(rows)
        self.columns = Int(columns)
        self.batchStride = Int(batchStride)
        self.rowStride = Int(rowStride)
    }

    /// One contiguous matrix.
    init(rows: Int64, columns: Int64) {
        self.init(batch: 1, rows: rows, columns: columns, batchStride: 0, rowStride: columns)
    }

    /// The same elements as one row if nothing stands between them.
    var flattened: Matrices {
        let isContiguous = (rows == 1 || rowStride == columns) && (batch == 1 || batchStride == rows * columns)
        return isContiguous ? Matrices(rows: 1, columns: Int64(batch * rows * columns)) : self
    }

    /// Into how many pieces the elements are cut, along the rows or, of a single row, along its columns.
    func pieceCount(threadCount: Int) -> Int {
        // Below 16,384 elements (3 µs or so) another thread is not worth its waking.
        let worthwhile = batch * rows * columns / 16_384
        return max(1, min(threadCount, worthwhile, batch * rows == 1 ? columns : batch * rows))
    }

    /// Calls `body` for each row of a piece with the place of the row and the columns that belong to the piece.
    @inline(__always)
    func forEachRow(of piece: Int, of pieceCount: Int, _ body: (_ start: Int, _ columns: Range<Int>) -> Void) {
        func share(_ count: Int) -> Range<Int> { count * piece / pieceCount..<count * (piece + 1) / pieceCount }
        guard batch * rows > 1 else { return body(0, share(columns)) }
        for row in share(batch * rows) {
            body(row / rows * batchStride + row % rows * rowStride, 0..<columns)
        }
    }
}
