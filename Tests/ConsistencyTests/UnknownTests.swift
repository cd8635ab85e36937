import KantoABI
import KantoKernels
import Testing

@testable import KantoConsistency

/// What a backend does not know it declines, with a reason, instead of guessing: a later header may give it a meaning.
@Suite struct UnknownTests {
    /// A problem that is declined.
    private struct Change {
        let words: String
        let change: (inout kanto_problem) -> Void

        init(_ words: String, _ change: @escaping (inout kanto_problem) -> Void) {
            (self.words, self.change) = (words, change)
        }
    }

    @Test(arguments: try ConsistencyCase.all) func unknownValuesAreDeclined(_ test: ConsistencyCase) throws {
        let known = try known(to: test)
        var changes = (5..<32).map { bit in Change("flag bit \(bit)") { $0.flags |= 1 << bit } }
        for type: UInt32 in [0, 3, .max] { changes.append(Change("element type \(type)") { $0.dtype = type }) }
        for type: UInt32 in [1, 2, 3, .max] where type != known.dtype {
            changes.append(Change("outputs of element type \(type)") { $0.output_dtype = type })
        }
        let precisions: [UInt32] = test.isOfProduct && test.backend.origin == .builtIn ? [3, .max] : [2, 3, .max]
        for precision in precisions { changes.append(Change("precision \(precision)") { $0.precision = precision }) }
        for op: UInt32 in [0, 12, 63, .max] { changes.append(Change("op \(op)") { $0.op = op }) }
        if !test.isOfProduct {
            for function: UInt32 in [31, 63, 95, 127, 1 << 20, .max] {
                changes.append(Change("function \(function)") { $0.function = function })
            }
        }
        for activation: UInt32 in [5, 1 << 20, .max] {
            changes.append(Change("activation \(activation)") { $0.activation = activation })
        }
        expectDeclined(changes, of: known, by: test.backend)
    }

    /// What means something, but not to this op.
    @Test(arguments: try ConsistencyCase.all) func whatIsAnotherOpsIsDeclined(_ test: ConsistencyCase) throws {
        let known = try known(to: test)
        let ofOp = Function.all(of: test.op)
        var changes = Function.allCases.filter { !test.isOfProduct && !ofOp.contains($0) }.map { function in
            Change("function \(function)") { $0.function = function.rawValue }
        }
        let bias = UInt32(KANTO_FLAG_BIAS)
        let accumulate = UInt32(KANTO_FLAG_ACCUMULATE)
        let derivative = UInt32(KANTO_FLAG_DERIVATIVE)
        let transposes = [KANTO_FLAG_TRANSPOSE_A, KANTO_FLAG_TRANSPOSE_B].map(UInt32.init)
        if test.op != .matmul { changes += transposes.map { flag in Change("flag \(flag)") { $0.flags |= flag } } }
        switch test.op {
        case .matmul, .convolution2DForward: break
        case .convolution2DInputGradient, .convolution2DWeightGradient:
            changes.append(Change("an activation") { $0.activation = UInt32(KANTO_ACTIVATION_RELU) })
            // The one has no bias, the other no derivative.
            let flag = test.op == .convolution2DInputGradient ? bias : derivative
            changes.append(Change("flag \(flag)") { $0.flags |= flag })
        default:
            changes.append(Change("an activation") { $0.activation = UInt32(KANTO_ACTIVATION_RELU) })
            changes.append(Change("a bias") { $0.flags |= bias })
            changes.append(Change("a derivative") { ($0.flags, $0.activation) = ($0.flags | derivative, 1) })
            if test.op != .reduce { changes.append(Change("accumulation") { $0.flags |= accumulate }) }
        }
        if test.op == .reduce {
            for function in [Function.reduceMaximum, .reduceMinimum, .maximumMagnitude] {
                changes.append(
                    Change("accumulation of \(function)") { ($0.function, $0.flags) = (function.rawValue, $0.flags | accumulate) }
                )
            }
        }
        expectDeclined(changes, of: known, by: test.backend)
    }

    /// Derivatives that cannot be told from the output.
    @Test(
        arguments: try ConsistencyCase.all.filter {
            [.matmul, .convolution2DForward, .convolution2DInputGradient].contains($0.op)
        })
    func derivativesThatCannotBeToldAreDeclined(_ test: ConsistencyCase) throws {
        let derivative = UInt32(KANTO_FLAG_DERIVATIVE)
        let bias = UInt32(KANTO_FLAG_BIAS)
        let changes = [
            Change("the derivative of no activation") { ($0.flags, $0.activation) = (derivative, 0) },
            Change("the derivative of activation 99") { ($0.flags, $0.activation) = (derivative, 99) },
            Change("the derivative of a leaky ReLU of negative slope") {
                ($0.flags, $0.activation, $0.parameter) = (derivative, UInt32(KANTO_ACTIVATION_LEAKY_RELU), -0.1)
            },
            Change("a derivative with a bias") { ($0.flags, $0.activation) = (derivative | bias, UInt32(KANTO_ACTIVATION_RELU)) },
        ]
        expectDeclined(changes, of: try known(to: test), by: test.backend)
    }

    /// The host never asks for these; the built-in backends notice.
    @Test(arguments: try ConsistencyCase.all.filter { $0.backend.origin == .builtIn && $0.op.rawValue >= Op.unary.rawValue })
    func nestsThatMakeNoSenseAreDeclined(_ test: ConsistencyCase) throws {
        var changes = [
            Change("a rank of 7") { $0.iteration.rank = 7 }, Change("a rank of -1") { $0.iteration.rank = -1 },
            Change("an extent of -1") { ($0.iteration.rank, $0.iteration.extent.0) = (1, -1) },
        ]
        switch test.op {
        case .optimize, .random:
            changes.append(Change("two axes") { ($0.iteration.rank, $0.iteration.extent.1) = (2, 1) })
        case .unary, .binary, .ternary:
            changes.append(
                Change("results in one place") {
                    ($0.iteration.rank, $0.iteration.extent.0, $0.iteration.output_stride.0) = (1, 4, 0)
                })
            fallthrough
        default:
            changes.append(
                Change("a stride of -1") {
                    ($0.iteration.rank, $0.iteration.extent.0, $0.iteration.output_stride.0) = (1, 4, 1)
                    $0.iteration.input_stride.0.0 = -1
                })
        }
        // Not a fill, which has no input.
        var known = try known(to: test)
        if test.op == .unary { known.function = Function.copy.rawValue }
        expectDeclined(changes, of: known, by: test.backend)
    }

    /// A message is cut to the buffer that it is handed.
    @Test(arguments: try Registry.shared().backends) func messagesAreCutToTheirBuffer(_ backend: Backend) throws {
        var problem = Problem.matmul(m: 2, n: 2, k: 2).raw
        problem.activation = 77
        func message(capacity: Int) -> String {
            var bytes = [CChar](repeating: 1, count: 500)
            return bytes.withUnsafeMutableBufferPointer { bytes in
                var message = kanto_message(text: bytes.baseAddress, capacity: capacity)
                var kernel: UnsafeMutablePointer<kanto_kernel>?
                let status = withExtendedLifetime(ThreadHost(threadCount: 1)) { host in
                    backend.table.pointee.make(backend.table, &problem, host.table, &kernel, &message)
                }
                #expect(status == KANTO_STATUS_DECLINED && kernel == nil)
                #expect(bytes[capacity...].allSatisfy { $0 == 1 }, "written beyond a buffer of \(capacity)")
                return capacity == 0 ? "" : String(cString: bytes.baseAddress!)
            }
        }
        let whole = message(capacity: 500)
        #expect(whole.utf8.count > 10)
        #expect(message(capacity: 10) == whole.prefix(9))
        #expect(message(capacity: 1) == "" && message(capacity: 0) == "")
    }

    private func known(to test: ConsistencyCase) throws -> kanto_problem {
        try #require(
            problemList.first {
                $0.problem.op == test.op.rawValue && $0.problem.flags == 0 && $0.problem.activation == 0
                    && (try? MadeKernel($0.problem, on: test.backend.table, host: ThreadHost(threadCount: 1))) != nil
            }?.problem)
    }

    private func expectDeclined(_ changes: [Change], of known: kanto_problem, by backend: Backend) {
        for change in changes {
            var problem = known
            change.change(&problem)
            do throws(RunFailure) {
                _ = try MadeKernel(problem, on: backend.table, host: ThreadHost(threadCount: 1))
                Issue.record("\(change.words) is served")
            } catch .declined {
            } catch {
                Issue.record("\(change.words): \(error)")
            }
        }
    }
}

extension ConsistencyCase {
    /// Of a matmul or a convolution, which have no function.
    fileprivate var isOfProduct: Bool { op.rawValue <= Op.convolution2DWeightGradient.rawValue }
}
