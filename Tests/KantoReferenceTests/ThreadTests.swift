import KantoConsistency
import KantoKernels
import KantoReference
import Testing

@Suite struct ThreadTests {
    static let geometry = Convolution2D(
        batch: 3, height: 8, width: 9, channels: 5, outputChannels: 16, kernel: (4, 3), stride: (2, 3), padding: (1, 0, 2, 1))

    static let problems: [Problem] = [
        .matmul(m: 33, n: 300, k: 65),
        .convolution(.convolution2DForward, .float32, geometry),
        .convolution(.convolution2DInputGradient, .float32, geometry),
        .convolution(.convolution2DWeightGradient, .float32, geometry),
        .iteration(.binary, .divide, extents: [30_001]),
        .iteration(.reduce, .sum, extents: [100, 70], over: [0]),
        .iteration(.reduce, .sum, extents: [70, 100], over: [1]),
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
