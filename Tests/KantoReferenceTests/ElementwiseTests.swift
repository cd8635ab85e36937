import KantoABI
import KantoConsistency
import Testing

@Suite struct ElementwiseTests {
    @Test(
        arguments: [
            (KANTO_FUNCTION_COPY, [-2, 0, 4]), (KANTO_FUNCTION_FILL, [3, 3, 3]), (KANTO_FUNCTION_AFFINE, [-4, 2, 14]),
            (KANTO_FUNCTION_ABSOLUTE, [2, 0, 4]), (KANTO_FUNCTION_SIGN, [-1, 0, 1]),
            (KANTO_FUNCTION_SQUARE, [4, 0, 16]),
            (KANTO_FUNCTION_SQRT, [.nan, 0, 2]), (KANTO_FUNCTION_RECIPROCAL, [-0.5, .infinity, 0.25]),
            (KANTO_FUNCTION_EXP, [0.1353352832366127, 1, 54.598150033144236]),
            (KANTO_FUNCTION_LOG, [.nan, -.infinity, 1.3862943611198906]),
            (KANTO_FUNCTION_TANH, [-0.9640275800758169, 0, 0.999329299739067]),
            (KANTO_FUNCTION_SIGMOID, [0.11920292202211755, 0.5, 0.9820137900379085]),
            (KANTO_FUNCTION_LEAKY_RELU, [-0.25, 0, 4]),
            (KANTO_FUNCTION_EXP_MINUS_ONE, [-0.8646647167633873, 0, 53.598150033144236]),
            (KANTO_FUNCTION_LOG_ONE_PLUS, [.nan, 0, 1.6094379124341003]),
            (KANTO_FUNCTION_ERF, [-0.9953222650189527, 0, 0.9999999845827421]),
            (KANTO_FUNCTION_SOFTPLUS, [0.1269280110429725, 0.6931471805599453, 4.0181499279178094]),
        ] as [(Int, [Double])])
    func unaryByHand(_ function: Int, _ expected: [Double]) throws {
        let problem = elementwise(KANTO_OP_UNARY, function: function, [3], parameter: 0.125)
        let inputs: [[Double]] = function == KANTO_FUNCTION_FILL ? [] : [[-2, 0, 4]]
        expect(try reference(problem, inputs, scalars: [3, 2]), expected)
    }

    @Test(
        arguments: [
            (KANTO_FUNCTION_ADD, [3, -4, 6]), (KANTO_FUNCTION_SUBTRACT, [7, -4, -4]),
            (KANTO_FUNCTION_MULTIPLY, [-10, 0, 5]),
            (KANTO_FUNCTION_DIVIDE, [-2.5, -.infinity, 0.2]), (KANTO_FUNCTION_DIVIDE_OR_ZERO, [-2.5, 0, 0.2]),
            (KANTO_FUNCTION_MAXIMUM, [5, 0, 5]), (KANTO_FUNCTION_MINIMUM, [-2, -4, 1]),
            (KANTO_FUNCTION_ADD_SCALED, [11, -12, 13]), (KANTO_FUNCTION_GREATER, [1, 0, 0]),
            (KANTO_FUNCTION_LEAKY_RELU_GRADIENT, [0.625, -0.5, 1]),
        ] as [(Int, [Double])])
    func binaryByHand(_ function: Int, _ expected: [Double]) throws {
        let problem = elementwise(KANTO_OP_BINARY, function: function, [3], parameter: 0.125)
        expect(try reference(problem, [[5, -4, 1], [-2, 0, 5]], scalars: [3, 2]), expected)
    }

    @Test(
        arguments: [
            (KANTO_FUNCTION_SELECT, [-2, 5, 4]), (KANTO_FUNCTION_MULTIPLY_ADD, [-3, 5, 8]), (KANTO_FUNCTION_NORMALIZE, [49, 15, -12]),
        ] as [(Int, [Double])])
    func ternaryByHand(_ function: Int, _ expected: [Double]) throws {
        let problem = elementwise(KANTO_OP_TERNARY, function: function, [3])
        expect(try reference(problem, [[5, 0, 1], [-2, -3, 4], [7, 5, 4]]), expected)
    }

    @Test func softplusNeitherOverflowsNorVanishes() throws {
        let problem = elementwise(KANTO_OP_UNARY, function: KANTO_FUNCTION_SOFTPLUS, [5])
        expect(try reference(problem, [[1e6, -700, -.infinity, .infinity, .nan]]), [1e6, 9.859676543759770e-305, 0, .infinity, .nan])
    }

    @Test func selectTakesNotANumberAsTrue() throws {
        let problem = elementwise(KANTO_OP_TERNARY, function: KANTO_FUNCTION_SELECT, [4])
        let result = try reference(problem, [[1, 0, .nan, -0.0], [1, 2, 3, 4], [5, 6, 7, 8]])
        #expect(result == [1, 6, 3, 8])
    }

    @Test func notANumber() throws {
        let nan = Double.nan
        for function in [KANTO_FUNCTION_MAXIMUM, KANTO_FUNCTION_MINIMUM] {
            let problem = elementwise(KANTO_OP_BINARY, function: function, [2])
            #expect(try reference(problem, [[nan, 1], [1, nan]]).allSatisfy(\.isNaN))
        }
        for function in [KANTO_FUNCTION_SIGN, KANTO_FUNCTION_LEAKY_RELU] {
            #expect(try reference(elementwise(KANTO_OP_UNARY, function: function, [1]), [[nan]])[0].isNaN)
        }
        let greater = elementwise(KANTO_OP_BINARY, function: KANTO_FUNCTION_GREATER, [2])
        #expect(try reference(greater, [[nan, 1], [1, nan]]) == [0, 0])
        let gradient = elementwise(KANTO_OP_BINARY, function: KANTO_FUNCTION_LEAKY_RELU_GRADIENT, [4])
        let gradients = try reference(gradient, [[nan, nan, 1, .infinity], [-1, 1, nan, -1]])
        #expect(gradients[..<3].allSatisfy(\.isNaN) && gradients[3] == 0)
    }

    @Test func aSlopeOfZeroYieldsZeroForMinusInfinity() throws {
        let problem = elementwise(KANTO_OP_UNARY, function: KANTO_FUNCTION_LEAKY_RELU, [2])
        #expect(try reference(problem, [[-.infinity, .infinity]]) == [0, .infinity])
    }

    @Test func aStrideOfZeroBroadcasts() throws {
        let problem = elementwise(
            KANTO_OP_BINARY, function: KANTO_FUNCTION_ADD, [2, 3], inputs: [[0, 1], [1, 0]])
        #expect(try reference(problem, [[1, 2, 3], [10, 20]]) == [11, 12, 13, 21, 22, 23])
    }

    @Test func aCopyWithStridesTransposes() throws {
        let problem = elementwise(KANTO_OP_UNARY, function: KANTO_FUNCTION_COPY, [3, 2], inputs: [[1, 3]])
        #expect(try reference(problem, [[1, 2, 3, 4, 5, 6]]) == [1, 4, 2, 5, 3, 6])
    }

    @Test func rankZeroIsOneElement() throws {
        #expect(try reference(elementwise(KANTO_OP_UNARY, function: KANTO_FUNCTION_SQUARE, []), [[3]]) == [9])
    }
}

/// Equal to within a rounding or two; NaN where NaN is expected.
private func expect(_ values: [Double], _ expected: [Double]) {
    #expect(values.count == expected.count)
    for (value, expected) in zip(values, expected) {
        #expect(value == expected || value.isNaN && expected.isNaN || abs(value - expected) <= 4e-16 * abs(expected))
    }
}
