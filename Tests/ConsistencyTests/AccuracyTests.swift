import KantoABI
import KantoKernels
import Testing

@testable import KantoConsistency

/// Sums and statistics of the built-in backends in float32 are more accurate than their contract asks.
@Suite struct AccuracyTests {
    static var backends: [Backend] {
        get throws { try Registry.shared().backends.filter { $0.origin == .builtIn && $0.variantOf == nil } }
    }

    /// Half a unit in the last place, of a number of magnitude 1.
    private let roundoff = 0x1p-24

    private func outputs(
        _ test: TestProblem, on backend: Backend, _ inputs: [[Double]], old: [[Double]] = [], threadCount: Int = 2,
        type: ElementType = .float32
    ) throws -> [[Double]] {
        var problem = test.problem
        problem.dtype = type.rawValue
        return try MadeKernel(problem, on: backend.table, host: ThreadHost(threadCount: threadCount))
            .run(inputs: inputs, outputs: old, scalars: test.scalars)
    }

    /// In float64, by the reference.
    private func exact(_ test: TestProblem, _ inputs: [[Double]], old: [[Double]] = []) throws -> [[Double]] {
        let reference = try Registry.shared().backend(named: "reference")
        return try outputs(test, on: reference, inputs, old: old, type: .float64)
    }

    private func elements(of output: Operand) -> [Int] { (0..<output.span).filter { output.isElement[$0] } }

    /// Sums within 24 roundings, where a chain of additions has as many as elements.
    @Test(arguments: try backends) func sumsTakeFewRoundings(_ backend: Backend) throws {
        for test in problemList where test.problem.isSum {
            let data = try #require(TestData(test, .normal))
            try expectFewRoundings(of: test, on: backend, data.inputs, old: data.outputs)
        }
    }

    /// A chain of additions would be off by thousands of units here.
    @Test(arguments: try backends, [[1 << 21], [1 << 19, 4]])
    func longSumsStayAccurate(_ backend: Backend, _ extents: [Int]) throws {
        var random = Random(seed: 7)
        let values = random.normals(1 << 21).map { Double(Float(0.1 + 1e-3 * $0)) }
        let sum = TestProblem(.iteration(.reduce, .sum, extents: extents, over: [0]))
        try expectFewRoundings(of: sum, on: backend, [values])
    }

    private func expectFewRoundings(
        of test: TestProblem, on backend: Backend, _ inputs: [[Double]], old: [[Double]] = []
    ) throws {
        let sums = try outputs(test, on: backend, inputs, old: old)[0]
        let expected = try exact(test, inputs, old: old)[0]
        let magnitudes = try exact(test, inputs.map { $0.map(\.magnitude) }, old: old.map { $0.map(\.magnitude) })[0]
        let wrong = elements(of: operands(of: test.problem).outputs[0]).first {
            !(abs(sums[$0] - expected[$0]) <= 24 * roundoff * magnitudes[$0])
        }
        if let wrong { Issue.record("\(test): [\(wrong)] is \(sums[wrong]), not \(expected[wrong])") }
    }

    /// Whatever the rounding of the products, those of opposite sign cancel: as in double precision at least.
    @Test(arguments: try backends, [[2, 500, 64], [2, 3000, 17], [2, 9, 1100]])
    func oppositeProductsCancel(_ backend: Backend, _ extents: [Int]) throws {
        var random = Random(seed: 3)
        let half = extents[1] * extents[2]
        let (a, b) = (random.normals(half).map { Double(Float($0)) }, random.normals(half).map { Double(Float($0)) })
        let inputs = [a + a, b + b.map { -$0 }]
        let test = TestProblem(.iteration(.reduce, .sumOfProducts, extents: extents, over: [0, 1]))
        let sums = try outputs(test, on: backend, inputs)[0]
        let magnitudes = try exact(test, inputs.map { $0.map(\.magnitude) })[0]
        for column in sums.indices { #expect(sums[column].magnitude <= 1e-14 * magnitudes[column]) }
    }

    @Test(arguments: try backends, [1, 2])
    func theBiasGradientOfOppositePartsIsZero(_ backend: Backend, threadCount: Int) throws {
        let geometry = Convolution2D(batch: 64, height: 20, width: 20, channels: 1, outputChannels: 40, kernel: (1, 1))
        var random = Random(seed: 5)
        let half = random.normals(32 * 20 * 20 * 40).map { Double(Float($0)) }
        let test = TestProblem(.convolution(.convolution2DWeightGradient, .float32, geometry, bias: true))
        let ones = [Double](repeating: 1, count: 64 * 20 * 20)
        let gradients = try outputs(test, on: backend, [ones, half + half.map { -$0 }], threadCount: threadCount)
        #expect(gradients[1].allSatisfy { $0 == 0 })
    }

    /// As small a deviation as the grid of floats around the mean shows; a difference of moments would be noise. The first
    /// element, which differences may be taken from, is like the others or apart from them.
    @Test(arguments: try backends, [(1e4, false), (-3e3, true), (1e6, false), (1e6, true), (0, false)])
    func statisticsFarFromZero(_ backend: Backend, _ values: (mean: Double, firstIsApart: Bool)) throws {
        let scale = values.mean == 0 ? 1 : values.mean * 1e-6
        for test in problemList where test.problem.op == KANTO_OP_STATISTICS {
            var random = Random(seed: 3)
            let operands = operands(of: test.problem)
            var input = random.normals(operands.inputs[0].span).map { Double(Float(values.mean + scale * $0)) }
            if values.firstIsApart, !input.isEmpty { input[0] = 0 }
            let statistics = try outputs(test, on: backend, [input])
            let expected = try exact(test, [input])
            for element in elements(of: operands.outputs[0]) {
                let (mean, variance) = (expected[0][element], expected[1][element])
                // The mean is rounded once, but for what the sum of the differences from the first element loses.
                let isOfTheFirst = values.firstIsApart && variance.squareRoot() > 100 * scale.magnitude
                let slack = 4e-7 * variance.squareRoot() + (isOfTheFirst ? 2e-7 * mean.magnitude : 0)
                guard abs(statistics[0][element] - mean) <= 0.51 * Double(Float(mean).ulp) + slack,
                    abs(statistics[1][element] - variance) <= (isOfTheFirst ? 8e-6 : 2e-6) * variance
                else {
                    Issue.record("\(test): \(statistics.map { $0[element] }), not \(mean) and \(variance)")
                    break
                }
            }
        }
    }

    @Test(arguments: try backends) func equalElementsDoNotVary(_ backend: Backend) throws {
        let value = Double(Float(0.1))
        for test in problemList where test.problem.op == KANTO_OP_STATISTICS {
            let operands = operands(of: test.problem)
            guard operands.inputs[0].span > 0 else { continue }
            let input = [Double](repeating: value, count: operands.inputs[0].span)
            let statistics = try outputs(test, on: backend, [input])
            let varies = elements(of: operands.outputs[0]).contains { statistics[0][$0] != value || statistics[1][$0] != 0 }
            if varies { Issue.record("\(test): \(statistics[0].prefix(3)), \(statistics[1].prefix(3))") }
        }
    }
}
