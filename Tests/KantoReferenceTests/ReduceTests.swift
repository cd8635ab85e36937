import KantoConsistency
import KantoKernels
import Testing

@Suite struct ReduceTests {
    static let functions: [Function] = [.sum, .reduceMaximum, .reduceMinimum, .sumOfSquares, .maximumMagnitude]

    @Test(arguments: zip(functions, [[-3, 5], [2, 4], [-5, 0], [29, 17], [5, 4]] as [[Double]]))
    func rowsByHand(_ function: Function, _ expected: [Double]) throws {
        #expect(try reference(.iteration(.reduce, function, extents: [2, 3], over: [1]), [[2, 0, -5, 1, 4, 0]]) == expected)
    }

    @Test(arguments: zip(functions, [[3, 4, -5], [2, 4, 0], [1, 0, -5], [5, 16, 25], [2, 4, 5]] as [[Double]]))
    func columnsByHand(_ function: Function, _ expected: [Double]) throws {
        #expect(try reference(.iteration(.reduce, function, extents: [2, 3], over: [0]), [[2, 0, -5, 1, 4, 0]]) == expected)
    }

    @Test(arguments: zip(functions, [0, -.infinity, .infinity, 0, 0] as [Double]))
    func anEmptyReductionIsTheIdentity(_ function: Function, _ identity: Double) throws {
        #expect(try reference(.iteration(.reduce, function, extents: [2, 0], over: [1]), [[]]) == [identity, identity])
        #expect(try reference(.iteration(.reduce, function, extents: [2, 0], over: [0]), [[]]) == [])
    }

    @Test(arguments: functions)
    func notANumberPasses(_ function: Function) throws {
        for position in 0..<3 {
            var values = [1.0, 2, 3]
            values[position] = .nan
            #expect(try reference(.iteration(.reduce, function, extents: [3], over: [0]), [values])[0].isNaN)
        }
    }

    @Test func sumsAccumulate() throws {
        #expect(
            try reference(
                .iteration(.reduce, .sum, extents: [2, 2], over: [1], accumulate: true), [[1, 2, 3, 4]], old: [[10, 20]])
                == [13, 27])
    }

    @Test func sumsOfProductsByHand() throws {
        let rows = Problem.iteration(.reduce, .sumOfProducts, extents: [2, 3], over: [1], accumulate: true)
        #expect(try reference(rows, [[2, 0, -5, 1, 4, 0], [1, 2, 3, 4, 5, 6]], old: [[10, 20]]) == [-3, 44])
        let columns = Problem.iteration(.reduce, .sumOfProducts, extents: [2, 3], over: [0])
        #expect(try reference(columns, [[2, 0, -5, 1, 4, 0], [1, 2, 3, 4, 5, 6]]) == [6, 20, -15])
        #expect(try reference(.iteration(.reduce, .sumOfProducts, extents: [2, 0], over: [1]), [[], []]) == [0, 0])
    }

    @Test func statisticsByHand() throws {
        func statistics(_ extents: [Int], over axes: Set<Int>, _ values: [Double]) throws -> [[Double]] {
            try outputs(.iteration(.statistics, nil, extents: extents, over: axes), [values])
        }
        let values: [Double] = [1, 3, 5, 7, 2, 2, 2, 2]
        #expect(try statistics([2, 4], over: [1], values) == [[4, 2], [5, 0]])
        #expect(try statistics([2, 4], over: [0], values) == [[1.5, 2.5, 3.5, 4.5], [0.25, 0.25, 2.25, 6.25]])
        #expect(try statistics([2, 2, 2], over: [0, 2], values) == [[2, 4], [0.5, 4.5]])
        #expect(try statistics([3, 0], over: [1], []) == [[0, 0, 0], [0, 0, 0]])
        for special in [Double.infinity, -.infinity, .nan] {
            let ofSpecial = try statistics([3], over: [0], [1, special, 1])
            #expect(special.isNaN ? ofSpecial[0][0].isNaN : ofSpecial[0] == [special])
            #expect(ofSpecial[1][0].isNaN)
        }
        // A difference of moments would have lost all digits.
        #expect(try statistics([4], over: [0], [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]) == [[1e9 + 1.5], [1.25]])
    }

    @Test func sumsAreCompensated() throws {
        // Plain addition loses the ones.
        let values = [1e16, 1, 1, 1, 1, -1e16]
        #expect(try reference(.iteration(.reduce, .sum, extents: [6], over: [0]), [values]) == [4])
        #expect(try reference(.iteration(.reduce, .sum, extents: [3], over: [0]), [[1, .infinity, 1]]) == [.infinity])
    }
}
