import Glibc
import KantoABI
import Testing

/// A function of one, two or three elements, as the ABI defines it, in double.
struct Function: CustomTestStringConvertible, Sendable {
    var name: String
    var op: Int
    var code: Int
    var inputCount: Int
    var parameter = 0.0
    var scalars: [Double] = []
    /// The bound of the error, in units in the last place of the exact result; of its largest term where terms cancel.
    var bound: Double
    var largestTerm: (@Sendable ([Double]) -> Double)?
    var exact: @Sendable ([Double]) -> Double
    var testDescription: String { name }

    static func unary(
        _ name: String, _ code: Int, bound: Double = 0, parameter: Double = 0, scalars: [Double] = [],
        largestTerm: (@Sendable ([Double]) -> Double)? = nil, _ exact: @escaping @Sendable (Double) -> Double
    ) -> Function {
        Function(
            name: name, op: KANTO_OP_UNARY, code: code, inputCount: 1, parameter: parameter, scalars: scalars,
            bound: bound, largestTerm: largestTerm) { exact($0[0]) }
    }

    static func binary(
        _ name: String, _ code: Int, bound: Double = 0.5, parameter: Double = 0, scalars: [Double] = [],
        largestTerm: (@Sendable ([Double]) -> Double)? = nil, _ exact: @escaping @Sendable (Double, Double) -> Double
    ) -> Function {
        Function(
            name: name, op: KANTO_OP_BINARY, code: code, inputCount: 2, parameter: parameter, scalars: scalars,
            bound: bound, largestTerm: largestTerm) { exact($0[0], $0[1]) }
    }

    static func ternary(
        _ name: String, _ code: Int, bound: Double = 0.5, largestTerm: (@Sendable ([Double]) -> Double)? = nil,
        _ exact: @escaping @Sendable (Double, Double, Double) -> Double
    ) -> Function {
        Function(
            name: name, op: KANTO_OP_TERNARY, code: code, inputCount: 3, bound: bound, largestTerm: largestTerm
        ) { exact($0[0], $0[1], $0[2]) }
    }

    static let all: [Function] = [
        .unary("copy", KANTO_FUNCTION_COPY) { $0 },
        .unary("fill", KANTO_FUNCTION_FILL, scalars: [2.5]) { _ in 2.5 },
        .unary(
            "affine", KANTO_FUNCTION_AFFINE, bound: 2, scalars: [1.5, -0.25], largestTerm: { max(abs(1.5 * $0[0]), 0.25) }
        ) { 1.5 * $0 - 0.25 },
        .unary("absolute", KANTO_FUNCTION_ABSOLUTE) { abs($0) },
        .unary("sign", KANTO_FUNCTION_SIGN) { $0.isNaN ? .nan : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
        .unary("square", KANTO_FUNCTION_SQUARE, bound: 0.5) { $0 * $0 },
        .unary("sqrt", KANTO_FUNCTION_SQRT, bound: 0.51) { $0.squareRoot() },
        .unary("reciprocal", KANTO_FUNCTION_RECIPROCAL, bound: 0.51) { 1 / $0 },
        .unary("exp", KANTO_FUNCTION_EXP, bound: 2) { exp($0) },
        .unary("log", KANTO_FUNCTION_LOG, bound: 2) { log($0) },
        .unary("tanh", KANTO_FUNCTION_TANH, bound: 2) { tanh($0) },
        .unary("sigmoid", KANTO_FUNCTION_SIGMOID, bound: 3) { 1 / (1 + exp(-$0)) },
        .unary("exp minus one", KANTO_FUNCTION_EXP_MINUS_ONE, bound: 2) { expm1($0) },
        .unary("log one plus", KANTO_FUNCTION_LOG_ONE_PLUS, bound: 2) { log1p($0) },
        .unary("erf", KANTO_FUNCTION_ERF, bound: 2) { erf($0) },
        .unary("softplus", KANTO_FUNCTION_SOFTPLUS, bound: 2) { max($0, 0) + log1p(exp(-abs($0))) },
        .unary("relu", KANTO_FUNCTION_LEAKY_RELU) { $0.isNaN ? .nan : $0 > 0 ? $0 : 0 },
        .unary("leaky relu", KANTO_FUNCTION_LEAKY_RELU, bound: 0.5, parameter: 0.125) { $0 > 0 ? $0 : 0.125 * $0 },
        .binary("add", KANTO_FUNCTION_ADD) { $0 + $1 },
        .binary("subtract", KANTO_FUNCTION_SUBTRACT) { $0 - $1 },
        .binary("multiply", KANTO_FUNCTION_MULTIPLY) { $0 * $1 },
        .binary("divide", KANTO_FUNCTION_DIVIDE, bound: 0.51) { $0 / $1 },
        .binary("divide or zero", KANTO_FUNCTION_DIVIDE_OR_ZERO, bound: 0.51) { $1 == 0 ? 0 : $0 / $1 },
        .binary("maximum", KANTO_FUNCTION_MAXIMUM, bound: 0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) },
        .binary("minimum", KANTO_FUNCTION_MINIMUM, bound: 0) { $0.isNaN || $1.isNaN ? .nan : min($0, $1) },
        .binary(
            "add scaled", KANTO_FUNCTION_ADD_SCALED, bound: 2, scalars: [0.75, -0.625],
            largestTerm: { max(abs(0.75 * $0[0]), abs(0.625 * $0[1])) }
        ) { 0.75 * $0 - 0.625 * $1 },
        .binary("greater", KANTO_FUNCTION_GREATER, bound: 0) { $0 > $1 ? 1 : 0 },
        .binary("relu gradient", KANTO_FUNCTION_LEAKY_RELU_GRADIENT, bound: 0) {
            $0.isNaN || $1.isNaN ? .nan : $1 > 0 ? $0 : 0
        },
        .binary("leaky relu gradient", KANTO_FUNCTION_LEAKY_RELU_GRADIENT, parameter: 0.25) {
            $1.isNaN ? .nan : $1 > 0 ? $0 : 0.25 * $0
        },
        .ternary("select", KANTO_FUNCTION_SELECT, bound: 0) { $0 != 0 ? $1 : $2 },
        .ternary(
            "multiply add", KANTO_FUNCTION_MULTIPLY_ADD, bound: 2, largestTerm: { max(abs($0[0] * $0[1]), abs($0[2])) }
        ) { $0 * $1 + $2 },
        .ternary("normalize", KANTO_FUNCTION_NORMALIZE) { Double(Float($0) - Float($1)) * $2 },
    ]

    /// What the header's table says of it.
    var info: kanto_function_info { kanto_find_function(UInt32(op), UInt32(code)).pointee }

    func problem(_ nest: Nest) -> kanto_problem { nest.problem(op: op, function: code, parameter: parameter) }

    /// Whether a result is within the bound.
    func accepts(_ actual: Float, _ arguments: [Double]) -> Bool {
        let value = exact(arguments)
        if let largestTerm, Float(value).isFinite {
            return abs(Double(actual) - value) <= bound * Double(Float(largestTerm(arguments)).ulp)
        }
        return distance(actual, from: value) <= bound
    }
}

@Suite struct ElementwiseTests {
    /// Runs a function over a nest and compares each element with the definition; what the output's strides pass over
    /// and what lies around it must be as it was.
    private func check(
        _ setup: Setup, _ function: Function, _ nest: Nest, values: (Int, Int) -> Float, aliases: Int? = nil
    ) {
        var nest = nest
        if let aliases { nest.inputs[aliases] = nest.output }
        let inputs = nest.inputs.enumerated().map { number, strides in
            Guarded(nest.span(strides)) { values(number, $0) }
        }
        let before = inputs.map(\.values)
        let output = aliases.map { inputs[$0] } ?? Guarded(nest.span(nest.output))
        let isFill = function.code == KANTO_FUNCTION_FILL
        let outcome = setup.run(
            function.problem(nest), inputs: inputs.map { isFill ? nil : UnsafePointer($0.start) },
            outputs: [output.start], scalars: function.scalars)
        #expect(outcome == .done)
        var written = Set<Int>()
        var wrong: [String] = []
        nest.forEach { target, sources in
            written.insert(target)
            let arguments = zip(sources, before).map { Double($1[$0]) }
            if !function.accepts(output.start[target], arguments) {
                wrong.append("\(arguments) gave \(output.start[target]), not \(function.exact(arguments))")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count) elements, such as \(wrong.first ?? "")")
        if aliases == nil {
            #expect((0..<output.count).allSatisfy { written.contains($0) || output.isUntouched($0) })
        }
        for guarded in inputs + [output] { #expect(guarded.marginsAreUntouched) }
        for (number, input) in inputs.enumerated() where number != aliases {
            #expect(input.values.map(\.bitPattern) == before[number].map(\.bitPattern), "an input was written")
        }
    }

    /// Normal values, every fifth divisor or condition 0, and positive ones for functions that need it.
    private func values(_ function: Function) -> (Int, Int) -> Float {
        let isPositive = [KANTO_FUNCTION_SQRT, KANTO_FUNCTION_LOG, KANTO_FUNCTION_LOG_ONE_PLUS].contains(function.code)
        return { number, index in
            if number == (function.inputCount == 3 ? 0 : 1), index % 5 == 0 { return 0 }
            let value = randomValue(number + 1)(index)
            return isPositive && function.op == KANTO_OP_UNARY ? value.magnitude : value
        }
    }

    @Test(arguments: Setup.all, Function.all)
    func contiguousOfAnyLength(_ setup: Setup, _ function: Function) {
        for count in [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 1003] {
            let nest = Nest(extents: [count], output: [1], inputs: Array(repeating: [1], count: function.inputCount))
            check(setup, function, nest, values: values(function))
        }
    }

    @Test(arguments: Setup.all, Function.all)
    func largeEnoughForThreads(_ setup: Setup, _ function: Function) {
        let row = Nest(extents: [40_001], output: [1], inputs: Array(repeating: [1], count: function.inputCount))
        check(setup, function, row, values: values(function))
        // Few rows and many.
        for extents in [[3, 11_003], [700, 61]] {
            let strides = [extents[1] + 5, 1]
            let nest = Nest(
                extents: extents, output: strides, inputs: Array(repeating: strides, count: function.inputCount))
            check(setup, function, nest, values: values(function))
        }
    }

    @Test(arguments: Setup.all, Function.all)
    func broadcasting(_ setup: Setup, _ function: Function) {
        let extents = [5, 3, 37]
        let shapes = [[5, 3, 37], [1, 3, 37], [5, 1, 37], [5, 3, 1], [1, 1, 37], [5, 1, 1], [1, 1, 1]]
        let output = Nest.strides(extents, broadcastTo: extents)
        for (index, shape) in shapes.enumerated() {
            for number in 0..<function.inputCount {
                for other in [shapes[0], shapes[(index + 3) % shapes.count], shape] {
                    var inputs = Array(
                        repeating: Nest.strides(other, broadcastTo: extents), count: function.inputCount)
                    inputs[number] = Nest.strides(shape, broadcastTo: extents)
                    check(
                        setup, function, Nest(extents: extents, output: output, inputs: inputs),
                        values: values(function))
                }
            }
        }
    }

    @Test(arguments: Setup.all, Function.all)
    func ranksAndPermutations(_ setup: Setup, _ function: Function) {
        let nests: [(extents: [Int], orders: [[Int]])] = [
            ([], [[]]),
            ([1], [[0]]),
            ([19, 23], [[0, 1], [1, 0]]),
            ([67, 130], [[1, 0]]),
            ([4, 18, 5], [[2, 1, 0], [1, 0, 2], [0, 2, 1]]),
            ([3, 1, 4, 21], [[0, 3, 1, 2], [3, 2, 1, 0]]),
            ([2, 3, 2, 3, 5], [[4, 1, 3, 0, 2]]),
            ([2, 3, 2, 3, 2, 5], [[5, 4, 3, 2, 1, 0], [3, 0, 5, 2, 4, 1]]),
            ([2, 0, 3], [[0, 1, 2], [2, 1, 0]]),
        ]
        for (extents, orders) in nests {
            let dense = Nest.strides(extents, storedAs: Array(extents.indices))
            for order in orders {
                let permuted = Nest.strides(extents, storedAs: order)
                for (output, first, others) in [
                    (dense, permuted, dense), (permuted, dense, dense), (dense, dense, permuted),
                    (permuted, permuted, permuted), (dense.map { 2 * $0 }, permuted.map { 3 * $0 }, dense),
                ] {
                    let inputs = (0..<function.inputCount).map { $0 == 0 ? first : others }
                    check(
                        setup, function, Nest(extents: extents, output: output, inputs: inputs),
                        values: values(function))
                }
            }
        }
    }

    @Test(arguments: Setup.all, Function.all)
    func outputMayBeAnInput(_ setup: Setup, _ function: Function) {
        for number in 0..<function.inputCount where function.code != KANTO_FUNCTION_FILL {
            for (extents, strides) in [([45_007], [1]), ([37], [1]), ([17, 9], [9, 1]), ([17, 9], [1, 17]), ([9], [3])] {
                let nest = Nest(
                    extents: extents, output: strides, inputs: Array(repeating: strides, count: function.inputCount))
                check(setup, function, nest, values: values(function), aliases: number)
            }
        }
    }

    @Test(arguments: Setup.all, Function.all)
    func specialValues(_ setup: Setup, _ function: Function) {
        let specials: [Float] = [
            0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
            .leastNormalMagnitude, -.leastNormalMagnitude, 0x1p-133, 88.72, 88.73, -103.9, -104, -87.4, 200, -200, 3.4e38,
            -3.4e38, 0.625, 9.1,
        ]
        let count = specials.count
        let extents = [count, count]
        let inputs = [[1, 0], [0, 1], [1, 1]].prefix(function.inputCount)
        let pairs = Nest(extents: extents, output: [count, 1], inputs: Array(inputs))
        check(setup, function, pairs) { _, index in specials[index % count] }
        // And in vectors of the contiguous path.
        let dense = Nest(
            extents: [count * count], output: [1], inputs: Array(repeating: [1], count: function.inputCount))
        check(setup, function, dense) { number, index in
            specials[number == 0 ? index / count : (index + number) % count]
        }
    }

    @Test(arguments: Setup.all)
    func declinesWhatItDoesNotKnow(_ setup: Setup) {
        func outcome(_ change: (inout kanto_problem) -> Void) -> Outcome {
            let nest = Nest(extents: [4], output: [1], inputs: [[1], [1]])
            var problem = nest.problem(op: KANTO_OP_BINARY, function: KANTO_FUNCTION_ADD)
            change(&problem)
            let buffer = Guarded(16) { Float($0) }
            return setup.run(problem, inputs: [buffer.start, buffer.start], outputs: [buffer.start])
        }
        #expect(outcome { _ in } == .done)
        let changes: [(inout kanto_problem) -> Void] = [
            { $0.function = 77 }, { $0.function = UInt32(KANTO_FUNCTION_EXP) }, { $0.flags = 1 }, { $0.flags = 64 },
            { $0.activation = 1 }, { $0.iteration.rank = 7 }, { $0.iteration.rank = -1 },
            { $0.iteration.extent.0 = -1 }, { $0.iteration.output_stride.0 = 0 },
            { $0.iteration.input_stride.0.0 = -1 }, { $0.dtype = UInt32(KANTO_DTYPE_F64) }, { $0.op = 20 },
            { $0.output_dtype = UInt32(KANTO_DTYPE_F64) }, { $0.precision = 1 },
            { $0.op = UInt32(KANTO_OP_UNARY) }, { $0.op = UInt32(KANTO_OP_TERNARY) },
        ]
        for (number, change) in changes.enumerated() {
            guard case .declined(let reason) = outcome(change) else {
                Issue.record("change \(number) was not declined")
                continue
            }
            #expect(reason.count > 10)
        }
    }

    @Test(arguments: Setup.all)
    func missingOperandsAreAnError(_ setup: Setup) {
        let nest = Nest(extents: [4], output: [1], inputs: [[1], [1]])
        let buffer = Guarded(4) { Float($0) }
        for (function, inputs, outputs) in [
            (KANTO_FUNCTION_ADD, [buffer.start, nil], [buffer.start]),
            (KANTO_FUNCTION_ADD, [buffer.start, buffer.start], [nil]), (KANTO_FUNCTION_ADD, [buffer.start], [buffer.start]),
            (KANTO_FUNCTION_ADD, [buffer.start, buffer.start], []),
            (KANTO_FUNCTION_ADD_SCALED, [buffer.start, buffer.start], [buffer.start]),
        ] as [(Int, [UnsafeMutablePointer<Float>?], [UnsafeMutablePointer<Float>?])] {
            let problem = nest.problem(op: KANTO_OP_BINARY, function: function)
            guard case .failed = setup.run(problem, inputs: inputs.map { UnsafePointer($0) }, outputs: outputs) else {
                Issue.record("a missing operand went unnoticed")
                continue
            }
        }
    }
}
