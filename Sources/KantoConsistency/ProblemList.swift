import KantoABI

/// The problems that every backend is tested on, in float32.
public let problemList: [TestProblem] =
    matmulProblems + convolutionProblems + elementwiseProblems + reductionProblems + statisticsProblems
    + optimizerProblems + distributionProblems

/// Every epilogue: five activations, with and without bias, overwriting and accumulating.
private let epilogues: [EpilogueOptions] = [false, true].flatMap { bias in
    [false, true].flatMap { accumulate in
        [
            (KANTO_ACTIVATION_NONE, 0), (KANTO_ACTIVATION_RELU, 0), (KANTO_ACTIVATION_LEAKY_RELU, 0.25),
            (KANTO_ACTIVATION_LEAKY_RELU, 0.2), (KANTO_ACTIVATION_TANH, 0), (KANTO_ACTIVATION_SIGMOID, 0),
        ]
        .map { EpilogueOptions(bias: bias, accumulate: accumulate, activation: $0.0, slope: $0.1) }
    }
}

/// Every derivative, overwriting and accumulating.
private let derivatives: [EpilogueOptions] = epilogues.compactMap { epilogue in
    guard !epilogue.bias, epilogue.activation != KANTO_ACTIVATION_NONE else { return nil }
    var derivative = epilogue
    derivative.derivative = true
    return derivative
}

private let matmulProblems: [TestProblem] = {
    var problems: [kanto_problem] = []
    // Around the widths of vectors and tiles, and beyond the blocks that fit a cache.
    let sizes = [
        (1, 1, 1), (5, 7, 6), (6, 5, 0), (15, 17, 16), (32, 32, 32), (16, 33, 31), (33, 64, 65), (64, 63, 33),
        (7, 130, 257),
        (130, 5, 70), (1, 65, 100), (65, 1, 100), (2, 300, 3), (97, 193, 300), (31, 16, 1030),
        // Few steps; few rows; one row of a matrix that exceeds a cache.
        (40, 37, 1), (23, 1030, 2), (3, 261, 75), (4, 1100, 21), (9, 600, 130), (1, 400, 400),
    ]
    for (index, (m, n, k)) in sizes.enumerated() {
        for transposeA in [false, true] {
            for transposeB in [false, true] {
                problems.append(matmul(m, n, k, transposeA: transposeA, transposeB: transposeB))
                problems.append(
                    matmul(
                        m, n, k, transposeA: transposeA, transposeB: transposeB, rowGap: 3,
                        epilogues[(5 * index + 7) % epilogues.count]))
                problems.append(
                    matmul(
                        m, n, k, transposeA: transposeA, transposeB: transposeB, rowGap: 1,
                        derivatives[(index + 3) % derivatives.count]))
            }
        }
    }
    for (m, n, k) in [(0, 3, 4), (0, 1024, 1024), (3, 0, 4), (0, 0, 0), (3, 4, 0), (1, 1, 0)] {
        problems.append(matmul(m, n, k))
        problems.append(
            matmul(m, n, k, EpilogueOptions(bias: true, accumulate: true, activation: KANTO_ACTIVATION_RELU)))
    }
    for epilogue in epilogues + derivatives {
        problems.append(matmul(13, 37, 21, epilogue))
        problems.append(matmul(48, 64, 32, epilogue))
        problems.append(matmul(7, 41, 3, epilogue))
        problems.append(matmul(3, 260, 9, epilogue))
    }
    for epilogue in derivatives { problems.append(matmul(5, 4, 0, epilogue)) }
    for batch in [0, 2, 3, 7] {
        for transposeB in [false, true] {
            problems.append(matmul(5, 9, 17, batch: batch, transposeB: transposeB))
            problems.append(
                matmul(17, 33, 8, batch: batch, transposeA: true, transposeB: transposeB, rowGap: 1, batchGap: 5))
            problems.append(
                matmul(
                    16, 20, 12, batch: batch, transposeB: transposeB, sharedB: true,
                    EpilogueOptions(bias: true, activation: KANTO_ACTIVATION_LEAKY_RELU, slope: 0.25)))
            problems.append(
                matmul(
                    9, 33, 12, batch: batch, transposeB: transposeB, rowGap: 2, batchGap: 3,
                    EpilogueOptions(derivative: true, activation: KANTO_ACTIVATION_LEAKY_RELU, slope: 0.25)))
        }
    }
    // Long sums, and outputs larger than one block in both directions.
    problems.append(matmul(3, 5, 4097))
    // The stride of a single row may be anything.
    for (m, transposeA) in [(4, false), (8, true), (40, false)] {
        var problem = matmul(m, 16, 1, batch: 2, transposeA: transposeA)
        problem.matmul.row_stride_b = 0
        problems.append(problem)
    }
    problems.append(matmul(200, 520, 130, EpilogueOptions(bias: true)))
    problems.append(matmul(520, 70, 260, transposeA: true, EpilogueOptions(accumulate: true)))
    return problems.map { TestProblem($0) }
}()

private let convolutionProblems: [TestProblem] = {
    var problems: [kanto_problem] = []
    for (index, geometry) in convolutionGeometries.enumerated() {
        problems.append(convolution(KANTO_OP_CONV2D_FORWARD, geometry))
        problems.append(convolution(KANTO_OP_CONV2D_FORWARD, geometry, epilogues[(7 * index + 14) % epilogues.count]))
        problems.append(convolution(KANTO_OP_CONV2D_FORWARD, geometry, derivatives[index % derivatives.count]))
        problems.append(convolution(KANTO_OP_CONV2D_INPUT_GRADIENT, geometry, derivatives[(index + 3) % derivatives.count]))
        for accumulate in [false, true] {
            let options = EpilogueOptions(accumulate: accumulate)
            problems.append(convolution(KANTO_OP_CONV2D_INPUT_GRADIENT, geometry, options))
            problems.append(convolution(KANTO_OP_CONV2D_WEIGHT_GRADIENT, geometry, options))
            problems.append(
                convolution(KANTO_OP_CONV2D_WEIGHT_GRADIENT, geometry, EpilogueOptions(bias: true, accumulate: accumulate)))
        }
    }
    let small = convolution(
        batch: 2, 6, 7, channels: 5, outputChannels: 19, kernel: (3, 3), stride: (2, 1), padding: (1, 1, 0, 1))
    let grouped = convolution(
        batch: 2, 5, 5, channels: 6, outputChannels: 8, kernel: (3, 3), padding: (1, 1, 1, 1), groups: 2)
    for epilogue in epilogues {
        problems.append(convolution(KANTO_OP_CONV2D_FORWARD, small, epilogue))
        problems.append(convolution(KANTO_OP_CONV2D_FORWARD, grouped, epilogue))
    }
    // One input channel, one output channel, 1x1, a single position with taps apart: where a backend may go other ways.
    let narrow = [
        convolution(batch: 3, 8, 8, channels: 1, outputChannels: 16, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
        convolution(batch: 3, 8, 8, channels: 16, outputChannels: 1, kernel: (3, 3), padding: (1, 1, 1, 1)),
        convolution(batch: 2, 5, 5, channels: 20, outputChannels: 12, kernel: (1, 1)),
        convolution(
            6, 6, channels: 5, outputChannels: 16, kernel: (3, 3), stride: (4, 4), padding: (1, 1, 1, 1), dilation: (2, 2)),
    ]
    // Mostly padding, and an input that is nothing but padding.
    let padded = convolution(
        8, 8, channels: 3, outputChannels: 5, kernel: (3, 3), stride: (2500, 2500), padding: (2500, 2500, 2500, 2500))
    let empty = convolution(0, 4, channels: 3, outputChannels: 4, kernel: (3, 3), padding: (2, 2, 2, 2))
    for op in [KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT, KANTO_OP_CONV2D_WEIGHT_GRADIENT] {
        problems += [convolution(op, padded), convolution(op, empty)]
    }
    for epilogue in derivatives {
        for geometry in [small, grouped] + narrow {
            problems.append(convolution(KANTO_OP_CONV2D_FORWARD, geometry, epilogue))
            problems.append(convolution(KANTO_OP_CONV2D_INPUT_GRADIENT, geometry, epilogue))
        }
    }
    return problems.map { TestProblem($0) }
}()

private let optimizerProblems: [TestProblem] = [0, 1, 5, 15, 16, 17, 33, 1000, 20_000].flatMap { count in
    [
        // The first step, and a late one with decay.
        TestProblem(optimize(KANTO_FUNCTION_ADAM, count: count), scalars: [1e-4, 0, 0.9, 1e-8, 1, 0.1, 0]),
        TestProblem(optimize(KANTO_FUNCTION_ADAM, count: count), scalars: [2e-3, 0.9, 0.999, 1e-8, 0.65, 0.01, 0.01]),
        TestProblem(optimize(KANTO_FUNCTION_MOMENTUM, count: count), scalars: [1e-2, 0.9, 0.01]),
        TestProblem(optimize(KANTO_FUNCTION_RMSPROP, count: count), scalars: [5e-5, 0.99, 1e-8, 0.01]),
    ]
}

private let distributionProblems: [TestProblem] = [0, 1, 2, 3, 4, 5, 31, 64, 1001, 20_000].flatMap { count in
    functions(of: KANTO_OP_RANDOM).flatMap { distribution in
        [
            TestProblem(random(distribution, count: count), scalars: [0, 1, 7, 0, 0, 0, 0, 0]),
            // All words of the key, the stream and the block in use, the number of the block wrapping.
            TestProblem(
                random(distribution, count: count),
                scalars: [-0.3, 2.5, 0x8000_0001, 0xFFFF_FFFF, 0xDEAD_BEEF, 0x1234_5678, 0xFFFF_FFFE, 0xFFFF_FFFF]),
        ]
    }
}
