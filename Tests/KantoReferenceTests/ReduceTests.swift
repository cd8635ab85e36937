import KantoABI
import KantoConsistency
import KantoReference
import Testing

@Suite struct ReduceTests {
    static let functions = [
        KANTO_FUNCTION_SUM, KANTO_FUNCTION_REDUCE_MAXIMUM, KANTO_FUNCTION_REDUCE_MINIMUM, KANTO_FUNCTION_SUM_OF_SQUARES,
        KANTO_FUNCTION_MAXIMUM_MAGNITUDE,
    ]

    @Test(arguments: zip(functions, [[-3, 5], [2, 4], [-5, 0], [29, 17], [5, 4]] as [[Double]]))
    func rowsByHand(_ function: Int, _ expected: [Double]) throws {
        #expect(try reference(reduce(function, [2, 3], over: [1]), [[2, 0, -5, 1, 4, 0]]) == expected)
    }

    @Test(arguments: zip(functions, [[3, 4, -5], [2, 4, 0], [1, 0, -5], [5, 16, 25], [2, 4, 5]] as [[Double]]))
    func columnsByHand(_ function: Int, _ expected: [Double]) throws {
        #expect(try reference(reduce(function, [2, 3], over: [0]), [[2, 0, -5, 1, 4, 0]]) == expected)
    }

    @Test(arguments: zip(functions, [0, -.infinity, .infinity, 0, 0] as [Double]))
    func anEmptyReductionIsTheIdentity(_ function: Int, _ identity: Double) throws {
        #expect(try reference(reduce(function, [2, 0], over: [1]), [[]]) == [identity, identity])
        #expect(try reference(reduce(function, [2, 0], over: [0]), [[]]) == [])
    }

    @Test(arguments: functions)
    func notANumberPasses(_ function: Int) throws {
        for position in 0..<3 {
            var values = [1.0, 2, 3]
            values[position] = .nan
            #expect(try reference(reduce(function, [3], over: [0]), [values])[0].isNaN)
        }
    }

    @Test func sumsAccumulate() throws {
        #expect(
            try reference(
                reduce(KANTO_FUNCTION_SUM, [2, 2], over: [1], accumulate: true), [[1, 2, 3, 4]], old: [[10, 20]])
                == [13, 27])
    }

    @Test func sumsOfProductsByHand() throws {
        let rows = reduce(KANTO_FUNCTION_SUM_OF_PRODUCTS, [2, 3], over: [1], accumulate: true)
        #expect(try reference(rows, [[2, 0, -5, 1, 4, 0], [1, 2, 3, 4, 5, 6]], old: [[10, 20]]) == [-3, 44])
        let columns = reduce(KANTO_FUNCTION_SUM_OF_PRODUCTS, [2, 3], over: [0])
        #expect(try reference(columns, [[2, 0, -5, 1, 4, 0], [1, 2, 3, 4, 5, 6]]) == [6, 20, -15])
        #expect(try reference(reduce(KANTO_FUNCTION_SUM_OF_PRODUCTS, [2, 0], over: [1]), [[], []]) == [0, 0])
    }

    @Test func statisticsByHand() throws {
        func statistics(_ extents: [Int], over axes: Set<Int>, _ values: [Double]) throws -> [[Double]] {
            var problem = KantoConsistency.statistics(extents, over: axes)
            problem.dtype = UInt32(KANTO_DTYPE_F64)
            return try run(problem, on: referenceBackend(), inputs: [values])
        }
        let values: [Double] = [1, 3, 5, 7, 2, 2, 2, 2]
        #expect(try statistics([2, 4], over: [1], values) == [[4, 2], [5, 0]])
        #expect(try statistics([2, 4], over: [0], values) == [[1.5, 2.5, 3.5, 4.5], [0.25, 0.25, 2.25, 6.25]])
        #expect(try statistics([2, 2, 2], over: [0, 2], values) == [[2, 4], [0.5, 4.5]])
        #expect(try statistics([3, 0], over: [1], []) == [[0, 0, 0], [0, 0, 0]])
        // A difference of moments would have lost all digits.
        #expect(try statistics([4], over: [0], [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]) == [[1e9 + 1.5], [1.25]])
    }

    @Test func sumsAreCompensated() throws {
        // Plain addition loses the ones.
        let values = [1e16, 1, 1, 1, 1, -1e16]
        #expect(try reference(reduce(KANTO_FUNCTION_SUM, [6], over: [0]), [values]) == [4])
        #expect(try reference(reduce(KANTO_FUNCTION_SUM, [3], over: [0]), [[1, .infinity, 1]]) == [.infinity])
    }
}
