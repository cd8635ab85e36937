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
    /// Small integers times a number so small that they and the results are denormal: exact in whatever order, unless
    /// denormals are taken or given for zeros. Matmul and convolutions only.
    case denormal
    /// Numbers far from zero that differ little, of statistics: a difference of moments would lose the variance.
    case distant
}

/// Values of operands as they lie in memory.
struct TestData {
    var inputs: [[Double]]
    /// The old content of the outputs.
    var outputs: [[Double]]
    /// What integers are multiplied by.
    var scale = 1.0

    func map(_ transform: (Double) -> Double) -> TestData {
        TestData(inputs: inputs.map { $0.map(transform) }, outputs: outputs.map { $0.map(transform) }, scale: scale)
    }
}

extension TestData {
    /// Data for the problem, or nil where the tier does not apply.
    init?(_ test: TestProblem, _ tier: Tier) {
        let problem = test.problem
        guard tier != .exact || isExact(problem) else { return nil }
        guard tier != .denormal || problem.isLinear && isExact(problem) else { return nil }
        guard tier != .distant || problem.op == KANTO_OP_STATISTICS else { return nil }
        let operands = operands(of: problem)
        let squares = problem.op == KANTO_OP_REDUCE && problem.function == KANTO_FUNCTION_SUM_OF_SQUARES
        // So few special values, where elements are summed or compared, that some results have none and some have one.
        let rarity = UInt64(max(8, 2 * operands.termCount))
        let isReduced = [KANTO_OP_REDUCE, KANTO_OP_STATISTICS].contains(Int(problem.op))
        var random = Random(seed: test.seed ?? UInt64(problem.op) << 32 + UInt64(problem.function))
        inputs = operands.inputs.enumerated().map { index, operand in
            switch tier {
            case .exact, .denormal: random.smallIntegers(operand.span, withLargeOnes: index == 0 && !squares)
            case .normal: random.normals(operand.span)
            case .special where problem.isLinear: random.integers(operand.span, in: 1...4)
            case .special:
                random.specials(operand.span, oneIn: isReduced ? rarity : 3).map {
                    $0.isFinite && $0.magnitude > problem.largestSpecialValue ? 1 : $0
                }
            case .distant: random.normals(operand.span).map { 1e4 + 1e-2 * $0 }
            }
        }
        outputs = operands.outputs.map { operand in
            switch tier {
            case .exact, .denormal: random.smallIntegers(operand.span, withLargeOnes: true)
            case .normal, .special, .distant: random.normals(operand.span)
            }
        }
        if tier == .exact, squares, !inputs[0].isEmpty { inputs[0][inputs[0].count / 2] = 257 }
        if tier == .special {
            switch Int(problem.op) {
            case KANTO_OP_OPTIMIZE, KANTO_OP_RANDOM: return nil
            case KANTO_OP_MATMUL, KANTO_OP_CONV2D_FORWARD...KANTO_OP_CONV2D_WEIGHT_GRADIENT:
                outputs = outputs.map { random.integers($0.count, in: -4...4) }
                for index in inputs[1].indices where random.next() % rarity == 0 {
                    inputs[1][index] = random.next() % 2 == 0 ? .infinity : -.infinity
                }
                // -1, -0.5, 0, 0.5 or 1, which every activation but the sigmoid can give.
                if problem.has(KANTO_FLAG_DERIVATIVE) {
                    inputs[2] = random.integers(inputs[2].count, in: -2...2).map { $0 / 2 }
                }
                // NaN among the factors, in what is added or saved, and in the old content; of each little enough that other
                // elements are left.
                if !inputs[0].isEmpty { inputs[0][inputs[0].count / 2] = .nan }
                if inputs.count > 2, inputs[2].count > 3 { inputs[2][inputs[2].count / 3] = .nan }
                if outputs[0].count > 3 { outputs[0][outputs[0].count / 4] = .nan }
            default: break
            }
        } else if tier != .distant {
            suit(problem, &random)
        }
        if tier == .denormal {
            let factor = problem.dtype == KANTO_DTYPE_F32 ? 0x1p-140 : 0x1p-1065
            // One factor of a product only, of a weight gradient the one that is summed for the bias, and whatever is added.
            let scaled = problem.op == KANTO_OP_CONV2D_WEIGHT_GRADIENT ? 1 : 0
            inputs[scaled] = inputs[scaled].map { factor * $0 }
            if problem.has(KANTO_FLAG_BIAS), inputs.count > 2 { inputs[2] = inputs[2].map { factor * $0 } }
            outputs = outputs.map { $0.map { factor * $0 } }
            scale = factor
        }
        if problem.dtype == KANTO_DTYPE_F32 { self = map { Double(Float($0)) } }
    }

    /// Brings the inputs into the domain of the function, and where its branches are.
    private mutating func suit(_ problem: kanto_problem, _ random: inout Random) {
        switch (Int(problem.op), Int(problem.function)) {
        case (KANTO_OP_UNARY, KANTO_FUNCTION_SQRT), (KANTO_OP_UNARY, KANTO_FUNCTION_LOG):
            inputs[0] = inputs[0].map { $0.magnitude }
        case (KANTO_OP_UNARY, KANTO_FUNCTION_LOG_ONE_PLUS):
            inputs[0] = inputs[0].map { max($0, -$0.magnitude / 8) * (random.next() % 2 == 0 ? 1 : 0x1p-12) }
        case _ where problem.isTranscendental:
            // Half of them far out, a quarter near 0.
            inputs[0] = inputs[0].map { [1, 16, 16, 0x1p-12][Int(random.next() % 4)] * $0 }
        case (KANTO_OP_BINARY, KANTO_FUNCTION_DIVIDE_OR_ZERO):
            inputs[1] = inputs[1].map { random.next() % 4 == 0 ? 0 : $0 }
        case (KANTO_OP_TERNARY, KANTO_FUNCTION_SELECT):
            inputs[0] = random.integers(inputs[0].count, in: -1...1)
        case (KANTO_OP_OPTIMIZE, _):
            // Mean squares come last.
            let last = outputs.count - 1
            outputs[last] = outputs[last].map { $0.magnitude }
        default: break
        }
        if problem.has(KANTO_FLAG_DERIVATIVE) {
            // What the activation can give.
            switch Int(problem.activation) {
            case KANTO_ACTIVATION_TANH: inputs[2] = inputs[2].map { max(-1, min(1, $0 / 2)) }
            case KANTO_ACTIVATION_SIGMOID: inputs[2] = inputs[2].map { min(1, $0.magnitude / 2) }
            default: break
            }
        }
    }
}

/// Whether the op and its epilogue are exact on small integers.
func isExact(_ problem: kanto_problem) -> Bool {
    let steps = [0, 0.25, 0.5, 1]
    switch Int(problem.op) {
    case KANTO_OP_MATMUL, KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT:
        return problem.activation <= KANTO_ACTIVATION_LEAKY_RELU && steps.contains(problem.parameter)
    case KANTO_OP_CONV2D_WEIGHT_GRADIENT: return true
    default: return problem.functionInfo?.has(KANTO_TRAIT_EXACT) == true && steps.contains(problem.parameter)
    }
}

extension kanto_problem {
    /// Matmul or a convolution.
    var isLinear: Bool { op <= KANTO_OP_CONV2D_WEIGHT_GRADIENT }

    /// The largest finite number that is special for it: what larger ones do depends on when a term is rounded.
    fileprivate var largestSpecialValue: Double {
        switch (Int(op), Int(function)) {
        case (KANTO_OP_TERNARY, KANTO_FUNCTION_MULTIPLY_ADD), (KANTO_OP_REDUCE, KANTO_FUNCTION_SUM_OF_PRODUCTS): 1e20
        case (KANTO_OP_UNARY, KANTO_FUNCTION_AFFINE), (KANTO_OP_BINARY, KANTO_FUNCTION_ADD_SCALED), (KANTO_OP_TERNARY, _),
            (KANTO_OP_REDUCE, _), (KANTO_OP_STATISTICS, _):
            1e30
        default: .infinity
        }
    }

    /// A function of a math library.
    var isTranscendental: Bool { functionInfo?.has(KANTO_TRAIT_TRANSCENDENTAL) == true }
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

    /// Normal numbers, one in so many of them special; some are where the functions of a math library change their ways.
    fileprivate mutating func specials(_ count: Int, oneIn rarity: UInt64) -> [Double] {
        let specials: [Double] = [
            .nan, .infinity, -.infinity, 0, -0.0, 0x1p-149, -0x1p-149, 1e-40, -1e-40, 0x1p-126, -0x1p-126, 1e-30, -1e-30, 1e30,
            -1e30, 3.4e38, -3.4e38, 1, -1, 0.625, 9.1, 88, -87.4, 88.72, 88.73, -88, 104, -103.9, -104, 200, -200,
        ]
        return normals(count).map { normal in
            let bits = next()
            guard bits % rarity == 0 else { return normal }
            return specials[Int(next() % UInt64(specials.count))]
        }
    }
}
