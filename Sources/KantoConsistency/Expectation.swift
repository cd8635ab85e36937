import KantoABI
import KantoReference

/// What the outputs of a run may be.
struct Expectation {
    private var values: [[Double]]
    /// How far each element may be off.
    private var bounds: [[Double]]
    /// How far the first output may be off as a whole (Euclidean norm). A sum of many terms that lacks one of them
    /// would pass the bound of its elements, which is made for the worst case.
    private var normBound = Double.infinity

    /// The reference backend's outputs, with the bounds of the problem's element type and precision.
    init(_ test: TestProblem, _ tier: Tier, _ data: TestData) throws(RunFailure) {
        let problem = test.problem
        var exact = problem
        // A tolerance, unlike bfloat16, whose rounding of factors is the reference's too.
        if problem.precision == KANTO_PRECISION_RELAXED { exact.precision = UInt32(KANTO_PRECISION_FLOAT32) }
        var wide = exact
        wide.dtype = UInt32(KANTO_DTYPE_F64)
        // Special values overflow where the problem's own element type does.
        // Random numbers are the same bits, rounded once.
        let oracle = tier == .special || problem.op == KANTO_OP_RANDOM ? exact : wide
        values = try reference(oracle, data, test.scalars)
        bounds = values.map { $0.map { _ in 0 } }

        if problem.precision == KANTO_PRECISION_RELAXED {
            // An error is that of a whole tile: relative to the largest sum, and not 0 for integers.
            var sums = wide
            (sums.activation, sums.flags) = (0, wide.flags & ~UInt32(KANTO_FLAG_DERIVATIVE))
            let largest = try reference(sums, data, test.scalars)[0].reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
            bounds[0] = values[0].map { _ in 2e-5 * largest + 0x1p-126 }
            if bounds.count > 1 { bounds[1] = values[1].map { 1e-5 * $0.magnitude + 1e-5 } }
            return
        }
        let single = problem.dtype == KANTO_DTYPE_F32
        let roundoff = single ? 0x1p-24 : 0x1p-53
        let termCount = Double(operands(of: problem).termCount)
        let sums = problem.isSum

        if problem.isLinear || sums {
            // A derivative of an output that its activation can give is at most 1.
            var plain = wide
            plain.activation = 0
            plain.flags &= ~UInt32(KANTO_FLAG_DERIVATIVE)
            let linear = problem.has(KANTO_FLAG_DERIVATIVE) ? wide : plain
            let magnitudes = try reference(linear, data.map { $0.magnitude }, test.scalars)
            if tier == .exact || tier == .denormal {
                guard magnitudes.joined().allSatisfy({ $0 < 0x1p24 * data.scale }) else {
                    throw .violation("the test's own data: sums are not exact in float32")
                }
            } else if tier == .special && !sums {
                // Sums of integers are exact; a slope or a curve need not be.
                if !isExact(problem) { setBounds(to: 8 * roundoff, of: values) }
            } else if tier == .normal || sums {
                setBounds(to: 2 * (termCount + 1) * roundoff, of: magnitudes)
                addBounds(8 * roundoff, of: values)
                if problem.has(KANTO_FLAG_DERIVATIVE), problem.activation >= KANTO_ACTIVATION_TANH {
                    // 1 - y² cancels.
                    addBounds(4 * roundoff, of: try reference(plain, data.map { $0.magnitude }, test.scalars))
                }
                let squares = try reference(plain, data.map { $0 * $0 }, test.scalars)[0].reduce(0, +)
                let norm = values[0].reduce(0) { $0 + $1 * $1 }.squareRoot()
                if problem.function != KANTO_FUNCTION_SUM_OF_SQUARES {
                    normBound = roundoff * (4 * (termCount.squareRoot() + 1) * squares.squareRoot() + 8 * norm)
                }
            }
        } else if tier != .exact {
            // 0 of a choice among values, which is exact.
            let error = Double(problem.functionInfo?.error ?? 0) * roundoff
            switch Int(problem.op) {
            case KANTO_OP_STATISTICS:
                let means = try reference(wide, data.map { $0.magnitude }, test.scalars)[0]
                let meanBounds = means.map { 2 * (termCount + 1) * roundoff * $0 }
                let varianceBounds = zip(values[1], meanBounds).map { 2 * (termCount + 4) * roundoff * $0 + 2 * $1 * $1 }
                bounds = [meanBounds, varianceBounds]
            case KANTO_OP_OPTIMIZE:
                // With all terms of the step of one sign: so large is what rounding errors are relative to. The
                // parameter itself is rounded by the decay and when the step is taken.
                var scalars = test.scalars
                scalars[0] = -scalars[0]
                var magnitudes = try reference(wide, data.map { $0.magnitude }, scalars)
                for index in magnitudes[0].indices { magnitudes[0][index] -= data.outputs[0][index].magnitude }
                setBounds(to: error, of: magnitudes)
                addBounds(4 * roundoff, of: [data.outputs[0]])
                // The moments are sums of two products.
                for moment in 1..<bounds.count { bounds[moment] = magnitudes[moment].map { 8 * roundoff * $0 } }
            case _ where problem.functionInfo?.has(KANTO_TRAIT_SUM) == true:
                setBounds(to: error, of: try reference(wide, data.map { $0.magnitude }, test.scalars.map { $0.magnitude }))
            default: setBounds(to: error, of: values)
            }
        }
        if tier != .exact && tier != .denormal {
            // The spacing of denormals; functions of the math library may lose the range of denormals altogether.
            let inexact = problem.isTranscendental
            let least = inexact ? (single ? 0x1p-126 : 0x1p-1022) : (single ? 0x1p-148 : 0x1p-1073)
            for output in bounds.indices {
                for index in bounds[output].indices where bounds[output][index] > 0 { bounds[output][index] += least }
            }
        }
    }

    /// What is wrong with the outputs, or nil.
    func fault(in outputs: [[Double]], of operands: Operands) -> String? {
        for (output, operand) in operands.outputs.enumerated() {
            var squares = 0.0
            for index in 0..<operand.span where operand.isElement[index] {
                let value = outputs[output][index]
                let expected = values[output][index]
                if value == expected || value.isNaN && expected.isNaN { continue }
                let error = abs(value - expected)
                // An infinity is not met by halves, whatever its bound was computed to.
                guard expected.isFinite && error <= bounds[output][index] else {
                    return "output \(output) is \(value) at \(index), expected \(expected) ± \(bounds[output][index])"
                }
                squares += error * error
            }
            if output == 0 && squares.squareRoot() > normBound {
                return "the norm of output \(output)'s error is \(squares.squareRoot()), expected at most \(normBound)"
            }
        }
        return nil
    }

    private mutating func setBounds(to factor: Double, of magnitudes: [[Double]]) {
        bounds = magnitudes.map { $0.map { factor * $0.magnitude } }
    }

    private mutating func addBounds(_ factor: Double, of magnitudes: [[Double]]) {
        for output in magnitudes.indices {
            for index in bounds[output].indices {
                bounds[output][index] += factor * magnitudes[output][index].magnitude
            }
        }
    }
}

/// The reference backend's outputs, with gaps of zero.
private func reference(
    _ problem: kanto_problem, _ data: TestData, _ scalars: [Double]
) throws(RunFailure) -> [[Double]] {
    var outputs = try MadeKernel(problem, on: referenceBackend(), host: ThreadHost(threadCount: 1))
        .run(inputs: data.inputs, outputs: data.outputs, scalars: scalars)
    for (output, operand) in operands(of: problem).outputs.enumerated() {
        for index in 0..<operand.span where !operand.isElement[index] { outputs[output][index] = 0 }
    }
    return outputs
}
