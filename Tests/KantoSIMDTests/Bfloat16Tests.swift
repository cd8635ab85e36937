import KantoABI
import KantoConsistency
import KantoKernels
import Testing

/// Products of bfloat16, by the instruction for pairs and without it.
@Suite("bfloat16")
struct Bfloat16Tests {
    static var variants: [Backend] {
        get throws { try Registry.shared().backends.filter { $0.name.hasPrefix("simd-") && $0.variantOf == nil } }
    }

    private func product(_ problem: Problem, on backend: Backend, _ a: [Float], _ b: [Float], _ c: [Float] = []) throws -> [Float]
    {
        try withBackend(backend.name) {
            let outputs = try problem.operands().filter(\.isOutput).map(\.byteCount)
            var output = [Float](repeating: 0.5, count: outputs[0] / 4),
                bias = [Float](repeating: 0, count: max(1, outputs.last! / 4))
            try Kernels.kernel(for: problem).run(a, b, c.isEmpty ? nil : c, into: &output, &bias)
            return output
        }
    }

    /// By the definition: to nearest, ties to even, in the 16 high bits.
    private func rounded(_ value: Float) -> Float {
        if value.isNaN || value.isInfinite { return value }
        if value.isSubnormal { return value.sign == .minus ? -0.0 : 0 }
        let low = Float(bitPattern: value.bitPattern & 0xffff_0000)
        let high = Float(bitPattern: low.bitPattern &+ 0x1_0000)
        let (down, up) = (Double(value) - Double(low), (high.isInfinite ? 0x1p128 : Double(high)) - Double(value))
        if down.magnitude == up.magnitude { return low.bitPattern >> 16 & 1 == 0 ? low : high }
        return down.magnitude < up.magnitude ? low : high
    }

    /// A matrix times the identity is the matrix, rounded.
    @Test("factors are rounded to nearest, ties to even", arguments: try variants)
    func rounding(_ backend: Backend) throws {
        var values: [Float] = [
            0, -0.0, 1, 257, 258, 259, -257, 0x1.01p0, 0x1.03p0, 0x1.010002p0, 0x1.00fffep0, 0x1.fep127,
            .leastNormalMagnitude, .leastNormalMagnitude.nextDown, .leastNonzeroMagnitude, -0x1p-130,
        ]
        var random = SystemRandomNumberGenerator()
        while values.count < 21 * 37 {
            let value = Float(bitPattern: random.next())
            if value.isFinite { values.append(value) }
        }
        let identity = (0..<37 * 37).map { Float($0 / 37 == $0 % 37 ? 1 : 0) }
        let found = try product(Problem.matmul(m: 21, n: 37, k: 37).with(.bfloat16), on: backend, values, identity)
        // Rounding to infinity times zero is no number: the rows without it.
        for row in 0..<21 {
            let numbers = values[row * 37..<row * 37 + 37].map(rounded)
            if numbers.contains(where: \.isInfinite) { continue }
            #expect(Array(found[row * 37..<row * 37 + 37]) == numbers)
        }
        #expect(rounded(257) == 256 && rounded(259) == 260 && rounded(0x1.01p0) == 1 && rounded(0x1.03p0) == 0x1.04p0)
        for special in [Float.infinity, -.infinity, .nan, .signalingNaN, .greatestFiniteMagnitude] {
            let found = try product(Problem.matmul(m: 1, n: 1, k: 1).with(.bfloat16), on: backend, [special], [1])[0]
            #expect(special.isNaN ? found.isNaN : found == rounded(special))
        }
    }

    /// Bias, old content and what an epilogue makes of them are float32, subnormal numbers too.
    @Test("only factors are rounded", arguments: try variants)
    func epilogue(_ backend: Backend) throws {
        let problem = Problem.matmul(m: 1, n: 1, k: 1).with(.bfloat16).ending(with: Epilogue(bias: true, accumulate: true))
        #expect(try product(problem, on: backend, [2], [0x1p-140], [0x1.000002p0]) == [0x1.000002p0 + 0.5])
        #expect(try product(problem, on: backend, [257], [1], [0x1.000002p0]) == [256 + 0x1.000002p0 + 0.5])
        let biased = Problem.matmul(m: 1, n: 1, k: 1, bias: true).with(.bfloat16)
        #expect(try product(biased, on: backend, [0], [1], [0x1p-140]) == [0x1p-140])
        // A sum is written as zero where it is subnormal.
        #expect(try product(Problem.matmul(m: 1, n: 1, k: 1).with(.bfloat16), on: backend, [0x1p-100], [0x1p-40]) == [0])
    }

    /// AVX-512 has an instruction, AVX2 has none: what they sum in the same order has the same bits.
    @Test(
        "the instruction for pairs and multiply-adds give the same bits",
        .enabled(if: InstructionSet.avx512.isSupported, "the processor lacks AVX-512"))
    func bitsOfBothWays() throws {
        let backends = try ["simd-avx2", "simd-avx512"].map { try Registry.shared().backend(named: $0) }
        var random = SystemRandomNumberGenerator()
        func numbers(_ operand: Problem.Operand) -> [Float] {
            (0..<max(1, operand.byteCount / 4)).map { _ in
                // Sums that are subnormal, and large ones.
                Float.random(in: -1...1, using: &random) * [1, 1, 1e-22, 1e-16, 1e10].randomElement(using: &random)!
            }
        }
        let geometry = Convolution2D(
            batch: 5, height: 9, width: 7, channels: 13, outputChannels: 37, kernel: (3, 4), stride: (2, 1),
            padding: (1, 2, 1, 0))
        let convolutions: [Op] = [.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient]
        let problems =
            [
                Problem.matmul(m: 31, n: 70, k: 65), .matmul(m: 7, n: 3, k: 501, transposeA: true, transposeB: true),
                .matmul(batch: 3, m: 13, n: 64, k: 18, accumulate: true),
                Problem.matmul(m: 25, n: 100, k: 33).ending(with: Epilogue(bias: true, activation: .leakyReLU(slope: 0.2))),
            ] + convolutions.map { .convolution($0, .float32, geometry) }
        for problem in problems.map({ $0.with(.bfloat16) }) {
            let inputs = try problem.operands().filter { !$0.isOutput }.map(numbers)
            let found = try backends.map {
                try product(problem, on: $0, inputs[0], inputs[1], inputs.count > 2 ? inputs[2] : []).map(\.bitPattern)
            }
            #expect(found[0] == found[1], "\(problem)")
        }
    }
}
