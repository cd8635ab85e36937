import KantoABI
import KantoConsistency
import KantoReference
import Testing

@Suite struct ThreadTests {
    static let geometry = convolution(
        batch: 3, 8, 9, channels: 5, outputChannels: 16, kernel: (4, 3), stride: (2, 3), padding: (1, 0, 2, 1))

    static let problems = [
        matmul(33, 300, 65),
        convolution(KANTO_OP_CONV2D_FORWARD, geometry),
        convolution(KANTO_OP_CONV2D_INPUT_GRADIENT, geometry),
        convolution(KANTO_OP_CONV2D_WEIGHT_GRADIENT, geometry),
        elementwise(KANTO_OP_BINARY, function: KANTO_FUNCTION_DIVIDE, [30_001]),
        reduce(KANTO_FUNCTION_SUM, [100, 70], over: [0]),
        reduce(KANTO_FUNCTION_SUM, [70, 100], over: [1]),
    ]

    @Test(arguments: problems.map { TestProblem($0) })
    func theResultDoesNotDependOnTheNumberOfThreads(_ test: TestProblem) throws {
        var random = Random(seed: 2)
        let inputs = operands(of: test.problem).inputs.map { random.normals($0.span) }
        let results = try [1, 2, 5].map { threadCount in
            try MadeKernel(test.problem, on: referenceBackend(), host: ThreadHost(threadCount: threadCount))
                .run(inputs: inputs, outputs: [])
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }
}
