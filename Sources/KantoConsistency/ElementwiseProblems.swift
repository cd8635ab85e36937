import KantoABI
import KantoKernels

/// Lengths around the widths of vectors, and one that is worth several threads.
private let lengths = [0, 1, 5, 6, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 1000, 20_001]

/// A shape with the strides of an output and of up to three inputs; the output is dense where none are given.
private struct Layout {
    var extents: [Int]
    var output: [Int]?
    var inputs: [[Int]]
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

let elementwiseProblems: [TestProblem] = {
    var problems: [TestProblem] = []
    for length in lengths {
        problems += everyFunction(over: Layout(extents: [length], inputs: [[1], [1], [1]]))
    }
    for layout in layouts { problems += everyFunction(over: layout) }
    // A slope of zero is a ReLU.
    for function in [
        (KANTO_OP_UNARY, KANTO_FUNCTION_LEAKY_RELU), (KANTO_OP_BINARY, KANTO_FUNCTION_LEAKY_RELU_GRADIENT),
    ] {
        for slope in [0, 0.2] {
            problems.append(TestProblem(elementwise(function.0, function: function.1, [1000], parameter: slope)))
        }
    }
    return problems
}()

private func everyFunction(over layout: Layout) -> [TestProblem] {
    [Op.unary, .binary, .ternary].flatMap(Function.all).map { function in
        let info = function.info
        let problem = elementwise(
            Int(info.op), function: Int(info.function), layout.extents, output: layout.output,
            inputs: Array(layout.inputs.prefix(Int(info.input_count))), parameter: info.has(KANTO_TRAIT_PARAMETER) ? 0.25 : 0)
        return TestProblem(problem, scalars: Array([3, -2].prefix(Int(info.scalar_count))))
    }
}

private let reducedShapes: [([Int], [Set<Int>])] = [
    ([], [[]]),
    ([7], [[]]),
    ([6, 17], [[0], [1], [0, 1]]),
    ([65, 33], [[0], [1]]),
    ([300, 5], [[0], [1]]),
    ([3, 1000], [[0], [1]]),
    ([3, 0], [[0], [1], [0, 1]]),
    // The bias of a convolution, the norms of a penalty, a layer normalization's statistics.
    ([4, 5, 6, 7], [[0, 1, 2], [1, 2, 3], [1, 2], [3], [0, 2], [1, 3], [0, 1, 2, 3]]),
    ([2, 3, 2, 4, 2, 5], [[2, 4], [0, 2, 4], [1, 3, 5], [0, 5]]),
]

let statisticsProblems: [TestProblem] = {
    var problems = lengths.map { statistics([$0], over: [0]) }
    for (extents, choices) in reducedShapes {
        for axes in choices { problems.append(statistics(extents, over: axes)) }
    }
    // Per sample and channel, per channel, per sample and group of channels, per sample.
    problems.append(statistics([3, 49, 33], over: [1]))
    problems.append(statistics([150, 33], over: [0]))
    problems.append(statistics([3, 49, 4, 8], over: [1, 3]))
    problems.append(statistics([5, 1024], over: [1]))
    // Strided inputs: a slice, a permutation, a broadcast.
    problems.append(statistics([5, 9], over: [1], input: [30, 3]))
    problems.append(statistics([4, 17, 6], over: [0, 2], input: [200, 1, 20]))
    problems.append(statistics([4, 6], over: [0], input: [0, 1]))
    return problems.map { TestProblem($0) }
}()

let reductionProblems: [TestProblem] = {
    var problems: [kanto_problem] = []
    for function in functions(of: KANTO_OP_REDUCE) {
        for accumulate in problem(KANTO_OP_REDUCE, function: function).isSum ? [false, true] : [false] {
            for length in lengths { problems.append(reduce(function, [length], over: [0], accumulate: accumulate)) }
            for (extents, choices) in reducedShapes {
                for axes in choices { problems.append(reduce(function, extents, over: axes, accumulate: accumulate)) }
            }
            // Strided inputs: a slice, a permutation, a broadcast.
            problems.append(reduce(function, [5, 9], over: [1], input: [30, 3], accumulate: accumulate))
            problems.append(reduce(function, [5, 9], over: [0], input: [1, 5], accumulate: accumulate))
            problems.append(reduce(function, [4, 17, 6], over: [0, 2], input: [200, 1, 20], accumulate: accumulate))
            problems.append(reduce(function, [4, 6], over: [0], input: [0, 1], accumulate: accumulate))
        }
    }
    return problems.map { TestProblem($0) }
}()
