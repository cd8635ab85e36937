import KantoABI
import KantoConsistency
import Testing

@Suite struct MatmulTests {
    // [1 2 3; 4 5 6] · [1 2; 3 4; 5 6]
    @Test(arguments: [false, true], [false, true])
    func transposesByHand(_ transposeA: Bool, _ transposeB: Bool) throws {
        let c = try reference(
            matmul(2, 2, 3, transposeA: transposeA, transposeB: transposeB),
            [
                transposeA ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6],
                transposeB ? [1, 3, 5, 2, 4, 6] : [1, 2, 3, 4, 5, 6],
            ])
        #expect(c == [22, 28, 49, 64])
    }

    @Test func aSharedOperandServesTheWholeBatch() throws {
        let c = try reference(matmul(1, 2, 1, batch: 3, sharedB: true), [[1, 2, 3], [10, 20]])
        #expect(c == [10, 20, 20, 40, 30, 60])
    }

    @Test(arguments: [
        (KANTO_ACTIVATION_NONE, [-2.0, 3]), (KANTO_ACTIVATION_RELU, [0, 3]), (KANTO_ACTIVATION_LEAKY_RELU, [-0.5, 3]),
        (KANTO_ACTIVATION_TANH, [-0.9640275800758169, 0.9950547536867305]),
        (KANTO_ACTIVATION_SIGMOID, [0.11920292202211755, 0.9525741268224334]),
    ])
    func epilogueByHand(_ activation: Int, _ expected: [Double]) throws {
        let options = EpilogueOptions(bias: true, accumulate: true, activation: activation, slope: 0.25)
        let c = try reference(matmul(1, 2, 1, options), [[1], [-4, 3], [1, -1]], old: [[1, 1]])
        for (value, expected) in zip(c, expected) { #expect(abs(value - expected) <= 1e-15) }
    }

    @Test(arguments: [
        (KANTO_ACTIVATION_RELU, [0.0, 0, 6]), (KANTO_ACTIVATION_LEAKY_RELU, [0.5, 1, 6]),
        (KANTO_ACTIVATION_TANH, [1.5, 4, 4.5]), (KANTO_ACTIVATION_SIGMOID, [-1.5, 0, 1.5]),
    ])
    func derivativesByHand(_ activation: Int, _ expected: [Double]) throws {
        let options = EpilogueOptions(accumulate: true, derivative: true, activation: activation, slope: 0.25)
        #expect(try reference(matmul(1, 3, 1, options), [[1], [1, 3, 5], [-0.5, 0, 0.5]], old: [[1, 1, 1]]) == expected)
    }

    @Test func aDerivativeOfZeroYieldsZeroEvenOfInfinity() throws {
        let options = EpilogueOptions(derivative: true, activation: KANTO_ACTIVATION_RELU)
        #expect(try reference(matmul(1, 2, 1, options), [[1], [.infinity, .infinity], [-1, 1]]) == [0, .infinity])
    }

    @Test func anEmptyInnerDimensionLeavesTheEpilogueOfZero() throws {
        let c = try reference(matmul(2, 2, 0, EpilogueOptions(bias: true)), [[], [], [1, 2]])
        #expect(c == [1, 2, 1, 2])
        #expect(try reference(matmul(0, 2, 3), [[], [1, 2, 3, 4, 5, 6]]) == [])
    }

    @Test func notANumberPassesTheActivation() throws {
        for activation in [KANTO_ACTIVATION_RELU, KANTO_ACTIVATION_LEAKY_RELU, KANTO_ACTIVATION_TANH] {
            let c = try reference(matmul(1, 1, 1, EpilogueOptions(activation: activation)), [[.nan], [1]])
            #expect(c[0].isNaN)
        }
    }
}
