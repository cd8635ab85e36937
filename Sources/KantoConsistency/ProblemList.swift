import KantoKernels

/// The problems that every backend is tested on, in float32.
public let problemList: [TestProblem] =
    matmulProblems + convolutionProblems + bfloat16Problems + elementwiseProblems + reductionProblems + statisticsProblems
    + optimizerProblems + distributionProblems

/// A third of the products, in which each epilogue comes with each kind of geometry.
private let bfloat16Problems: [TestProblem] = {
    let products = (matmulProblems + convolutionProblems).map { Problem(raw: $0.problem) }.filter { $0.precision == .float32 }
    return products.indices.filter { $0 % 3 == 0 }.map { TestProblem(products[$0].with(.bfloat16)) }
}()

/// Every epilogue: five activations, with and without bias, overwriting and accumulating.
let epilogues: [Epilogue] = [false, true].flatMap { bias in
    [false, true].flatMap { accumulate in
        [.none, .relu, .leakyReLU(slope: 0.25), .leakyReLU(slope: 0.2), .tanh, .sigmoid].map {
            Epilogue(bias: bias, activation: $0, accumulate: accumulate)
        }
    }
}

/// Every derivative, overwriting and accumulating.
let derivatives: [Epilogue] = epilogues.compactMap { epilogue in
    guard !epilogue.bias, epilogue.activation != .none else { return nil }
    return Epilogue(derivative: epilogue.activation, accumulate: epilogue.accumulate)
}

private let optimizerProblems: [TestProblem] = [0, 1, 3, 5, 15, 16, 17, 33, 1003, 20_000].flatMap { count in
    [
        // The first step, and a late one with decay.
        TestProblem(.optimize(.adam, count: count), scalars: [1e-4, 0, 0.9, 1e-8, 1, 0.1, 0]),
        TestProblem(.optimize(.adam, count: count), scalars: [2e-3, 0.9, 0.999, 1e-8, 0.65, 0.01, 0.01]),
        TestProblem(.optimize(.momentum, count: count), scalars: [1e-2, 0.9, 0.01]),
        TestProblem(.optimize(.rmsProp, count: count), scalars: [5e-5, 0.99, 1e-8, 0.01]),
    ]
}

private let distributionProblems: [TestProblem] = [0, 1, 2, 3, 4, 5, 7, 8, 31, 33, 64, 65, 1001, 20_000].flatMap { count in
    Function.all(of: .random).flatMap { distribution in
        [
            [0, 1, 7, 0, 0, 0, 0, 0],
            // All words of the key, the stream and the block in use, the number of the block wrapping.
            [-0.3, 2.5, 0x8000_0001, 0xFFFF_FFFF, 0xDEAD_BEEF, 0x1234_5678, 0xFFFF_FFFE, 0xFFFF_FFFF],
            // The number of the block outgrows its low word.
            [0.1, 0.3, 5, 0, 0, 2, 0xFFFF_FFFB, 0],
        ].map { TestProblem(.random(distribution, count: count), scalars: $0) }
    }
}
