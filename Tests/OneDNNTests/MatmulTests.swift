import KantoABI
import Testing

@Suite struct MatmulTests {
    /// Sizes, and by how much strides exceed the dense ones.
    struct Size: CustomTestStringConvertible, Sendable {
        var batch = 1
        let m, n, k: Int
        var gap = 0
        var sharesA = false
        var sharesB = false
        var testDescription: String {
            "\(batch) x \(m)x\(n)x\(k) gap \(gap)\(sharesA ? " shared A" : "")\(sharesB ? " shared B" : "")"
        }

        func problem(_ flags: Int, _ epilogue: Epilogue = Epilogue.all[0]) -> kanto_problem {
            var problem = kanto_problem(
                op: KANTO_OP_MATMUL, flags: flags | epilogue.flags, activation: epilogue.activation,
                slope: epilogue.slope)
            let a = flags & KANTO_FLAG_TRANSPOSE_A != 0 ? (k, m) : (m, k)
            let b = flags & KANTO_FLAG_TRANSPOSE_B != 0 ? (n, k) : (k, n)
            func batchStride(_ rows: Int, _ columns: Int) -> Int64 { Int64(rows * (columns + gap) + gap) }
            problem.matmul = kanto_matmul(
                batch: Int64(batch), m: Int64(m), n: Int64(n), k: Int64(k), row_stride_a: Int64(a.1 + gap),
                row_stride_b: Int64(b.1 + gap), row_stride_c: Int64(n + gap),
                batch_stride_a: sharesA ? 0 : batchStride(a.0, a.1),
                batch_stride_b: sharesB ? 0 : batchStride(b.0, b.1), batch_stride_c: batchStride(m, n))
            return problem
        }
    }

    static let transposes = [
        0, KANTO_FLAG_TRANSPOSE_A, KANTO_FLAG_TRANSPOSE_B, KANTO_FLAG_TRANSPOSE_A | KANTO_FLAG_TRANSPOSE_B,
    ]

    @Test(
        arguments: [
            Size(m: 1, n: 1, k: 1), Size(m: 17, n: 19, k: 23), Size(m: 64, n: 48, k: 100), Size(m: 5, n: 1, k: 33),
            Size(m: 1, n: 37, k: 9), Size(m: 7, n: 9, k: 1), Size(m: 17, n: 19, k: 23, gap: 3),
            Size(batch: 3, m: 9, n: 17, k: 5), Size(batch: 3, m: 9, n: 17, k: 5, gap: 2),
            Size(batch: 3, m: 9, n: 17, k: 5, sharesB: true), Size(batch: 3, m: 9, n: 17, k: 5, gap: 1, sharesB: true),
            Size(batch: 3, m: 9, n: 17, k: 5, sharesA: true),
            Size(batch: 3, m: 9, n: 17, k: 5, gap: 1, sharesA: true, sharesB: true), Size(m: 200, n: 130, k: 300),
        ], transposes)
    func multiplies(size: Size, transposes: Int) throws { try verify(size.problem(transposes)) }

    @Test(arguments: Epilogue.all + Epilogue.derivatives, [Size(m: 17, n: 35, k: 23), Size(batch: 2, m: 17, n: 35, k: 23, gap: 3)])
    func appliesEpilogue(epilogue: Epilogue, size: Size) throws { try verify(size.problem(0, epilogue)) }

    @Test(arguments: Epilogue.all + Epilogue.derivatives)
    func emptyInnerDimensionYieldsEpilogueOfZero(epilogue: Epilogue) throws {
        try verify(Size(batch: 2, m: 3, n: 5, k: 0, gap: 2).problem(0, epilogue))
    }

    @Test(arguments: [Size(batch: 0, m: 3, n: 4, k: 5), Size(m: 0, n: 4, k: 5), Size(m: 3, n: 0, k: 5)])
    func emptyOutputIsLeftAlone(size: Size) throws { try verify(size.problem(KANTO_FLAG_BIAS)) }

    /// Attention heads: the batch is an inner axis of memory.
    @Test func batchInsideRows() throws {
        var problem = Size(batch: 4, m: 6, n: 8, k: 8).problem(0)
        problem.matmul.row_stride_a = 32
        problem.matmul.row_stride_c = 32
        problem.matmul.batch_stride_a = 8
        problem.matmul.batch_stride_c = 8
        try verify(problem)
    }

    /// The stride of a single row has no meaning.
    @Test(arguments: [0, 1, 1000])
    func strideOfSingleRow(stride: Int64) throws {
        var problem = Size(m: 1, n: 6, k: 5).problem(0)
        problem.matmul.row_stride_a = stride
        problem.matmul.row_stride_c = stride
        try verify(problem)
    }
}
