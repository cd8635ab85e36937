import KantoABI
import Testing

@testable import KantoKernels

/// The functions in Swift are those of the table in kanto_functions.h.
@Suite struct FunctionTests {
    private var rows: [kanto_function_info] {
        var rows: [kanto_function_info] = []
        while let row = kanto_function_at(rows.count) { rows.append(row.pointee) }
        return rows
    }

    @Test func casesAreTheRows() { #expect(rows.map(\.function) == Function.allCases.map(\.rawValue)) }

    /// The last ones of what is counted on from a first one.
    @Test(arguments: [
        (.sigmoid, "sigmoid"), (.leakyReLU, "leaky_relu"), (.softplus, "softplus"), (.leakyReLUGradient, "leaky_relu_gradient"),
        (.normalize, "normalize"), (.reduceMaximum, "maximum"), (.sumOfProducts, "sum_of_products"), (.rmsProp, "rmsprop"),
        (.normal, "normal"),
    ] as [(Function, String)])
    func casesHaveTheNamesOfTheirRows(function: Function, name: String) { #expect(function.description == name) }

    @Test func namesAreUniqueWithinTheirOps() {
        #expect(Set(rows.map { "\($0.op) \(String(cString: $0.name))" }).count == rows.count)
        for row in rows { #expect(row.op > Op.convolution2DWeightGradient.rawValue && Op(rawValue: row.op) != nil) }
    }

    @Test func rowsAreFoundByOpAndFunction() throws {
        for function in Function.allCases {
            for op in Op.allCases {
                let row = kanto_find_function(op.rawValue, function.rawValue)
                #expect((row != nil) == Function.all(of: op).contains(function))
                if let row { #expect(row.pointee.function == function.rawValue && row.pointee.op == op.rawValue) }
            }
        }
        #expect(kanto_find_function(UInt32(KANTO_OP_UNARY), 0) == nil)
        #expect(kanto_find_function(UInt32(KANTO_OP_UNARY), .max) == nil)
    }

    /// Their inputs, outputs and scalars are what a run is handed.
    @Test func operandsAreThoseOfTheRow() throws {
        let registry = try makeRegistry()
        for function in Function.allCases {
            let info = function.info, op = try #require(Op(rawValue: info.op))
            let inputs = Array(repeating: [1], count: Int(info.input_count))
            let problem = Problem.iteration(op, function, extents: [1], output: [1], inputs: inputs)
            let kernel = try registry.kernel(problem, "reference")
            #expect(kernel.inputCount == info.input_count && kernel.outputCount == info.output_count, "\(function)")
            #expect(kernel.scalarCount == info.scalar_count, "\(function)")
        }
        let kernel = try registry.kernel(.matmul(m: 1, n: 1, k: 1, bias: true), "reference")
        #expect([kernel.inputCount, kernel.outputCount, kernel.scalarCount] == [3, 1, 0])
    }
}
