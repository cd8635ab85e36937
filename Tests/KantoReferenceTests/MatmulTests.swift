import KantoConsistency
import KantoKernels
import Testing

@Suite struct MatmulTests {
    // [1 2 3; 4 5 6] · [1 2; 3 4; 5 6]
    @Test(arguments: [false, true], [false, true])
    func transposesByHand(_ transposeA: Bool, _ transposeB: Bool) throws {
        let c = try reference(
            .matmul(m: 2, n: 2, k: 3, transposeA: transposeA, transposeB: transposeB),
            [
                transposeA ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6],
                transposeB ? [1, 3, 5, 2, 4, 6] : [1, 2, 3, 4, 5, 6],
            ])
        #expect(c == [22, 28, 49, 64])
    }

    @Test func aSharedOperandServesTheWholeBatch() throws {
        let c = try reference(Problem.matmul(batch: 3, m: 1, n: 2, k: 1).spaced(sharesB: true), [[1, 2, 3], [10, 20]])
        #expect(c == [10, 20, 20, 40, 30, 60])
    }

    @Test(arguments: [
        (Activation.none, [-2.0, 3]), (.relu, [0, 3]), (.leakyReLU(slope: 0.25), [-0.5, 3]),
        (.tanh, [-0.9640275800758169, 0.9950547536867305]),
        (.sigmoid, [0.11920292202211755, 0.9525741268224334]),
    ])
    func epilogueByHand(_ activation: Activation, _ expected: [Double]) throws {
        let problem = Problem.matmul(m: 1, n: 2, k: 1, bias: true, activation: activation, accumulate: true)
        let c = try reference(problem, [[1], [-4, 3], [1, -1]], old: [[1, 1]])
        for (value, expected) in zip(c, expected) { #expect(abs(value - expected) <= 1e-15) }
    }

    @Test(arguments: [
        (Activation.relu, [0.0, 0, 6]), (.leakyReLU(slope: 0.25), [0.5, 1, 6]),
        (.tanh, [1.5, 4, 4.5]), (.sigmoid, [-1.5, 0, 1.5]),
    ])
    func derivativesByHand(_ activation: Activation, _ expected: [Double]) throws {
        let problem = Problem.matmul(m: 1, n: 3, k: 1, derivative: activation, accumulate: true)
        #expect(try reference(problem, [[1], [1, 3, 5], [-0.5, 0, 0.5]], old: [[1, 1, 1]]) == expected)
    }

    @Test func aDerivativeOfZeroYieldsZeroEvenOfInfinity() throws {
        #expect(
            try reference(.matmul(m: 1, n: 2, k: 1, derivative: .relu), [[1], [.infinity, .infinity], [-1, 1]]) == [0, .infinity])
    }

    @Test func anEmptyInnerDimensionLeavesTheEpilogueOfZero() throws {
        let c = try reference(.matmul(m: 2, n: 2, k: 0, bias: true), [[], [], [1, 2]])
        #expect(c == [1, 2, 1, 2])
        #expect(try reference(.matmul(m: 0, n: 2, k: 3), [[], [1, 2, 3, 4, 5, 6]]) == [])
    }

    @Test func notANumberPassesTheActivation() throws {
        for activation in [Activation.relu, .leakyReLU(slope: 0.25), .tanh] {
            let c = try reference(.matmul(m: 1, n: 1, k: 1, activation: activation), [[.nan], [1]])
            #expect(c[0].isNaN)
        }
    }
}
