import KantoABI
import KantoKernels

let reductionProblems: [TestProblem] = {
    var problems: [Problem] = []
    for function in Function.all(of: .reduce) {
        for accumulate in function.info.has(KANTO_TRAIT_SUM) ? [false, true] : [false] {
            problems += shapes.flatMap { reductions(.reduce, function, $0.extents, $0.axes, accumulate: accumulate) }
            problems += strided.map { nest in
                let inputs = [nest.input, Problem.contiguousStrides(nest.extents)]
                return .iteration(
                    .reduce, function, extents: nest.extents, over: nest.axes,
                    inputs: Array(inputs.prefix(Problem.inputCount(.reduce, function))), accumulate: accumulate)
            }
        }
    }
    // Nests are walked alike whatever is reduced.
    for (function, accumulate) in [(Function.sum, false), (.sumOfSquares, true), (.reduceMaximum, false)] {
        problems += longShapes.flatMap { reductions(.reduce, function, $0.extents, $0.axes, accumulate: accumulate) }
        problems += walks.map {
            .iteration(
                .reduce, function, extents: $0.extents, output: $0.output, inputs: [$0.input], accumulate: accumulate)
        }
    }
    for (extents, order) in orders {
        let axes = subsets(of: extents.count)
        problems += reductions(.reduce, .sum, extents, axes, input: Problem.strides(extents, storedAs: order))
        if extents.count < 5 { problems += reductions(.reduce, .sum, extents, axes) }
    }
    problems += reductions(.reduce, .reduceMinimum, orders[1].extents, subsets(of: 4))
    return (problems + sumsOfProducts).map { TestProblem($0) }
}()

let statisticsProblems: [TestProblem] = {
    var problems = (shapes + longShapes).flatMap { reductions(.statistics, nil, $0.extents, $0.axes) }
    problems += strided.map { .iteration(.statistics, nil, extents: $0.extents, over: $0.axes, inputs: [$0.input]) }
    problems += walks.map { .iteration(.statistics, nil, extents: $0.extents, output: $0.output, inputs: [$0.input]) }
    problems += reductions(.statistics, nil, [3, 5, 2, 7], subsets(of: 4))
    // Per sample and channel, per channel, per sample and group of channels, per sample.
    let normalizations: [(extents: [Int], axes: Set<Int>)] = [
        ([3, 49, 33], [1]), ([150, 33], [0]), ([3, 49, 4, 8], [1, 3]), ([5, 1024], [1]), ([5, 49, 24], [1, 2]),
        ([5, 7, 7, 24], [0, 1, 2]), ([6, 1100], [0]), ([5, 49, 4, 6], [1, 3]), ([40, 49, 24], [1, 2]),
        // Worth several threads.
        ([4, 600, 17], [1]), ([1, 1000, 40], [1]), ([20, 28, 28, 3], [0, 1, 2]), ([1, 300, 8, 16], [1, 3]),
        ([2, 150, 3, 40], [1, 3]), ([1, 2000, 5, 4], [1, 3]),
    ]
    problems += normalizations.map { .iteration(.statistics, nil, extents: $0.extents, over: $0.axes) }
    return problems.map { TestProblem($0) }
}()

/// One for each choice of axes; of contiguous inputs unless strides are given.
private func reductions(
    _ op: Op, _ function: Function?, _ extents: [Int], _ choices: [Set<Int>], input: [Int]? = nil, accumulate: Bool = false
) -> [Problem] {
    choices.map {
        .iteration(op, function, extents: extents, over: $0, inputs: input.map { [$0] }, accumulate: accumulate)
    }
}

private func subsets(of count: Int) -> [Set<Int>] {
    (0..<1 << count).map { bits in Set((0..<count).filter { bits >> $0 & 1 == 1 }) }
}

private let shapes: [(extents: [Int], axes: [Set<Int>])] = {
    let several: [(extents: [Int], axes: [Set<Int>])] = [
        ([], [[]]),
        ([7], [[]]),
        ([6, 17], [[0], [1], [0, 1]]),
        ([65, 33], [[0], [1]]),
        ([300, 5], [[0], [1]]),
        ([3, 1000], [[0], [1]]),
        ([3, 0], [[0], [1], [0, 1]]),
        ([0, 19], [[0], [1]]),
        ([4, 0, 3], [[1]]),
        // The bias of a convolution, the norms of a penalty, a layer normalization's statistics.
        ([4, 5, 6, 7], [[0, 1, 2], [1, 2, 3], [1, 2], [3], [0, 2], [1, 3], [0, 1, 2, 3]]),
        ([2, 3, 2, 4, 2, 5], [[2, 4], [0, 2, 4], [1, 3, 5], [0, 5]]),
    ]
    return lengths.map { (extents: [$0], axes: [[0]]) } + several
}()

/// Worth several threads, which divide what is kept or what is reduced.
private let longShapes: [(extents: [Int], axes: [Set<Int>])] = [
    ([3, 12_000], [[0], [1], [0, 1]]), ([12_000, 3], [[0], [1]]), ([700, 61], [[0], [1]]),
    ([2, 9, 300, 7], [[1, 3], [2], [0, 2]]),
]

/// A slice, permutations, a broadcast, every third element.
private let strided: [(extents: [Int], axes: Set<Int>, input: [Int])] = [
    ([5, 9], [1], [30, 3]), ([5, 9], [0], [1, 5]), ([4, 17, 6], [0, 2], [200, 1, 20]), ([4, 6], [0], [0, 1]), ([65], [0], [3]),
    ([1003], [0], [3]), ([9], [0], [0]), ([6, 50, 9], [1], [1, 54, 6]), ([70, 80, 9], [0], [1, 70, 5600]),
]

/// Rows, columns and all of a matrix, results with gaps between; of a dense matrix, a transposed one and one with gaps.
private let walks: [(extents: [Int], output: [Int], input: [Int])] = [[131, 17], [16, 129], [3, 1100]].flatMap { extents in
    [[0, 1], [1, 0], [0, 0], [0, 2]].flatMap { output in
        [[extents[1], 1], [1, extents[0]], [2 * extents[1] + 3, 2]].map { (extents, output, $0) }
    }
}

/// With another order of the axes in memory.
private let orders: [(extents: [Int], order: [Int])] = [
    ([3, 5, 18], [2, 0, 1]), ([4, 7, 3, 5], [0, 3, 1, 2]), ([2, 9, 30, 7], [2, 0, 1, 3]), ([2, 3, 4, 3, 5], [4, 1, 3, 0, 2]),
    ([2, 3, 2, 3, 2, 5], [3, 0, 5, 2, 4, 1]),
]

/// The second factor dense, laid out as the first, or repeated along the axes that are kept or along those that are reduced.
private let sumsOfProducts: [Problem] =
    longShapes.flatMap { reductions(.reduce, .sumOfProducts, $0.extents, $0.axes) }
    + walks.flatMap { nest in
        [
            nest.input, Problem.contiguousStrides(nest.extents), zip(nest.input, nest.output).map { $1 == 0 ? $0 : 0 },
            zip(nest.input, nest.output).map { $1 == 0 ? 0 : $0 },
        ].map { .iteration(.reduce, .sumOfProducts, extents: nest.extents, output: nest.output, inputs: [nest.input, $0]) }
    }
