import KantoKernels

let matmulProblems: [TestProblem] = {
    var problems: [Problem] = []
    for (index, (m, n, k)) in sizes.enumerated() {
        for transposeA in [false, true] {
            for transposeB in [false, true] {
                let product = Problem.matmul(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
                problems.append(product)
                problems.append(
                    product.spaced(rows: (3, 6, 9)).ending(with: epilogues[(5 * index + 7) % epilogues.count]))
                problems.append(
                    product.spaced(rows: (1, 2, 3)).ending(with: derivatives[(index + 3) % derivatives.count]))
            }
        }
    }
    for (m, n, k) in [(0, 3, 4), (0, 1024, 1024), (3, 0, 4), (0, 0, 0), (3, 4, 0), (1, 1, 0), (12, 64, 0)] {
        problems.append(.matmul(m: m, n: n, k: k))
        problems.append(.matmul(m: m, n: n, k: k, bias: true, activation: .relu, accumulate: true))
    }
    for epilogue in epilogues + derivatives {
        for (m, n, k) in [(13, 37, 21), (48, 64, 32), (7, 41, 3), (3, 260, 9)] {
            problems.append(.matmul(m: m, n: n, k: k).ending(with: epilogue))
        }
    }
    for epilogue in derivatives { problems.append(.matmul(m: 5, n: 4, k: 0).ending(with: epilogue)) }
    return (problems + batches + longSums + oddStrides).map { TestProblem($0) }
}()

/// Around the widths of vectors and tiles, and beyond the blocks that fit a cache.
private let sizes = [
    (1, 1, 1), (5, 7, 6), (6, 5, 0), (7, 8, 9), (6, 15, 4), (15, 17, 16), (13, 16, 8), (32, 32, 32), (16, 33, 31), (18, 48, 11),
    (33, 64, 65), (64, 63, 33), (25, 100, 40), (7, 130, 257), (130, 5, 70), (1, 65, 100), (65, 1, 100), (40, 2, 33), (2, 300, 3),
    (97, 193, 300), (31, 16, 1030),
    // Few steps; few rows; one row of a matrix that exceeds a cache.
    (40, 37, 1), (23, 1030, 2), (3, 261, 75), (4, 1100, 21), (9, 600, 130), (1, 400, 400),
]

private let leaky = Activation.leakyReLU(slope: 0.25)
private let everything = Epilogue(bias: true, activation: leaky, accumulate: true)

/// Batches, with operands of their own and shared ones.
private let batches: [Problem] = {
    var problems: [Problem] = []
    for batch in [0, 2, 3, 7] {
        for transposeB in [false, true] {
            func product(_ m: Int, _ n: Int, _ k: Int, transposeA: Bool = false) -> Problem {
                .matmul(batch: batch, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
            }
            problems.append(product(5, 9, 17))
            problems.append(product(17, 33, 8, transposeA: true).spaced(rows: (1, 2, 3), matrices: 5))
            problems.append(
                product(16, 20, 12).spaced(sharesB: true).ending(with: Epilogue(bias: true, activation: leaky)))
            problems.append(product(9, 33, 12).spaced(rows: (2, 4, 6), matrices: 3).ending(with: Epilogue(derivative: leaky)))
            guard batch > 1 else { continue }
            for transposeA in [false, true] {
                let shared = product(8, 20, 5, transposeA: transposeA)
                problems.append(shared.spaced(rows: (1, 2, 3), sharesA: true).ending(with: everything))
                problems.append(
                    shared.spaced(rows: (2, 4, 6), sharesB: true).ending(with: Epilogue(derivative: leaky, accumulate: true)))
                problems.append(product(9, 70, 5, transposeA: transposeA).spaced(sharesA: true, sharesB: true))
            }
            // A single column.
            problems.append(product(9, 1, 70))
        }
    }
    // Attention heads: the batch is an inner axis of memory.
    var heads = Problem.matmul(batch: 4, m: 6, n: 8, k: 8)
    (heads.raw.matmul.row_stride_a, heads.raw.matmul.batch_stride_a) = (32, 8)
    (heads.raw.matmul.row_stride_c, heads.raw.matmul.batch_stride_c) = (32, 8)
    return problems + [heads, .matmul(batch: 3, m: 9, n: 144, k: 10).spaced(rows: (1, 2, 3)).ending(with: everything)]
}()

/// Long sums, and outputs larger than one block in both directions.
private let longSums: [Problem] =
    [
        .matmul(m: 3, n: 5, k: 4097), .matmul(m: 300, n: 1, k: 600), .matmul(m: 200, n: 520, k: 130, bias: true),
        .matmul(m: 520, n: 70, k: 260, transposeA: true, accumulate: true),
    ]
    // Sums that end in another block than the one in which they begin.
    + ([everything] + derivatives.filter(\.accumulate)).map { Problem.matmul(m: 13, n: 80, k: 2500).ending(with: $0) }

/// The stride of a single row may be anything.
private let oddStrides: [Problem] = {
    var problems: [Problem] = []
    for (m, transposeA) in [(4, false), (8, true), (40, false)] {
        var problem = Problem.matmul(batch: 2, m: m, n: 16, k: 1, transposeA: transposeA)
        problem.raw.matmul.row_stride_b = 0
        problems.append(problem)
    }
    for stride: Int64 in [0, 1, 1000] {
        var problem = Problem.matmul(m: 1, n: 6, k: 5)
        (problem.raw.matmul.row_stride_a, problem.raw.matmul.row_stride_c) = (stride, stride)
        problems.append(problem)
    }
    return problems
}()
