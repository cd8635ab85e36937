import KantoABI
import KantoKernels

/// Lengths around the widths of vectors, and one that is worth several threads.
let lengths = [0, 1, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 1003, 40_001]

/// A shape with the strides of an output and of up to three inputs; the output is dense where none are given.
private struct Layout {
    var extents: [Int]
    var output: [Int]?
    var inputs: [[Int]]
}

let elementwiseProblems: [TestProblem] = {
    var problems: [TestProblem] = []
    for op in [Op.unary, .binary, .ternary] {
        for function in Function.all(of: op) {
            let dense = lengths.map { Layout(extents: [$0], inputs: [[1], [1], [1]]) }
            problems += (dense + layouts).map { elementwise(op, function, $0) }
        }
    }
    // Nests are walked alike whatever is computed.
    for (op, function) in [(Op.unary, Function.copy), (.binary, .subtract), (.ternary, .multiplyAdd)] {
        var known = Set<Problem>()
        for layout in broadcasts + permutations {
            let test = elementwise(op, function, layout)
            if known.insert(Problem(raw: test.problem)).inserted { problems.append(test) }
        }
    }
    for (op, function) in [
        (Op.unary, Function.copy), (.unary, .exp), (.unary, .leakyReLU), (.binary, .divide), (.binary, .leakyReLUGradient),
        (.ternary, .select),
    ] {
        problems += longNests.map { elementwise(op, function, $0) }
    }
    // A slope of zero is a ReLU.
    for (op, function) in [(Op.unary, Function.leakyReLU), (.binary, .leakyReLUGradient)] {
        for slope in [0, 0.2] { problems.append(TestProblem(.iteration(op, function, extents: [1000], parameter: slope))) }
    }
    return problems
}()

private func elementwise(_ op: Op, _ function: Function, _ layout: Layout) -> TestProblem {
    let info = function.info
    let problem = Problem.iteration(
        op, function, extents: layout.extents, output: layout.output, inputs: Array(layout.inputs.prefix(Int(info.input_count))),
        parameter: info.has(KANTO_TRAIT_PARAMETER) ? 0.25 : 0)
    return TestProblem(problem, scalars: Array([3, -2].prefix(Int(info.scalar_count))))
}

private let layouts: [Layout] = [
    // Rank 0, and sizes of 0 and 1 between others.
    Layout(extents: [], inputs: [[], [], []]),
    Layout(extents: [3, 0, 5], inputs: [[0, 5, 1], [5, 5, 1], [0, 0, 0]]),
    Layout(extents: [1, 7, 1], inputs: [[7, 1, 1], [0, 1, 0], [0, 0, 0]]),
    // A bias along the last axis, a factor per row, a scalar.
    Layout(extents: [6, 17], inputs: [[17, 1], [0, 1], [0, 1]]),
    Layout(extents: [9, 33], inputs: [[33, 1], [1, 0], [1, 0]]),
    Layout(extents: [4, 5, 16], inputs: [[0, 0, 0], [80, 16, 1], [80, 16, 1]]),
    Layout(extents: [3, 65], inputs: [[0, 1], [1, 0], [65, 1]]),
    // A factor per sample of images.
    Layout(extents: [3, 4, 5, 7], inputs: [[140, 35, 7, 1], [1, 0, 0, 0], [0, 0, 0, 1]]),
    Layout(extents: [3, 4, 5, 2], inputs: [[0, 10, 2, 1], [40, 10, 2, 1], [0, 0, 2, 1]]),
    // Slices: gaps between rows and between elements.
    Layout(extents: [5, 16], output: [20, 1], inputs: [[17, 1], [19, 1], [16, 1]]),
    Layout(extents: [5, 9], output: [36, 2], inputs: [[30, 3], [27, 2], [9, 1]]),
    Layout(extents: [33], output: [3], inputs: [[2], [1], [0]]),
    // The same gaps, the same permutation: the output may share the memory of each input.
    Layout(extents: [9], output: [3], inputs: [[3], [3], [3]]),
    Layout(extents: [17, 9], output: [1, 17], inputs: [[1, 17], [1, 17], [1, 17]]),
    // Permutations: NHWC from NCHW and back, a transposed output.
    Layout(extents: [2, 5, 6, 3], inputs: [[90, 6, 1, 30], [90, 18, 3, 1], [0, 6, 1, 0]]),
    Layout(extents: [2, 3, 5, 6], inputs: [[90, 1, 18, 3], [90, 30, 6, 1], [0, 0, 0, 0]]),
    Layout(extents: [33, 31], output: [1, 33], inputs: [[31, 1], [1, 33], [1, 0]]),
    // Full rank: an average pool's blocks, and nothing that continues its neighbor.
    Layout(
        extents: [2, 3, 2, 4, 2, 5], inputs: [[240, 80, 40, 10, 5, 1], [60, 20, 0, 5, 0, 1], [0, 0, 0, 0, 0, 1]]),
    Layout(
        extents: [2, 3, 2, 3, 2, 3], output: [200, 60, 28, 8, 4, 1],
        inputs: [[1, 2, 6, 12, 36, 72], [300, 80, 37, 11, 5, 1], [108, 0, 18, 0, 3, 0]]),
]

/// Inputs that lack some of three axes, each way beside each other way.
private let broadcasts: [Layout] = {
    let extents = [5, 3, 37]
    let ways = [[], [0], [1], [2], [0, 1], [1, 2], [0, 1, 2]].map { Problem.contiguousStrides(extents, without: Set($0)) }
    return ways.indices.flatMap { first in
        ways.indices.map { second in
            Layout(extents: extents, inputs: [ways[first], ways[second], ways[(first + second + 3) % ways.count]])
        }
    }
}()

/// Axes that lie in another order: of the first input, of the output, of the other inputs, of all; and with gaps, too.
private let permutations: [Layout] = {
    let orders: [(extents: [Int], orders: [[Int]])] = [
        ([19, 23], [[1, 0]]), ([67, 130], [[1, 0]]), ([4, 18, 5], [[2, 1, 0], [1, 0, 2], [0, 2, 1]]),
        ([3, 1, 4, 21], [[0, 3, 1, 2], [3, 2, 1, 0]]), ([2, 3, 2, 3, 5], [[4, 1, 3, 0, 2]]),
        ([2, 3, 2, 3, 2, 5], [[5, 4, 3, 2, 1, 0], [3, 0, 5, 2, 4, 1]]), ([2, 0, 3], [[2, 1, 0]]),
    ]
    return orders.flatMap { extents, orders in
        orders.flatMap { order in
            let dense = Problem.contiguousStrides(extents)
            let permuted = Problem.strides(extents, storedAs: order)
            return [
                (dense, permuted, dense), (permuted, dense, dense), (dense, dense, permuted), (permuted, permuted, permuted),
                (dense.map { 2 * $0 }, permuted.map { 3 * $0 }, dense),
            ].map { Layout(extents: extents, output: $0.0, inputs: [$0.1, $0.2, $0.2]) }
        }
    }
}()

/// Worth several threads: few rows and many with gaps between, a transposition.
private let longNests = [
    Layout(extents: [3, 11_003], output: [11_008, 1], inputs: Array(repeating: [11_008, 1], count: 3)),
    Layout(extents: [700, 61], output: [66, 1], inputs: Array(repeating: [66, 1], count: 3)),
    Layout(extents: [211, 190], inputs: Array(repeating: [1, 211], count: 3)),
]
