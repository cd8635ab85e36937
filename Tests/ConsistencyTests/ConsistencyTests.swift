import KantoABI
@testable import KantoConsistency
import KantoKernels
import KantoWorkloads
import Testing

/// One op on one backend.
struct ConsistencyCase: CustomTestStringConvertible, Sendable {
    let backend: Backend
    let op: Op

    var testDescription: String { "\(backend.name) \(op)" }

    /// Every backend and instruction set that is present here, plugins included, with each op that it offers.
    static var all: [ConsistencyCase] {
        get throws {
            try Registry.shared().backends.filter(\.isTestedAlone).flatMap { backend in
                Op.allCases.filter { backend.offers($0, .float32) }.map { ConsistencyCase(backend: backend, op: $0) }
            }
        }
    }
}

@Suite struct ConsistencyTests {
    /// In float32 the reference must be as exact as it demands of others; in float64, the same at any placement of its
    /// operands and on any number of threads.
    @Test(arguments: try ConsistencyCase.all) func agreesWithTheReference(_ test: ConsistencyCase) {
        expectAgreement(on: test.backend, problemList.filter { $0.problem.op == Int(test.op.rawValue) })
    }

    /// Kernels of whole layers are made: sizes whose products overflow where small ones do not.
    @Test(arguments: try Registry.shared().backends)
    func makesKernelsOfWholeLayers(_ backend: Backend) throws {
        for problem in BenchmarkPreset.all.flatMap(\.problems) {
            let answer = try #require(try withBackend(backend.name) { try Kernels.explain(problem).answers.first })
            #expect(answer.backend == backend)
            switch answer.verdict {
            case .notOffered: break
            case .declines where backend.variantOf != nil: break
            case .declines(let reason): Issue.record("\(backend.name) declines \(problem): \(reason)")
            case .makes(let kernel, _): #expect(!kernel.isEmpty, "\(backend.name) does not say what it makes for \(problem)")
            }
        }
    }

    /// What is measured is verified, on one sample: the layers that are small enough for the reference.
    @Test(arguments: try Registry.shared().backends.filter { $0.offers(.convolution2DForward, .float32) })
    func agreesOnBenchmarkProblems(_ backend: Backend) {
        var problems = BenchmarkPreset.all.filter { $0.name != "gemm" && $0.name != "elementwise" }.flatMap(\.problems)
        for index in problems.indices { problems[index].raw.convolution.batch = 1 }
        problems = problems.filter { $0.floatingPointOperations < 6e7 }
        expectAgreement(on: backend, problems.map { TestProblem($0) })
    }

    @Test(arguments: try Registry.shared().backends.filter { $0.variantOf == nil }) func agreesOnRandomProblems(_ backend: Backend) {
        expectAgreement(on: backend, randomProblems(count: 60, seed: 1))
    }

    /// A run finds the same bits on any number of threads, be the kernel made for as many or for more.
    @Test(arguments: try Registry.shared().backends.filter { $0.name.hasPrefix("simd") && $0.isTestedAlone })
    func threadsChangeNoBits(_ backend: Backend) throws {
        // Fewer samples than in a benchmark: enough for several blocks of positions, and few enough for a test.
        let layers = BenchmarkPreset.all.first { $0.name == "convolutions" }!.problems.map { problem in
            var problem = problem
            problem.raw.convolution.batch = 4
            return TestProblem(problem)
        }
        let reductions = BenchmarkPreset.all.first { $0.name == "elementwise" }!.problems
            .filter { [.reduce, .statistics].contains($0.op) }
            .map { problem in
                var problem = problem
                problem.raw.iteration.extent.0 = 5
                return TestProblem(problem)
            }
        let tests = problemList + randomProblems(count: 60, seed: 2) + layers + reductions
        var servedCount = 0
        for test in tests where backend.offers(Op(rawValue: test.problem.op)!, .float32) {
            guard let data = TestData(test, .normal) else { continue }
            func outputs(madeFor count: Int, runOn running: Int) throws -> [[UInt64]] {
                let host = ThreadHost(threadCount: count)
                let kernel = try MadeKernel(test.problem, on: backend.table, host: host)
                host.threadCount = running
                return try kernel.run(inputs: data.inputs, outputs: data.outputs, scalars: test.scalars).map { $0.map(\.bitPattern) }
            }
            let onOne: [[UInt64]]
            do {
                onOne = try outputs(madeFor: 1, runOn: 1)
            } catch RunFailure.declined where backend.mayDecline || test.problem.precision != 0 {
                continue
            }
            servedCount += 1
            for (made, running) in [(2, 2), (2, 1), (5, 5), (5, 3)] {
                let found = try outputs(madeFor: made, runOn: running)
                if found == onOne { continue }
                Issue.record("\(test): other bits on \(running) threads, made for \(made), than on one")
                break
            }
        }
        #expect(servedCount >= 20)
    }

    @Test func randomProblemsDependOnTheirSeedAlone() {
        let problems = randomProblems(count: 300, seed: 5)
        #expect(Set(problems.map { Problem(raw: $0.problem) }).count > 250)
        #expect(Set(problems.map(\.problem.op)).count == Op.allCases.count)
        for index in [0, 17, 299] {
            let again = randomProblems(count: 1, seed: 5 + UInt64(index))[0]
            #expect(Problem(raw: again.problem) == Problem(raw: problems[index].problem))
            #expect(again.scalars == problems[index].scalars && again.seed == problems[index].seed)
            // The op is drawn first, so that a choice of it alone changes nothing else.
            let op = Op(rawValue: again.problem.op)!
            let ofOp = randomProblems(count: 1, seed: 5 + UInt64(index), ops: [op])[0]
            #expect(Problem(raw: ofOp.problem) == Problem(raw: again.problem))
        }
    }

    /// A generator with one weight that is NaN draws nothing but NaN, whoever computes its layers.
    @Test(arguments: try Registry.shared().backends.filter { $0.offers(.matmul, .float32) })
    func aNaNWeightIsSeenInWhatIsDrawn(_ backend: Backend) throws {
        let sizes = [8, 40, 96, 64]
        var activations = [Double](repeating: 1, count: 5 * sizes[0])
        for (layer, activation) in [Activation.relu, .relu, .tanh].enumerated() {
            let (width, next) = (sizes[layer], sizes[layer + 1])
            var weights = (0..<width * next).map { Double($0 % 7 - 3) / 16 }
            if layer == 0 { weights[17] = .nan }
            let problem = Problem.matmul(m: 5, n: next, k: width, bias: true, activation: activation)
            let kernel = try MadeKernel(problem.raw, on: backend.table, host: ThreadHost(threadCount: 2))
            activations = try kernel.run(
                inputs: [activations, weights, [Double](repeating: 0.5, count: next)],
                outputs: [[Double](repeating: 0, count: 5 * next)])[0]
        }
        let numberCount = activations.count { !$0.isNaN }
        #expect(numberCount == 0, "\(numberCount) of \(activations.count) are numbers")
    }

    private func expectAgreement(on backend: Backend, _ problems: [TestProblem]) {
        // A plugin may decline what its library cannot do; the built-in backends and CBLAS serve all that is listed.
        let mayDecline = backend.mayDecline && backend.name != "cblas"
        let verification = verify(backend.table, problems, mayDecline: { mayDecline || $0.precision != 0 })
        #expect(verification.servedCount > 0, "the backend served nothing")
        guard !verification.failures.isEmpty else { return }
        let first = verification.failures.prefix(10).map(\.description).joined(separator: "\n")
        Issue.record("\(verification.failures.count) problems went wrong, among them\n\(first)")
    }

    /// The backends that this machine must offer: a test run that silently left one out would prove nothing.
    @Test func backendsArePresent() throws {
        let names = try Registry.shared().backends.map(\.name)
        var expected = ["simd-baseline", "reference"]
        expected += InstructionSet.allCases.filter { $0 != .baseline && $0.isSupported }.map { "simd-\($0)" }
        #if ONEDNN
        expected.append("onednn")
        #endif
        #if CBLAS
        expected.append("cblas")
        #endif
        for name in expected { #expect(names.contains(name), "\(name) is not among \(names)") }
    }
}

extension Backend {
    /// Direct sums are tested as what the variant that chooses takes for nearly all problems.
    fileprivate var isTestedAlone: Bool { variantOf == nil || name.hasSuffix("-filtered") }
}
