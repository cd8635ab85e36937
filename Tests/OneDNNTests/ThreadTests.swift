import KantoABI
import KantoKernels
import Synchronization
import Testing

@testable import KantoConsistency

/// oneDNN's threads, and what it keeps of a run.
@Suite struct ThreadTests {
    private static let geometry = Convolution2D(
        batch: 2, height: 7, width: 7, channels: 32, outputChannels: 48, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2))

    /// A problem, its data and the kernel that was made for it.
    private final class Trial: @unchecked Sendable {
        let kernel: MadeKernel
        private let test: TestProblem
        private let data: TestData
        /// Of each run.
        private let outcomes = Mutex<[Result<[[Double]], RunFailure>]>([])

        init(_ problem: Problem, seed: UInt64 = 7, kernel: MadeKernel) throws {
            test = TestProblem(problem, seed: seed)
            data = try #require(TestData(test, .normal))
            self.kernel = kernel
        }

        func run() throws(RunFailure) -> [[Double]] { try kernel.run(inputs: data.inputs, outputs: data.outputs) }

        func record() {
            let outcome = Result { () throws(RunFailure) in try run() }
            outcomes.withLock { $0.append(outcome) }
        }

        /// Expects so many recorded runs, all of the same bits and right.
        func expectSameBits(count: Int) throws {
            let outputs = try outcomes.withLock { try $0.map { try $0.get() } }
            #expect(outputs.count == count)
            let fault = try Expectation(test, .normal, data).fault(in: outputs[0], of: operands(of: test.problem))
            #expect(fault == nil)
            #expect(outputs.allSatisfy { bits(of: $0) == bits(of: outputs[0]) }, "\(test): other bits")
        }
    }

    private static func made(_ problem: Problem, on host: ThreadHost) throws -> MadeKernel {
        try MadeKernel(problem.raw, on: plugin().table, host: host)
    }

    /// One kernel on four threads, each with operands of its own: nothing of a run stands in the kernel.
    @Test(arguments: [1, 2]) func runsOnSeveralThreadsAtOnce(threadCount: Int) throws {
        for problem: Problem in [
            .matmul(m: 33, n: 65, k: 40, bias: true),
            .convolution(.convolution2DForward, .float32, Self.geometry),
            .convolution(.convolution2DInputGradient, .float32, Self.geometry, accumulate: true),
            .convolution(.convolution2DWeightGradient, .float32, Self.geometry),
        ] {
            let kernel = try Self.made(problem, on: ThreadHost(threadCount: threadCount))
            let trials = try (0..<4).map { try Trial(problem, seed: $0, kernel: kernel) }
            let jobs = trials.map { trial in { for _ in 0..<50 { trial.record() } } }
            runThreads(Array(jobs.dropFirst()), here: jobs[0])
            for trial in trials { try trial.expectSameBits(count: 50) }
        }
    }

    /// How many threads the host lends depends on how busy the machine is; bits must not. (oneDNN 2.6.3 sums some of these
    /// products in another order where it has planned for one thread.)
    @Test(arguments: [(150, 64, 100), (64, 1, 4096), (150, 512, 512), (40, 3, 2000), (96, 16, 1500)])
    func fewerThreadsThanPlannedGiveTheSameBits(m: Int, n: Int, k: Int) throws {
        let leaky = Activation.leakyReLU(slope: 0.25)
        for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
            let product = Problem.matmul(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
            for epilogue in [
                Epilogue(), Epilogue(bias: true, activation: leaky, accumulate: true),
                Epilogue(derivative: leaky, accumulate: true),
            ] {
                try expectSameBits(product.ending(with: epilogue), on: [2, 1, 1, 2])
            }
        }
    }

    @Test(arguments: convolutionOps) func fewerThreadsThanPlannedGiveConvolutionsTheSameBits(_ op: Op) throws {
        for geometry in convolutionGeometries { try expectSameBits(.convolution(op, .float32, geometry), on: [2, 1]) }
    }

    private func expectSameBits(_ problem: Problem, on threadCounts: [Int]) throws {
        let host = ThreadHost(threadCount: 2)
        let kernel: MadeKernel
        do { kernel = try Self.made(problem, on: host) } catch RunFailure.declined { return }
        let trial = try Trial(problem, kernel: kernel)
        for threadCount in threadCounts {
            host.threadCount = threadCount
            trial.record()
        }
        try trial.expectSameBits(count: threadCounts.count)
    }

    /// A kernel that was planned for two threads runs inside a body, where oneDNN has one.
    @Test func kernelRunsInsideParallelFor() throws {
        let problem = Problem.convolution(.convolution2DWeightGradient, .float32, Self.geometry)
        let trial = try Trial(problem, kernel: Self.made(problem, on: ThreadHost(threadCount: 2)))
        let parallelFor = try #require(plugin().table.pointee.parallel_for)
        parallelFor(
            2, 8, { context, _, _ in Unmanaged<Trial>.fromOpaque(context!).takeUnretainedValue().record() },
            Unmanaged.passUnretained(trial).toOpaque())
        try trial.expectSameBits(count: 8)
    }
}

private func bits(of outputs: [[Double]]) -> [[UInt64]] { outputs.map { $0.map(\.bitPattern) } }
