import KantoABI
import OneDNNAdapter

/// `C = act(op(A) op(B) + bias + (accumulate ? C : 0))` or `C = act'(saved) (op(A) op(B) + (accumulate ? C : 0))`, for
/// each of a batch.
struct Matmul {
    private var size: kanto_matmul
    private let transposesA: Bool
    private let transposesB: Bool
    private let problem: kanto_problem
    private let activation: Activation

    init(_ problem: kanto_problem) throws(Refusal) {
        self.problem = problem
        activation = try Activation(problem)
        size = problem.matmul
        transposesA = problem.has(UInt32(KANTO_FLAG_TRANSPOSE_A))
        transposesB = problem.has(UInt32(KANTO_FLAG_TRANSPOSE_B))
        // A batch of matrices against one B is one taller matrix, which oneDNN computes faster.
        if size.batch > 1, size.batch_stride_b == 0, !transposesA,
            size.batch_stride_a == size.m * size.row_stride_a, size.batch_stride_c == size.m * size.row_stride_c
        {
            size.m *= size.batch
            size.batch = 1
        }
    }

    func work(threadCount: Int32) throws(Refusal) -> Work {
        if size.batch == 0 || size.m == 0 || size.n == 0 { return .nothing }
        return try Work(threadCount: threadCount, build)
    }

    private var output: Matrices {
        Matrices(
            batch: size.batch, rows: size.m, columns: size.n, batchStride: size.batch_stride_c,
            rowStride: size.row_stride_c)
    }

    private func build(_ plan: Plan) throws(Refusal) {
        if size.k == 0 { return plan.append(try Epilogue(problem, over: output, productIsZero: true)) }
        var a = try layout(size.m, size.k, transposesA, size.row_stride_a, size.batch_stride_a)
        let b = try layout(size.k, size.n, transposesB, size.row_stride_b, size.batch_stride_b)
        let c = try layout(size.m, size.n, false, size.row_stride_c, size.batch_stride_c)
        var operandA = Operand.input(0)
        if size.batch > 1, size.batch_stride_a == 0, size.batch_stride_b == 0 {
            // oneDNN refuses a batch that only C has.
            let repeated = try layout(
                size.m, size.k, transposesA, size.row_stride_a, size.batch_stride_a, isRepeated: true)
            a = try layout(size.m, size.k, false, size.k, size.m * size.k)
            operandA = plan.reserve(a.byteCount)
            try plan.append(
                PrimitiveDescription(reorder: repeated, to: a),
                [Binding(DNNL_ARG_FROM, repeated, .input(0)), Binding(DNNL_ARG_TO, a, operandA)])
        }
        let bias = problem.hasBias ? try layout(1, size.n, false, size.n, 0) : nil
        let attributes = try Attributes(
            accumulate: problem.accumulates, activation: problem.isDerivative ? .none : activation)
        let matmul = try PrimitiveDescription("multiply these matrices") {
            onednn_describe_matmul(&$0, engine, a.handle, b.handle, bias?.handle, c.handle, attributes.handle)
        }
        try matmul.declineReference()
        var bindings = [
            Binding(DNNL_ARG_SRC, a, operandA), Binding(DNNL_ARG_WEIGHTS, b, .input(1)),
            Binding(DNNL_ARG_DST, c, .output(0)),
        ]
        if let bias { bindings.append(Binding(DNNL_ARG_BIAS, bias, .input(2))) }
        try plan.append(matmul, isMain: true, bindings)
        if problem.isDerivative || activation.isPresent && activation.function == nil {
            plan.append(try Epilogue(problem, over: output))
        }
    }

    /// A matrix of `rows` x `columns` as it is multiplied; the row stride is that of the matrix as it is stored. A batch
    /// stride of 0 is one matrix, or, if `isRepeated`, as many as the batch has in one place.
    private func layout(
        _ rows: Int64, _ columns: Int64, _ isTransposed: Bool, _ rowStride: Int64, _ batchStride: Int64,
        isRepeated: Bool = false
    ) throws(Refusal) -> Layout {
        let storedRows = isTransposed ? columns : rows
        let storedColumns = isTransposed ? rows : columns
        // The stride of a single row is never used and may be anything; oneDNN would judge it.
        let step = storedRows == 1 ? storedColumns : rowStride
        var strides = isTransposed ? [1, step] : [step, 1]
        // One layout has one description, whatever the transposes: oneDNN's cache confuses the others (see Plan.append).
        if columns == 1 { strides[1] = 1 }
        if rows == 1 { strides[0] = strides[1] == 1 ? columns : 1 }
        guard size.batch > 1 else { return try Layout(sizes: [rows, columns], strides: strides) }
        let isShared = batchStride == 0 && !isRepeated
        return try Layout(
            sizes: [isShared ? 1 : size.batch, rows, columns],
            strides: [isShared ? storedRows * step : batchStride] + strides)
    }
}
