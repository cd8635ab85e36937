import KantoConsistency
import KantoKernels
import Testing

@Suite struct ElementwiseTests {
    @Test(
        arguments: [
            (.copy, [-2, 0, 4]), (.fill, [3, 3, 3]), (.affine, [-4, 2, 14]),
            (.absolute, [2, 0, 4]), (.sign, [-1, 0, 1]),
            (.square, [4, 0, 16]),
            (.sqrt, [.nan, 0, 2]), (.reciprocal, [-0.5, .infinity, 0.25]),
            (.exp, [0.1353352832366127, 1, 54.598150033144236]),
            (.log, [.nan, -.infinity, 1.3862943611198906]),
            (.tanh, [-0.9640275800758169, 0, 0.999329299739067]),
            (.sigmoid, [0.11920292202211755, 0.5, 0.9820137900379085]),
            (.leakyReLU, [-0.25, 0, 4]),
            (.expMinusOne, [-0.8646647167633873, 0, 53.598150033144236]),
            (.logOnePlus, [.nan, 0, 1.6094379124341003]),
            (.erf, [-0.9953222650189527, 0, 0.9999999845827421]),
            (.softplus, [0.1269280110429725, 0.6931471805599453, 4.0181499279178094]),
        ] as [(Function, [Double])])
    func unaryByHand(_ function: Function, _ expected: [Double]) throws {
        let problem = Problem.iteration(.unary, function, extents: [3], parameter: 0.125)
        let inputs: [[Double]] = function == .fill ? [] : [[-2, 0, 4]]
        expect(try reference(problem, inputs, scalars: [3, 2]), expected)
    }

    @Test(
        arguments: [
            (.add, [3, -4, 6]), (.subtract, [7, -4, -4]),
            (.multiply, [-10, 0, 5]),
            (.divide, [-2.5, -.infinity, 0.2]), (.divideOrZero, [-2.5, 0, 0.2]),
            (.maximum, [5, 0, 5]), (.minimum, [-2, -4, 1]),
            (.addScaled, [11, -12, 13]), (.greater, [1, 0, 0]),
            (.leakyReLUGradient, [0.625, -0.5, 1]),
        ] as [(Function, [Double])])
    func binaryByHand(_ function: Function, _ expected: [Double]) throws {
        let problem = Problem.iteration(.binary, function, extents: [3], parameter: 0.125)
        expect(try reference(problem, [[5, -4, 1], [-2, 0, 5]], scalars: [3, 2]), expected)
    }

    @Test(
        arguments: [
            (.select, [-2, 5, 4]), (.multiplyAdd, [-3, 5, 8]), (.normalize, [49, 15, -12]),
        ] as [(Function, [Double])])
    func ternaryByHand(_ function: Function, _ expected: [Double]) throws {
        let problem = Problem.iteration(.ternary, function, extents: [3])
        expect(try reference(problem, [[5, 0, 1], [-2, -3, 4], [7, 5, 4]]), expected)
    }

    @Test func softplusNeitherOverflowsNorVanishes() throws {
        let problem = Problem.iteration(.unary, .softplus, extents: [5])
        expect(try reference(problem, [[1e6, -700, -.infinity, .infinity, .nan]]), [1e6, 9.859676543759770e-305, 0, .infinity, .nan])
    }

    @Test func selectTakesNotANumberAsTrue() throws {
        let problem = Problem.iteration(.ternary, .select, extents: [4])
        let result = try reference(problem, [[1, 0, .nan, -0.0], [1, 2, 3, 4], [5, 6, 7, 8]])
        #expect(result == [1, 6, 3, 8])
    }

    @Test func notANumber() throws {
        let nan = Double.nan
        for function in [Function.maximum, .minimum] {
            let problem = Problem.iteration(.binary, function, extents: [2])
            #expect(try reference(problem, [[nan, 1], [1, nan]]).allSatisfy(\.isNaN))
        }
        for function in [Function.sign, .leakyReLU] {
            #expect(try reference(.iteration(.unary, function, extents: [1]), [[nan]])[0].isNaN)
        }
        let greater = Problem.iteration(.binary, .greater, extents: [2])
        #expect(try reference(greater, [[nan, 1], [1, nan]]) == [0, 0])
        let gradient = Problem.iteration(.binary, .leakyReLUGradient, extents: [4])
        let gradients = try reference(gradient, [[nan, nan, 1, .infinity], [-1, 1, nan, -1]])
        #expect(gradients[..<3].allSatisfy(\.isNaN) && gradients[3] == 0)
    }

    @Test func aSlopeOfZeroYieldsZeroForMinusInfinity() throws {
        let problem = Problem.iteration(.unary, .leakyReLU, extents: [2])
        #expect(try reference(problem, [[-.infinity, .infinity]]) == [0, .infinity])
    }

    @Test func aStrideOfZeroBroadcasts() throws {
        let problem = Problem.iteration(.binary, .add, extents: [2, 3], inputs: [[0, 1], [1, 0]])
        #expect(try reference(problem, [[1, 2, 3], [10, 20]]) == [11, 12, 13, 21, 22, 23])
    }

    @Test func aCopyWithStridesTransposes() throws {
        let problem = Problem.iteration(.unary, .copy, extents: [3, 2], inputs: [[1, 3]])
        #expect(try reference(problem, [[1, 2, 3, 4, 5, 6]]) == [1, 4, 2, 5, 3, 6])
    }

    @Test func rankZeroIsOneElement() throws {
        #expect(try reference(.iteration(.unary, .square, extents: []), [[3]]) == [9])
    }
}

/// Equal to within a rounding or two; NaN where NaN is expected.
private func expect(_ values: [Double], _ expected: [Double]) {
    #expect(values.count == expected.count)
    for (value, expected) in zip(values, expected) {
        #expect(value == expected || value.isNaN && expected.isNaN || abs(value - expected) <= 4e-16 * abs(expected))
    }
}
