import KantoABI
import Testing

/// A reduction, as the ABI defines it, in double.
struct ReductionCase: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var code: Int
    var identity: Double
    var isSum = false
    /// 2 for a reduction of products.
    var inputCount = 1
    var combine: @Sendable (Double, Double) -> Double

    static let all = [
        ReductionCase(testDescription: "sum", code: KANTO_FUNCTION_SUM, identity: 0, isSum: true) { $0 + $1 },
        ReductionCase(testDescription: "maximum", code: KANTO_FUNCTION_REDUCE_MAXIMUM, identity: -.infinity) {
            $0.isNaN || $1.isNaN ? .nan : max($0, $1)
        },
        ReductionCase(testDescription: "minimum", code: KANTO_FUNCTION_REDUCE_MINIMUM, identity: .infinity) {
            $0.isNaN || $1.isNaN ? .nan : min($0, $1)
        },
        ReductionCase(
            testDescription: "sum of squares", code: KANTO_FUNCTION_SUM_OF_SQUARES, identity: 0, isSum: true
        ) { $0 + $1 * $1 },
        ReductionCase(testDescription: "maximum magnitude", code: KANTO_FUNCTION_MAXIMUM_MAGNITUDE, identity: 0) {
            $0.isNaN || $1.isNaN ? .nan : max($0, abs($1))
        },
        ReductionCase(
            testDescription: "sum of products", code: KANTO_FUNCTION_SUM_OF_PRODUCTS, identity: 0, isSum: true, inputCount: 2
        ) { $0 + $1 },
    ]

    /// The nest with what this reduction reads besides: the same layout, a dense one, and one that repeats the axes that
    /// are kept or those that are reduced.
    func nests(_ nest: Nest) -> [Nest] {
        if inputCount == 1 { return [nest] }
        let layouts = [
            nest.inputs[0], Nest.strides(nest.extents, broadcastTo: nest.extents),
            zip(nest.inputs[0], nest.output).map { $1 == 0 ? $0 : 0 },
            zip(nest.inputs[0], nest.output).map { $1 == 0 ? 0 : $0 },
        ]
        return layouts.map { Nest(extents: nest.extents, output: nest.output, inputs: [nest.inputs[0], $0]) }
    }
}

@Suite struct ReduceTests {
    private func check(
        _ setup: Setup, _ reduction: ReductionCase, _ nest: Nest, accumulates: Bool = false,
        isExact: Bool = false, outputCount: Int? = nil, values: (Int) -> Float = randomValue(9)
    ) {
        for nest in reduction.nests(nest) {
            checkOne(
                setup, reduction, nest, accumulates: accumulates, isExact: isExact, outputCount: outputCount,
                values: values)
        }
    }

    private func checkOne(
        _ setup: Setup, _ reduction: ReductionCase, _ nest: Nest, accumulates: Bool, isExact: Bool, outputCount: Int?,
        values: (Int) -> Float
    ) {
        let inputs = nest.inputs.enumerated().map { number, strides in
            Guarded(nest.span(strides)) { values($0 + 5 * number) }
        }
        let size = outputCount ?? nest.span(nest.output)
        let output = accumulates ? Guarded(size, values: randomValue(5)) : Guarded(size)
        let old = output.values.map { accumulates ? Double($0) : 0 }
        var expected = [Double](repeating: reduction.identity, count: size)
        var magnitudes = old.map(abs)
        var counts = [Int](repeating: 0, count: size)
        nest.forEach { target, source in
            let value = zip(inputs, source).reduce(1.0) { $0 * Double($1.0.start[$1.1]) }
            expected[target] = reduction.combine(expected[target], value)
            magnitudes[target] += reduction.code == KANTO_FUNCTION_SUM_OF_SQUARES ? value * value : abs(value)
            counts[target] += 1
        }
        let flags = accumulates ? KANTO_FLAG_ACCUMULATE : 0
        let outcome = setup.run(
            nest.problem(op: KANTO_OP_REDUCE, function: reduction.code, flags: flags),
            inputs: inputs.map { UnsafePointer($0.start) }, outputs: [output.start])
        #expect(outcome == .done)
        var wrong: [String] = []
        for index in 0..<size {
            if counts[index] == 0, nest.extents.allSatisfy({ $0 > 0 }) {
                if !output.isUntouched(index), !accumulates { wrong.append("element \(index) was written") }
                continue
            }
            let exact = expected[index] + old[index]
            let actual = Double(output.start[index])
            let same = actual == exact || actual.isNaN && exact.isNaN
            // 24 roundings at most in the order of the kernels' sums for these lengths, where a chain has as many as
            // elements.
            let bound = reduction.isSum && !isExact ? 24 * 0x1p-24 * magnitudes[index] : 0
            if !same, !(abs(actual - exact) <= bound) { wrong.append("\(index): \(actual), not \(exact)") }
        }
        #expect(wrong.isEmpty, "\(nest.testDescription): \(wrong.count), such as \(wrong.first ?? "")")
        for guarded in inputs + [output] { #expect(guarded.marginsAreUntouched) }
    }

    private static let nests: [Nest] = {
        var nests: [Nest] = []
        for count in [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 65, 1003, 40_009] {
            nests.append(Nest(extents: [count], output: [0], inputs: [[1]]))
            nests.append(Nest(extents: [count], output: [0], inputs: [[3]]))
            nests.append(Nest(extents: [count], output: [1], inputs: [[1]]))
        }
        nests.append(Nest(extents: [], output: [], inputs: [[]]))
        nests.append(Nest(extents: [9], output: [0], inputs: [[0]]))
        for extents in [[5, 7], [300, 64], [131, 17], [16, 129], [3, 1100], [700, 61], [3, 12_000], [12_000, 3], [2, 40_000]] {
            for output in [[0, 1], [1, 0], [0, 0], [0, 2]] {
                let dense = [extents[1], 1]
                nests.append(Nest(extents: extents, output: output, inputs: [dense]))
                nests.append(Nest(extents: extents, output: output, inputs: [[1, extents[0]]]))
                nests.append(Nest(extents: extents, output: output, inputs: [[2 * extents[1] + 3, 2]]))
            }
        }
        // Every set of axes of ranks 3 to 6, dense and permuted.
        for (extents, order) in [
            ([3, 5, 18], [2, 0, 1]), ([4, 7, 3, 5], [0, 3, 1, 2]), ([2, 9, 300, 7], [2, 0, 1, 3]),
            ([2, 3, 4, 3, 5], [4, 1, 3, 0, 2]), ([2, 3, 2, 3, 2, 5], [3, 0, 5, 2, 4, 1]),
        ] {
            for reducedAxes in 0..<(1 << extents.count) {
                let kept = extents.indices.map { reducedAxes & (1 << $0) == 0 ? extents[$0] : 1 }
                let output = Nest.strides(kept, broadcastTo: extents)
                for storage in [Array(extents.indices), order] {
                    nests.append(
                        Nest(extents: extents, output: output, inputs: [Nest.strides(extents, storedAs: storage)]))
                }
            }
        }
        return nests
    }()

    @Test(arguments: Setup.all, ReductionCase.all)
    func overAnyAxes(_ setup: Setup, _ reduction: ReductionCase) {
        for nest in Self.nests { check(setup, reduction, nest) }
    }

    @Test(arguments: Setup.all, ReductionCase.all.filter(\.isSum))
    func accumulates(_ setup: Setup, _ reduction: ReductionCase) {
        for nest in Self.nests where nest.span(nest.output) <= nest.span(nest.inputs[0]) {
            check(setup, reduction, nest, accumulates: true)
        }
    }

    @Test(arguments: Setup.all, ReductionCase.all)
    func smallIntegersAreExact(_ setup: Setup, _ reduction: ReductionCase) {
        for nest in Self.nests {
            check(setup, reduction, nest, isExact: true) { Float(($0 &* 7919) % 23 - 11) }
        }
    }

    @Test(arguments: Setup.all, ReductionCase.all)
    func emptyReductionsYieldTheIdentity(_ setup: Setup, _ reduction: ReductionCase) {
        for (extents, output, count) in [
            ([0], [0], 1), ([0, 19], [0, 1], 19), ([19, 0], [1, 0], 19), ([4, 0, 3], [3, 0, 1], 12), ([3, 0], [1, 1], 0),
        ] {
            let nest = Nest(extents: extents, output: output, inputs: [extents.map { _ in 1 }])
            check(setup, reduction, nest, outputCount: count)
            if reduction.isSum { check(setup, reduction, nest, accumulates: true, outputCount: count) }
        }
    }

    @Test(arguments: Setup.all, ReductionCase.all)
    func nanAndInfinityAnywhere(_ setup: Setup, _ reduction: ReductionCase) {
        for special in [Float.nan, .infinity, -.infinity] {
            for (extents, output) in [([1003], [0]), ([300, 37], [0, 1]), ([37, 300], [1, 0]), ([33_000, 2], [0, 0])] {
                let total = extents.reduce(1, *)
                for place in [0, 1, total / 2, total - 2, total - 1] {
                    let strides = Nest.strides(extents, broadcastTo: extents)
                    check(setup, reduction, Nest(extents: extents, output: output, inputs: [strides])) {
                        $0 == place ? special : randomValue(3)($0)
                    }
                }
            }
        }
    }

    /// Whatever the rounding of the products, those of opposite sign cancel: as in double precision at least.
    @Test(arguments: Setup.all)
    func oppositeProductsCancel(_ setup: Setup) {
        for (extents, output) in [([2, 500, 64], [0, 0, 1]), ([2, 3000, 17], [0, 0, 1]), ([2, 9, 1100], [0, 0, 1])] {
            let half = extents[1] * extents[2]
            let strides = Nest.strides(extents, broadcastTo: extents)
            let nest = Nest(extents: extents, output: output, inputs: [strides, strides])
            let a = Guarded(2 * half) { randomValue(1)($0 % half) }
            let b = Guarded(2 * half) { ($0 < half ? 1 : -1) * randomValue(2)($0 % half) }
            let sums = Guarded(extents[2])
            let problem = nest.problem(op: KANTO_OP_REDUCE, function: KANTO_FUNCTION_SUM_OF_PRODUCTS)
            #expect(setup.run(problem, inputs: [a.start, b.start], outputs: [sums.start]) == .done)
            for column in 0..<extents[2] {
                let rows = stride(from: column, to: 2 * half, by: extents[2])
                let magnitude = rows.reduce(0) { $0 + Double(abs(a.start[$1] * b.start[$1])) }
                #expect(Double(abs(sums.start[column])) <= 1e-14 * magnitude, "\(extents)")
            }
            for guarded in [a, b, sums] { #expect(guarded.marginsAreUntouched) }
        }
    }

    /// A chain of additions would be off by thousands of units here.
    @Test(arguments: Setup.all)
    func longSumsStayAccurate(_ setup: Setup) {
        let count = 1 << 21
        for (extents, output, input) in [([count], [0], [1]), ([count / 4, 4], [0, 1], [4, 1])] {
            let nest = Nest(extents: extents, output: output, inputs: [input])
            check(setup, ReductionCase.all[0], nest) { 0.1 + 1e-3 * randomValue(7)($0) }
        }
    }

    @Test(arguments: Setup.all)
    func declinesWhatItDoesNotKnow(_ setup: Setup) {
        let nest = Nest(extents: [4], output: [0], inputs: [[1]])
        for (function, flags) in [
            (70, 0), (KANTO_FUNCTION_ADD, 0), (KANTO_FUNCTION_SUM, KANTO_FLAG_BIAS),
            (KANTO_FUNCTION_REDUCE_MAXIMUM, KANTO_FLAG_ACCUMULATE), (KANTO_FUNCTION_REDUCE_MINIMUM, KANTO_FLAG_ACCUMULATE),
            (KANTO_FUNCTION_MAXIMUM_MAGNITUDE, KANTO_FLAG_ACCUMULATE),
        ] {
            let buffer = Guarded(4) { Float($0) }
            let problem = nest.problem(op: KANTO_OP_REDUCE, function: function, flags: flags)
            guard case .declined = setup.run(problem, inputs: [buffer.start], outputs: [buffer.start]) else {
                Issue.record("function \(function) with flags \(flags) was not declined")
                continue
            }
        }
    }
}
