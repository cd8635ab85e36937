import KantoABI

/// What the operands of a run hold.
public enum Tier: String, CaseIterable, Sendable {
    /// Small integers, whose sums are exact in float32 in whatever order. Some are odd and above 256, which bfloat16
    /// cannot hold. Every backend must agree with the reference exactly.
    case exact
    /// Normal numbers, within an analytic bound.
    case normal
    /// Infinities, NaN, zeros of both signs, denormals, very large and very small numbers.
    case special
}

/// Values of operands as they lie in memory.
struct TestData {
    var inputs: [[Double]]
    /// The old content of the outputs.
    var outputs: [[Double]]

    func map(_ transform: (Double) -> Double) -> TestData {
        TestData(inputs: inputs.map { $0.map(transform) }, outputs: outputs.map { $0.map(transform) })
    }
}

extension TestData {
    /// Data for the problem, or nil where the tier does not apply.
    init?(_ test: TestProblem, _ tier: Tier) {
        let problem = test.problem
        guard tier != .exact || isExact(problem) else { return nil }
        let operands = operands(of: problem)
        let squares = problem.op == KANTO_OP_REDUCE && problem.function == KANTO_FUNCTION_SUM_OF_SQUARES
        var random = Random(seed: test.seed ?? UInt64(problem.op) << 32 + UInt64(problem.function))
        inputs = operands.inputs.enumerated().map { index, operand in
            switch tier {
            case .exact: random.smallIntegers(operand.span, withLargeOnes: index == 0 && !squares)
            case .normal: random.normals(operand.span)
            case .special where problem.isLinear: random.integers(operand.span, in: 1...4)
            case .special: random.specials(operand.span)
            }
        }
        outputs = operands.outputs.map { operand in
            switch tier {
            case .exact: random.smallIntegers(operand.span, withLargeOnes: true)
            case .normal, .special: random.normals(operand.span)
            }
        }
        if tier == .exact, squares, !inputs[0].isEmpty { inputs[0][inputs[0].count / 2] = 257 }
        if tier == .special {
            switch Int(problem.op) {
            case KANTO_OP_OPTIMIZE: return nil
            case KANTO_OP_MATMUL, KANTO_OP_CONV2D_FORWARD...KANTO_OP_CONV2D_WEIGHT_GRADIENT:
                guard isExact(problem) else { return nil }
                outputs = outputs.map { random.integers($0.count, in: -4...4) }
                for index in inputs[1].indices where random.next() % 8 == 0 { inputs[1][index] = .infinity }
                let passesNaN = problem.activation == KANTO_ACTIVATION_NONE
                if passesNaN, !inputs[0].isEmpty { inputs[0][inputs[0].count / 2] = .nan }
            default: break
            }
        } else {
            suit(problem, &random)
        }
        if problem.dtype == KANTO_DTYPE_F32 { self = map { Double(Float($0)) } }
    }

    /// Brings the inputs into the domain of the function, and where its branches are.
    private mutating func suit(_ problem: kanto_problem, _ random: inout Random) {
        switch (Int(problem.op), Int(problem.function)) {
        case (KANTO_OP_UNARY, KANTO_FUNCTION_SQRT), (KANTO_OP_UNARY, KANTO_FUNCTION_LOG):
            inputs[0] = inputs[0].map { $0.magnitude }
        case (KANTO_OP_UNARY, KANTO_FUNCTION_EXP), (KANTO_OP_UNARY, KANTO_FUNCTION_TANH),
            (KANTO_OP_UNARY, KANTO_FUNCTION_SIGMOID):
            // Half of them far out.
            inputs[0] = inputs[0].map { random.next() % 2 == 0 ? $0 : 16 * $0 }
        case (KANTO_OP_BINARY, KANTO_FUNCTION_DIVIDE_OR_ZERO):
            inputs[1] = inputs[1].map { random.next() % 4 == 0 ? 0 : $0 }
        case (KANTO_OP_TERNARY, _):
            inputs[0] = random.integers(inputs[0].count, in: -1...1)
        case (KANTO_OP_OPTIMIZE, _):
            outputs[2] = outputs[2].map { $0.magnitude }
        default: break
        }
    }
}

/// Whether the op and its epilogue are exact on small integers.
private func isExact(_ problem: kanto_problem) -> Bool {
    let steps = [0, 0.25, 0.5, 1]
    switch Int(problem.op) {
    case KANTO_OP_MATMUL, KANTO_OP_CONV2D_FORWARD:
        return problem.activation <= KANTO_ACTIVATION_LEAKY_RELU && steps.contains(problem.parameter)
    case KANTO_OP_UNARY:
        return problem.function <= KANTO_FUNCTION_SQUARE
            || problem.function == KANTO_FUNCTION_LEAKY_RELU && steps.contains(problem.parameter)
    case KANTO_OP_BINARY:
        return ![KANTO_FUNCTION_DIVIDE, KANTO_FUNCTION_DIVIDE_OR_ZERO].contains(Int(problem.function))
            && steps.contains(problem.parameter)
    case KANTO_OP_OPTIMIZE: return false
    default: return true
    }
}

extension kanto_problem {
    /// Matmul or a convolution.
    var isLinear: Bool { op <= KANTO_OP_CONV2D_WEIGHT_GRADIENT }
}

extension Random {
    /// -3 … 3, and of the large ones one in sixteen odd in ±257 … ±509.
    fileprivate mutating func smallIntegers(_ count: Int, withLargeOnes: Bool) -> [Double] {
        (0..<count).map { _ in
            let bits = next()
            guard withLargeOnes && bits % 16 == 0 else { return Double((bits >> 32) % 7) - 3 }
            let large = Double(257 + 2 * ((bits >> 32) % 127))
            return bits & 16 == 0 ? large : -large
        }
    }

    /// Normal numbers, one in eight of them special.
    fileprivate mutating func specials(_ count: Int) -> [Double] {
        let specials: [Double] = [
            .nan, .infinity, -.infinity, 0, -0.0, 1e-40, -1e-40, 1e-30, -1e-30, 1e30, -1e30, 1, -1, 88, -88, 104, -104,
        ]
        return normals(count).map { normal in
            let bits = next()
            return bits % 8 == 0 ? specials[Int((bits >> 8) % UInt64(specials.count))] : normal
        }
    }
}
