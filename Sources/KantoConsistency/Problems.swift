import KantoABI
import KantoKernels

extension Problem {
    /// The same matmul with gaps, counted in elements, between the rows of each matrix and between the matrices of a batch, or
    /// with operands that a batch shares.
    package func spaced(
        rows: (a: Int, b: Int, c: Int) = (0, 0, 0), matrices: Int = 0, sharesA: Bool = false, sharesB: Bool = false
    ) -> Problem {
        var problem = self
        let shape = raw.matmul
        let rowCountA = raw.has(KANTO_FLAG_TRANSPOSE_A) ? shape.k : shape.m
        let rowCountB = raw.has(KANTO_FLAG_TRANSPOSE_B) ? shape.n : shape.k
        func batchStride(_ rowCount: Int64, _ rowStride: Int64, isShared: Bool = false) -> Int64 {
            shape.batch == 1 || isShared ? 0 : max(1, rowCount * rowStride) + Int64(matrices)
        }
        problem.raw.matmul.row_stride_a += Int64(rows.a)
        problem.raw.matmul.row_stride_b += Int64(rows.b)
        problem.raw.matmul.row_stride_c += Int64(rows.c)
        problem.raw.matmul.batch_stride_a = batchStride(rowCountA, problem.raw.matmul.row_stride_a, isShared: sharesA)
        problem.raw.matmul.batch_stride_b = batchStride(rowCountB, problem.raw.matmul.row_stride_b, isShared: sharesB)
        problem.raw.matmul.batch_stride_c = batchStride(shape.m, problem.raw.matmul.row_stride_c)
        return problem
    }

    /// Strides of a dense array whose axes lie in memory in another order, the outermost first.
    static func strides(_ extents: [Int], storedAs order: [Int]) -> [Int] {
        var strides = extents
        for (axis, stride) in zip(order, contiguousStrides(order.map { extents[$0] })) { strides[axis] = stride }
        return strides
    }
}

extension kanto_problem {
    func has(_ flag: Int) -> Bool { flags & UInt32(flag) != 0 }

    /// What there is to know of its function; nil where it has none.
    var functionInfo: kanto_function_info? { Problem(raw: self).functionInfo }

    /// Whether a reduction is a sum, which may accumulate.
    var isSum: Bool { op == KANTO_OP_REDUCE && functionInfo?.has(KANTO_TRAIT_SUM) == true }
}

/// The first `count` values of a C array that is imported as a tuple.
func values<Tuple>(_ tuple: Tuple, _ count: Int) -> [Int] {
    withUnsafeBytes(of: tuple) { $0.bindMemory(to: Int64.self).prefix(count).map(Int.init) }
}
