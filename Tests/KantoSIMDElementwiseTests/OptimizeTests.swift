import KantoABI
import Testing

@Suite struct OptimizeTests {
    @Test(arguments: Setup.all, [0, 1, 3, 4, 5, 15, 16, 17, 1003, 20_011])
    func adamStep(_ setup: Setup, _ count: Int) {
        let (rate, beta1, beta2, epsilon, decay) = (1e-2, 0.5, 0.9, 1e-8, 0.1)
        let gradient = Guarded(count, values: randomValue(1))
        let parameter = Guarded(count, values: randomValue(2))
        let first = Guarded(count, values: randomValue(3))
        let second = Guarded(count) { randomValue(4)($0).magnitude }
        let before = [gradient, parameter, first, second].map(\.values)
        let (correction1, correction2) = (1 - beta1 * beta1 * beta1, 1 - beta2 * beta2 * beta2)
        let nest = Nest(extents: [count], output: [1], inputs: [[1]])
        let outcome = setup.run(
            nest.problem(op: KANTO_OP_OPTIMIZE, function: KANTO_FUNCTION_ADAM), inputs: [gradient.start],
            outputs: [parameter.start, first.start, second.start],
            scalars: [rate, beta1, beta2, epsilon, correction1, correction2, decay])
        #expect(outcome == .done)
        var wrong = 0
        for index in 0..<count {
            let g = Double(before[0][index])
            let m = beta1 * Double(before[2][index]) + (1 - beta1) * g
            let v = beta2 * Double(before[3][index]) + (1 - beta2) * g * g
            let step = rate * (m / correction1) / ((v / correction2).squareRoot() + epsilon)
            let p = Double(before[1][index]) * (1 - rate * decay) - step
            let unit = 0x1p-24
            if abs(Double(first.start[index]) - m) > 4 * unit * (abs(m) + abs(g)) { wrong += 1 }
            if abs(Double(second.start[index]) - v) > 4 * unit * v { wrong += 1 }
            // The step feels the cancellation in m.
            let slack = rate * unit * 8 * (abs(m) + abs(g)) / correction1 / (v / correction2).squareRoot()
            if abs(Double(parameter.start[index]) - p) > 4 * unit * (abs(p) + abs(step)) + slack { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(gradient.values == before[0])
        for guarded in [gradient, parameter, first, second] { #expect(guarded.marginsAreUntouched) }
    }

    /// The two optimizers of one moment, which differ in what they keep of a gradient g and what they make of it.
    @Test(arguments: Setup.all, [KANTO_FUNCTION_MOMENTUM, KANTO_FUNCTION_RMSPROP])
    func stepWithOneMoment(_ setup: Setup, _ function: Int) {
        let isMomentum = function == KANTO_FUNCTION_MOMENTUM
        let (rate, beta, epsilon, decay) = (1e-2, 0.9, 1e-8, 0.1)
        for count in [0, 1, 3, 4, 5, 15, 16, 17, 1003, 20_011] {
            let gradient = Guarded(count, values: randomValue(1))
            let parameter = Guarded(count, values: randomValue(2))
            let moment = Guarded(count) { isMomentum ? randomValue(3)($0) : randomValue(3)($0).magnitude }
            let before = [gradient, parameter, moment].map(\.values)
            let nest = Nest(extents: [count], output: [1], inputs: [[1]])
            let outcome = setup.run(
                nest.problem(op: KANTO_OP_OPTIMIZE, function: function), inputs: [gradient.start],
                outputs: [parameter.start, moment.start],
                scalars: isMomentum ? [rate, beta, decay] : [rate, beta, epsilon, decay])
            #expect(outcome == .done)
            var wrong = 0
            for index in 0..<count {
                let g = Double(before[0][index])
                let old = Double(before[2][index])
                let m = isMomentum ? beta * old + g : beta * old + (1 - beta) * g * g
                let step = rate * (isMomentum ? m : g / (m.squareRoot() + epsilon))
                let p = Double(before[1][index]) * (1 - rate * decay) - step
                let unit = 0x1p-24
                let scale = isMomentum ? abs(old) + abs(g) : m
                if abs(Double(moment.start[index]) - m) > 4 * unit * scale { wrong += 1 }
                let slack = isMomentum ? 4 * unit * rate * scale : 0
                if abs(Double(parameter.start[index]) - p) > 4 * unit * (abs(p) + abs(step)) + slack { wrong += 1 }
            }
            #expect(wrong == 0)
            #expect(gradient.values == before[0])
            for guarded in [gradient, parameter, moment] { #expect(guarded.marginsAreUntouched) }
        }
    }

    @Test(arguments: Setup.all)
    func declinesOtherOptimizers(_ setup: Setup) {
        let nest = Nest(extents: [4], output: [1], inputs: [[1]])
        let buffer = Guarded(4)
        guard case .declined = setup.run(
            nest.problem(op: KANTO_OP_OPTIMIZE, function: 99), inputs: [buffer.start], outputs: [buffer.start])
        else {
            Issue.record("an unknown optimizer was not declined")
            return
        }
    }
}
