import KantoABI
import KantoConsistency
import KantoKernels
import Testing

/// What a backend does not know it declines, with a reason, instead of guessing: a later header may give it a meaning.
@Suite struct UnknownTests {
    @Test(arguments: try ConsistencyCase.all) func unknownValuesAreDeclined(_ test: ConsistencyCase) throws {
        let known = try #require(problemList.first { $0.problem.op == test.op.rawValue && isServed($0.problem, by: test.backend) })
        func expectDeclined(_ words: String, _ change: (inout kanto_problem) -> Void) {
            var problem = known.problem
            change(&problem)
            do throws(RunFailure) {
                _ = try MadeKernel(problem, on: test.backend.table, host: ThreadHost(threadCount: 1))
                Issue.record("\(words) is served")
            } catch .declined {
            } catch {
                Issue.record("\(words): \(error)")
            }
        }
        for bit in 5..<32 { expectDeclined("flag bit \(bit)") { $0.flags |= 1 << bit } }
        if known.problem.function != 0 {
            for function: UInt32 in [31, 63, 95, 127, 1 << 20, .max] {
                expectDeclined("function \(function)") { $0.function = function }
            }
        }
        if [.matmul, .convolution2DForward].contains(test.op) {
            for activation: UInt32 in [5, 1 << 20, .max] {
                expectDeclined("activation \(activation)") { $0.activation = activation }
            }
        }
        for type: UInt32 in [0, 3, .max] { expectDeclined("element type \(type)") { $0.dtype = type } }
        for type: UInt32 in [1, 2, 3, .max] where type != known.problem.dtype {
            expectDeclined("outputs of element type \(type)") { $0.output_dtype = type }
        }
        for precision: UInt32 in [1, 2, 3, .max] { expectDeclined("precision \(precision)") { $0.precision = precision } }
        for op: UInt32 in [0, 12, 63, .max] { expectDeclined("op \(op)") { $0.op = op } }
    }

    private func isServed(_ problem: kanto_problem, by backend: Backend) -> Bool {
        (try? MadeKernel(problem, on: backend.table, host: ThreadHost(threadCount: 1))) != nil
    }
}
