import KantoConsistency
import KantoKernels
import Testing

/// What the plugin may decline, and what it must not.
@Suite struct ConvolutionTests {
    /// Known weaknesses of oneDNN, in the words of the plugin.
    private static let weaknesses = ["has only its reference implementation", "which multiplies the padding"]

    /// Why the plugin declines a problem, or nil.
    private func refusal(of problem: Problem) throws -> String? {
        let plugin = try plugin()
        do throws(RunFailure) {
            _ = try MadeKernel(problem.raw, on: plugin.table, host: ThreadHost(threadCount: 2))
            return nil
        } catch .declined(let reason) {
            return reason
        }
    }

    @Test func declinesConvolutionsForItsWeaknessesOnly() throws {
        for test in problemList where test.problem.precision == 0 {
            let problem = Problem(raw: test.problem)
            guard let op = problem.op, try plugin().offers(op, .float32), let refusal = try refusal(of: problem) else { continue }
            let isWeakness = op != .matmul && Self.weaknesses.contains { refusal.contains($0) }
            #expect(isWeakness, "\(problem): \(refusal)")
        }
    }

    /// Nothing of what a WGAN-GP is made of may fall to the weaknesses.
    @Test(arguments: [1, 3, 16, 64, 128], [(3, 1, 1), (4, 2, 1), (5, 2, 2)])
    func servesUsualLayers(channels: Int, window: (kernel: Int, stride: Int, pad: Int)) throws {
        for outputChannels in [16, 64, 128] {
            let geometry = Convolution2D(
                batch: 1, height: 8, width: 8, channels: channels, outputChannels: outputChannels,
                kernel: (window.kernel, window.kernel), stride: (window.stride, window.stride),
                padding: (window.pad, window.pad, window.pad, window.pad))
            for op in convolutionOps { #expect(try refusal(of: .convolution(op, .float32, geometry)) == nil) }
        }
    }

    /// Outputs that are large enough for a last pass to be shared by threads.
    @Test(arguments: convolutionOps.dropLast(), [Activation.relu, .leakyReLU(slope: 0.25), .tanh, .sigmoid])
    func lastPassesAreShared(_ op: Op, _ activation: Activation) throws {
        let geometry = Convolution2D(
            batch: 4, height: 24, width: 24, channels: 16, outputChannels: 16, kernel: (3, 3), padding: (1, 1, 1, 1))
        var problems = [Problem.convolution(op, .float32, geometry, derivative: activation, accumulate: true)]
        if op == .convolution2DForward {
            problems.append(.convolution(op, .float32, geometry, bias: true, activation: activation, accumulate: true))
        }
        let verification = verify(try plugin().table, problems.map { TestProblem($0) }, types: [.float32])
        #expect(verification.failures.map(\.description) == [])
        #expect(verification.servedCount == problems.count)
    }

    /// Geometries that nobody chose, most of them with odd channels in padding.
    @Test(arguments: convolutionOps) func servesManyRandomGeometries(_ op: Op) throws {
        let problems = randomProblems(count: 200, seed: 5, ops: [op]).filter { $0.problem.precision == 0 }
        let verification = verify(try plugin().table, problems, types: [.float32], mayDecline: { _ in true })
        #expect(verification.failures.map(\.description) == [])
        for refusal in verification.declined {
            #expect(Self.weaknesses.contains { refusal.reason.contains($0) }, "\(refusal.test): \(refusal.reason)")
        }
        // Without AVX-512 oneDNN has little that leaves the padding out.
        let usual = try hasAVX512() ? 75 : 25
        #expect(verification.servedCount > (op == .convolution2DWeightGradient ? 15 : usual))
    }

    /// Whether oneDNN found the instruction set, and may use it.
    private func hasAVX512() throws -> Bool { try plugin().summary.contains("avx512") }

    /// oneDNN 2.6.3 loses what the output holds, or crashes, with AVX-512; what is served there must be right. oneDNN 3.2,
    /// and 2.6.3 with AVX2, have no implementation for these that leaves the padding out.
    @Test func addsWhereWindowsLieInThePadding() throws {
        let geometries = [
            Convolution2D(
                batch: 2, height: 4, width: 12, channels: 7, outputChannels: 9, kernel: (1, 5), padding: (1, 1, 5, 1),
                dilation: (1, 2)),
            Convolution2D(
                batch: 5, height: 5, width: 9, channels: 1, outputChannels: 5, kernel: (3, 2), padding: (2, 0, 3, 2)),
        ]
        let activations: [Activation] = [.none, .relu, .leakyReLU(slope: 0.25), .tanh, .sigmoid]
        var epilogues = activations.dropFirst().map { Epilogue(derivative: $0, accumulate: true) }
        for bias in [false, true] {
            for accumulate in [false, true] {
                epilogues += activations.map { Epilogue(bias: bias, activation: $0, accumulate: accumulate) }
            }
        }
        let problems = geometries.flatMap { geometry in
            epilogues.map { TestProblem(Problem.convolution(.convolution2DForward, .float32, geometry).ending(with: $0)) }
        }
        let isOffered = try plugin().summary.hasPrefix("oneDNN 2.") && hasAVX512()
        let verification = verify(try plugin().table, problems, types: [.float32], mayDecline: { _ in !isOffered })
        #expect(verification.failures.map(\.description) == [])
    }
}
