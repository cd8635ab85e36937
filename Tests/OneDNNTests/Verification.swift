import Glibc
import KantoABI
import Testing

/// Operands of a problem, and what their kernel must yield.
struct Trial {
    let problem: kanto_problem
    let inputs: [[Float]]
    let old: [Float]
    private let saved: [Float]?
    let expectation: Expectation

    /// `values` makes the operands from counts.
    init(_ problem: kanto_problem, values: (Int) -> [Float]) {
        self.problem = problem
        let counts = problem.counts
        let operands = [values(counts.first), values(counts.second)]
        let third = problem.has(KANTO_FLAG_BIAS | KANTO_FLAG_DERIVATIVE) ? values(counts.third) : nil
        inputs = operands + (third.map { [$0] } ?? [])
        saved = problem.has(KANTO_FLAG_DERIVATIVE) ? third : nil
        // Without accumulation the old content must never be read.
        old = problem.has(KANTO_FLAG_ACCUMULATE)
            ? values(counts.output) : [Float](repeating: .nan, count: counts.output)
        expectation = problem.expectation(
            operands[0], operands[1], problem.has(KANTO_FLAG_BIAS) ? third : nil, old: old)
    }

    init(random problem: kanto_problem) {
        var generator = Generator(seed: 7)
        self.init(problem) { generator.uniform($0) }
    }

    /// Small integers, some odd and above 256, which bfloat16 would round: the result is exact in float32.
    init(integers problem: kanto_problem) {
        var generator = Generator(seed: 11)
        self.init(problem) { count in
            (0..<count).map { _ in
                let bits = generator.bits() >> 32
                return bits % 16 == 0 ? 257 : Float(Int(bits % 9) - 4)
            }
        }
    }

    func verify(_ output: [Float], exactly: Bool = false) {
        let epsilon = 0x1p-24
        let slack = [KANTO_ACTIVATION_TANH, KANTO_ACTIVATION_SIGMOID].contains(Int(problem.activation)) ? 1e-6 : 0
        var worst = (excess: 0.0, note: "")
        var squaredError = 0.0
        var squaredNorm = 0.0
        for index in output.indices {
            guard expectation.isWritten[index] else {
                if output[index].bitPattern != old[index].bitPattern {
                    Issue.record("wrote element \(index) between the rows")
                    return
                }
                continue
            }
            let wanted = problem.activate(expectation.sums[index], saved: saved.map { Double($0[index]) })
            let error = abs(Double(output[index]) - wanted)
            // A derivative of what only might be an output is at most 2.
            let bound =
                exactly ? 0 : 2 * Double(expectation.termCount + 2) * epsilon * expectation.magnitudes[index] + slack
            squaredError += error * error
            squaredNorm += wanted * wanted
            if !(error <= bound), !(error - bound <= worst.excess) {
                worst = (error - bound, "element \(index) is \(output[index]), not \(wanted), bound \(bound)")
            }
        }
        #expect(worst.note.isEmpty, "\(worst.note)")
        let relative = (squaredError / max(squaredNorm, 1e-30)).squareRoot()
        #expect(relative <= 4 * (Double(expectation.termCount).squareRoot() + 1) * epsilon + slack * 10)
    }
}

/// Makes the kernel and runs it, on 1 and on 2 threads, with aligned and with unaligned operands.
func verify(_ problem: kanto_problem) throws {
    for threadCount in [1, 2] {
        let kernel = try Kernel(problem, threadCount: threadCount)
        let random = Trial(random: problem)
        for offset in [0, 1] {
            random.verify(
                try kernel.run(inputs: random.inputs, output: random.old, threadCount: threadCount, offset: offset))
        }
        // Two threads were planned for, one is lent.
        random.verify(try kernel.run(inputs: random.inputs, output: random.old, threadCount: 1))
        guard problem.activation <= KANTO_ACTIVATION_LEAKY_RELU else { continue }
        let integers = Trial(integers: problem)
        integers.verify(
            try kernel.run(inputs: integers.inputs, output: integers.old, threadCount: threadCount), exactly: true)
    }
}

/// Epilogues: flags, activation and a slope whose products with small integers are exact.
struct Epilogue: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let flags: Int
    let activation: Int
    var slope: Double { activation == KANTO_ACTIVATION_LEAKY_RELU ? 0.25 : 0 }

    static let all = [
        Epilogue(testDescription: "plain", flags: 0, activation: KANTO_ACTIVATION_NONE),
        Epilogue(testDescription: "bias", flags: KANTO_FLAG_BIAS, activation: KANTO_ACTIVATION_NONE),
        Epilogue(testDescription: "accumulate", flags: KANTO_FLAG_ACCUMULATE, activation: KANTO_ACTIVATION_NONE),
        Epilogue(testDescription: "relu", flags: 0, activation: KANTO_ACTIVATION_RELU),
        Epilogue(
            testDescription: "bias, leaky relu", flags: KANTO_FLAG_BIAS, activation: KANTO_ACTIVATION_LEAKY_RELU),
        Epilogue(testDescription: "bias, tanh", flags: KANTO_FLAG_BIAS, activation: KANTO_ACTIVATION_TANH),
        Epilogue(testDescription: "sigmoid", flags: 0, activation: KANTO_ACTIVATION_SIGMOID),
        Epilogue(
            testDescription: "bias, accumulate, leaky relu", flags: KANTO_FLAG_BIAS | KANTO_FLAG_ACCUMULATE,
            activation: KANTO_ACTIVATION_LEAKY_RELU),
    ]

    static let derivatives = [
        Epilogue(testDescription: "relu'", flags: KANTO_FLAG_DERIVATIVE, activation: KANTO_ACTIVATION_RELU),
        Epilogue(
            testDescription: "accumulate, leaky relu'", flags: KANTO_FLAG_DERIVATIVE | KANTO_FLAG_ACCUMULATE,
            activation: KANTO_ACTIVATION_LEAKY_RELU),
        Epilogue(testDescription: "tanh'", flags: KANTO_FLAG_DERIVATIVE, activation: KANTO_ACTIVATION_TANH),
        Epilogue(
            testDescription: "accumulate, sigmoid'", flags: KANTO_FLAG_DERIVATIVE | KANTO_FLAG_ACCUMULATE,
            activation: KANTO_ACTIVATION_SIGMOID),
    ]
}
