import Glibc
import KantoConsistency
import KantoKernels
import Testing

/// How exact arithmetic and the functions of a math library are, in units in the last place.
@Suite struct MathTests {
    static var backends: [Backend] {
        get throws { try Registry.shared().backends.filter { $0.name.hasPrefix("simd-") && $0.variantOf == nil } }
    }

    struct Definition: CustomTestStringConvertible, Sendable {
        let function: Function
        /// Of the error, in units in the last place of the exact result.
        let bound: Double
        let exact: @Sendable (Double) -> Double
        var testDescription: String { function.description }
    }

    static let definitions = [
        Definition(function: .exp, bound: 2) { exp($0) },
        Definition(function: .log, bound: 2) { log($0) },
        Definition(function: .tanh, bound: 2) { tanh($0) },
        Definition(function: .sigmoid, bound: 3) { 1 / (1 + exp(-$0)) },
        Definition(function: .expMinusOne, bound: 2) { expm1($0) },
        Definition(function: .logOnePlus, bound: 2) { log1p($0) },
        Definition(function: .erf, bound: 2) { erf($0) },
        Definition(function: .softplus, bound: 2) { max($0, 0) + log1p(exp(-abs($0))) },
    ]

    /// Every 4099th bit pattern of float: a million arguments over the whole range, negative ones and NaN too, every float
    /// near a few points where the functions change their ways, and what is special.
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
        return arguments + [
            0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
            -.leastNormalMagnitude, 0x1p-133, 88.72, 88.73, -103.9, -104, -87.4, 200, -200, 3.4e38, -3.4e38,
        ]
    }()

    @Test(arguments: try backends, definitions)
    func errorIsWithinTheBound(_ backend: Backend, _ definition: Definition) throws {
        let arguments = Self.arguments
        let results = try results(of: definition.function, on: backend, [arguments.map { Double($0) }])
        var largest = 0.0
        var at: Float = 0
        for (argument, result) in zip(arguments, results) {
            let error = distance(Float(result), from: definition.exact(Double(argument)))
            if error > largest { (largest, at) = (error, argument) }
        }
        #expect(largest <= definition.bound, "\(largest) ULP at \(at)")
        // A bound that is never approached would test nothing.
        #expect(largest > 0.45)
    }

    @Test(arguments: try backends, [Function.tanh, .expMinusOne, .logOnePlus, .erf])
    func signedZeroIsKept(_ backend: Backend, _ function: Function) throws {
        let results = try results(of: function, on: backend, [[Double](repeating: -0.0, count: 17)])
        #expect(results.allSatisfy { $0 == 0 && $0.sign == .minus })
    }

    struct Arithmetic: CustomTestStringConvertible, Sendable {
        let op: Op
        let function: Function
        let result: @Sendable (Float, Float) -> Float
        var testDescription: String { function.description }
    }

    static let arithmetic = [
        Arithmetic(op: .unary, function: .square) { a, _ in a * a },
        Arithmetic(op: .unary, function: .sqrt) { a, _ in a.squareRoot() },
        Arithmetic(op: .unary, function: .reciprocal) { a, _ in 1 / a },
        Arithmetic(op: .binary, function: .add) { $0 + $1 },
        Arithmetic(op: .binary, function: .subtract) { $0 - $1 },
        Arithmetic(op: .binary, function: .multiply) { $0 * $1 },
        Arithmetic(op: .binary, function: .divide) { $0 / $1 },
    ]

    /// No estimate of a quotient or a root.
    @Test(arguments: try backends, arithmetic)
    func arithmeticIsRoundedOnce(_ backend: Backend, _ arithmetic: Arithmetic) throws {
        let first = Self.arguments
        let second = Array(first.reversed())
        let results = try results(
            of: arithmetic.function, on: backend, [first, second].map { $0.map { Double($0) } }, arithmetic.op)
        let wrong = results.indices.first { index in
            let expected = arithmetic.result(first[index], second[index])
            let result = Float(results[index])
            return result.bitPattern != expected.bitPattern && !(result.isNaN && expected.isNaN)
        }
        if let wrong { Issue.record("\(first[wrong]), \(second[wrong]): \(results[wrong])") }
    }

    private func results(
        of function: Function, on backend: Backend, _ arguments: [[Double]], _ op: Op = .unary
    ) throws -> [Double] {
        let inputs = Array(arguments.prefix(Problem.inputCount(op, function)))
        let problem = Problem.iteration(op, function, extents: [inputs[0].count])
        return try run(problem.raw, on: backend.table, inputs: inputs)[0]
    }

    /// How far a float is from the exact value, in units in the last place of the latter. Infinity where one is NaN or
    /// infinite and the other is not the same.
    private func distance(_ actual: Float, from exact: Double) -> Double {
        let rounded = Float(exact)
        if exact.isNaN || actual.isNaN { return exact.isNaN && actual.isNaN ? 0 : .infinity }
        if rounded.isInfinite || actual.isInfinite { return actual == rounded ? 0 : .infinity }
        return abs(Double(actual) - exact) / Double(max(rounded.ulp, .leastNonzeroMagnitude))
    }
}
