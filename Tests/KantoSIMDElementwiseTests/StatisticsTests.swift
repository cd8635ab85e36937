import KantoABI
import Testing

@Suite struct StatisticsTests {
    /// Runs the op and compares it with mean and variance in double.
    private func check(_ setup: Setup, _ nest: Nest, outputCount: Int? = nil, values: (Int) -> Float) {
        let input = Guarded(nest.span(nest.inputs[0]), values: values)
        let size = outputCount ?? nest.span(nest.output)
        let mean = Guarded(size)
        let variance = Guarded(size)
        let outcome = setup.run(
            nest.problem(op: KANTO_OP_STATISTICS, function: 0), inputs: [input.start],
            outputs: [mean.start, variance.start])
        #expect(outcome == .done)

        var groups = [[Double]](repeating: [], count: size)
        nest.forEach { target, source in groups[target].append(Double(input.start[source[0]])) }
        var wrong: [String] = []
        for (index, group) in groups.enumerated() {
            if group.isEmpty, !nest.extents.contains(0) {
                if !mean.isUntouched(index) || !variance.isUntouched(index) { wrong.append("element \(index) was written") }
                continue
            }
            let count = Double(max(group.count, 1))
            let exactMean = group.reduce(0, +) / count
            let exact = group.reduce(0) { $0 + ($1 - exactMean) * ($1 - exactMean) } / count
            // The mean is rounded once, but for what the summation of the differences from the first element loses.
            let slack = 4e-7 * exact.squareRoot() + 2e-7 * abs((group.first ?? 0) - exactMean)
            if !(abs(Double(mean.start[index]) - exactMean) <= 0.51 * Double(Float(exactMean).ulp) + slack) {
                wrong.append("mean \(index): \(mean.start[index]), not \(exactMean)")
            }
            if !(abs(Double(variance.start[index]) - exact) <= 2e-6 * exact) {
                wrong.append("variance \(index): \(variance.start[index]), not \(exact)")
            }
        }
        #expect(wrong.isEmpty, "\(nest.testDescription): \(wrong.count), such as \(wrong.first ?? "")")
        for guarded in [input, mean, variance] { #expect(guarded.marginsAreUntouched) }
    }

    private static func nest(_ extents: [Int], over axes: Set<Int>, storedAs order: [Int]? = nil) -> Nest {
        let kept = extents.indices.map { axes.contains($0) ? 1 : extents[$0] }
        var output = Nest.strides(kept, broadcastTo: extents)
        for axis in axes { output[axis] = 0 }
        return Nest(
            extents: extents, output: output,
            inputs: [Nest.strides(extents, storedAs: order ?? Array(extents.indices))])
    }

    private static let nests: [Nest] = {
        var nests = [
            // Layer, instance, batch and group normalization.
            nest([5, 49, 24], over: [1, 2]), nest([40, 49, 24], over: [1, 2]), nest([3, 20_000], over: [1]),
            nest([5, 49, 24], over: [1]), nest([9, 600, 17], over: [1]), nest([1, 3000, 40], over: [1]),
            nest([5, 7, 7, 24], over: [0, 1, 2]), nest([50, 28, 28, 3], over: [0, 1, 2]), nest([6, 1100], over: [0]),
            nest([5, 49, 4, 6], over: [1, 3]), nest([3, 300, 8, 16], over: [1, 3]), nest([2, 900, 3, 40], over: [1, 3]),
            nest([2, 9, 300, 7], over: [1, 3]), nest([1, 2000, 5, 4], over: [1, 3]),
            // Another layout of input and output.
            nest([6, 50, 9], over: [1], storedAs: [2, 0, 1]), nest([6, 50, 9], over: [0, 2], storedAs: [1, 2, 0]),
            nest([70, 80, 9], over: [0], storedAs: [2, 1, 0]), Nest(extents: [40, 6], output: [0, 3], inputs: [[6, 1]]),
            Nest(extents: [40, 6], output: [2, 0], inputs: [[12, 2]]),
            Nest(extents: [], output: [], inputs: [[]]), nest([1], over: [0]), nest([7], over: []), nest([9], over: [0]),
        ]
        for axes in 0..<16 {
            nests.append(nest([3, 5, 2, 7], over: Set((0..<4).filter { axes & (1 << $0) != 0 })))
        }
        return nests
    }()

    @Test(arguments: Setup.all)
    func overAnyAxes(_ setup: Setup) {
        for nest in Self.nests { check(setup, nest, values: randomValue(3)) }
    }

    /// As small a deviation as the grid of floats around the mean shows; a difference of moments would be noise.
    @Test(arguments: Setup.all, [Float(1e4), -3e3, 1e6])
    func farFromZero(_ setup: Setup, _ mean: Float) {
        for nest in Self.nests {
            check(setup, nest) { mean + mean * 1e-6 * randomValue(3)($0) }
            // One element apart, where the first is.
            check(setup, nest) { $0 == 0 ? 0 : mean + mean * 1e-6 * randomValue(3)($0) }
        }
    }

    @Test(arguments: Setup.all)
    func equalElementsDoNotVary(_ setup: Setup) {
        for nest in Self.nests {
            let input = Guarded(nest.span(nest.inputs[0])) { _ in 0.1 }
            let (mean, variance) = (Guarded(nest.span(nest.output)), Guarded(nest.span(nest.output)))
            let problem = nest.problem(op: KANTO_OP_STATISTICS, function: 0)
            #expect(setup.run(problem, inputs: [input.start], outputs: [mean.start, variance.start]) == .done)
            nest.forEach { target, _ in
                if mean.start[target] != 0.1 || variance.start[target] != 0 { Issue.record("element \(target) varies") }
            }
            #expect(input.marginsAreUntouched)
        }
    }

    @Test(arguments: Setup.all)
    func ofNothingTheyAreZero(_ setup: Setup) {
        for (extents, output, count) in [([0], [0], 1), ([0, 19], [0, 1], 19), ([19, 0], [1, 0], 19), ([3, 0], [1, 1], 0)] {
            let nest = Nest(extents: extents, output: output, inputs: [extents.map { _ in 1 }])
            check(setup, nest, outputCount: count) { _ in 0 }
        }
    }

    @Test(arguments: Setup.all)
    func infinityAndNaN(_ setup: Setup) {
        for place in [0, 1, 36, 37, 110] {
            for special in [Float.infinity, -.infinity, .nan] {
                let nest = Nest(extents: [37, 3], output: [0, 1], inputs: [[3, 1]])
                let input = Guarded(111) { $0 == place ? special : 1 }
                let (mean, variance) = (Guarded(3), Guarded(3))
                let problem = nest.problem(op: KANTO_OP_STATISTICS, function: 0)
                #expect(setup.run(problem, inputs: [input.start], outputs: [mean.start, variance.start]) == .done)
                #expect(input.marginsAreUntouched)
                for column in 0..<3 {
                    let isHit = column == place % 3
                    #expect(variance.start[column].isNaN == isHit)
                    #expect(isHit && special.isNaN ? mean.start[column].isNaN : mean.start[column] == (isHit ? special : 1))
                }
            }
        }
    }

    @Test(arguments: Setup.all)
    func declinesWhatItDoesNotKnow(_ setup: Setup) {
        let buffer = Guarded(4) { Float($0) }
        let nest = Nest(extents: [4], output: [0], inputs: [[1]])
        for problem in [
            nest.problem(op: KANTO_OP_STATISTICS, function: KANTO_FUNCTION_SUM),
            nest.problem(op: KANTO_OP_STATISTICS, function: 0, flags: KANTO_FLAG_ACCUMULATE),
        ] {
            guard case .declined = setup.run(problem, inputs: [buffer.start], outputs: [buffer.start, buffer.start]) else {
                Issue.record("not declined")
                continue
            }
        }
        let problem = nest.problem(op: KANTO_OP_STATISTICS, function: 0)
        guard case .failed = setup.run(problem, inputs: [buffer.start], outputs: [buffer.start]) else {
            Issue.record("a missing output went unnoticed")
            return
        }
    }
}
