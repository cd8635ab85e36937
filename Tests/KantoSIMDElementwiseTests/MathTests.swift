import Glibc
import KantoABI
import Testing

@Suite struct MathTests {
    /// Every 4099th bit pattern of float: half a million arguments over the whole range, negative ones and NaN too,
    /// and every float near a few points where the functions change their ways.
    private static let arguments: [Float] = {
        var arguments = stride(from: UInt64(0), to: 1 << 32, by: 4099).map { Float(bitPattern: UInt32($0)) }
        for center: Float in [
            0.5, 1, 0.625, 0.70710678, 1.41421356, 88.7228, -87.3365, -103.278, -103.972, 9.01, 0.34657, -0.34657, -0.5,
            -0.29289, 0.41421, -0.99999, -17.33, 2, 3.9192,
        ] {
            for step in -2000...2000 { arguments.append(Float(bitPattern: UInt32(Int(center.bitPattern) + step))) }
        }
        // Densely where the results are neither 0 nor infinity nor 1.
        for step in 0..<400_000 { arguments.append(Float(step) * 0.0005 - 105) }
        return arguments
    }()

    @Test(
        arguments: Setup.all.filter { $0.threadCount == 1 },
        Function.all.filter { $0.info.traits & UInt32(KANTO_TRAIT_TRANSCENDENTAL) != 0 })
    func errorIsWithinTheBound(_ setup: Setup, _ function: Function) {
        let input = Guarded(Self.arguments.count) { Self.arguments[$0] }
        let output = Guarded(input.count)
        let nest = Nest(extents: [input.count], output: [1], inputs: [[1]])
        #expect(setup.run(function.problem(nest), inputs: [input.start], outputs: [output.start]) == .done)
        var largest = 0.0
        var at: Float = 0
        for index in 0..<input.count {
            let error = distance(output.start[index], from: function.exact([Double(input.start[index])]))
            if error > largest {
                largest = error
                at = input.start[index]
            }
        }
        #expect(largest <= function.bound, "\(largest) ULP at \(at)")
        // A bound that is never approached would test nothing.
        #expect(largest > 0.45)
    }

    @Test(
        arguments: Setup.all.filter { $0.threadCount == 1 },
        [KANTO_FUNCTION_TANH, KANTO_FUNCTION_EXP_MINUS_ONE, KANTO_FUNCTION_LOG_ONE_PLUS, KANTO_FUNCTION_ERF])
    func signedZeroIsKept(_ setup: Setup, _ function: Int) {
        let input = Guarded(17) { _ in -0.0 }
        let output = Guarded(17)
        let nest = Nest(extents: [17], output: [1], inputs: [[1]])
        let problem = nest.problem(op: KANTO_OP_UNARY, function: function)
        #expect(setup.run(problem, inputs: [input.start], outputs: [output.start]) == .done)
        #expect(output.values.allSatisfy { $0 == 0 && $0.sign == .minus })
    }
}
