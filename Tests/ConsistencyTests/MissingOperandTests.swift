import KantoABI
import KantoKernels
import Testing

@testable import KantoConsistency

/// The SIMD backend fails with a message where an operand or a scalar is missing, or a scalar makes no sense.
@Suite struct MissingOperandTests {
    static var backends: [Backend] {
        get throws { try Registry.shared().backends.filter { $0.name.hasPrefix("simd-") && $0.variantOf == nil } }
    }

    /// Without the last input, and without the scalars.
    @Test(arguments: try backends) func aMissingInputOrScalarFails(_ backend: Backend) throws {
        for function in Function.allCases {
            let op = try #require(Op.allCases.first { Function.all(of: $0).contains(function) })
            // The scalars are those of the list, which has no empty problem for its first one of every function.
            let test = try #require(
                problemList.first {
                    $0.problem.op == op.rawValue && $0.problem.function == function.rawValue && $0.problem.iteration.extent.0 > 1
                })
            try expectFailures(of: test, on: backend)
        }
        try expectFailures(of: TestProblem(.iteration(.statistics, nil, extents: [4], over: [0])), on: backend)
    }

    private func expectFailures(of test: TestProblem, on backend: Backend) throws {
        let operands = operands(of: test.problem)
        func run(missingInputs: Int = 0, scalars: [Double]) throws {
            let kernel = try MadeKernel(test.problem, on: backend.table, host: ThreadHost(threadCount: 2))
            _ = try kernel.run(
                inputs: operands.inputs.dropLast(missingInputs).map { [Double](repeating: 1, count: $0.span) },
                outputs: operands.outputs.map { [Double](repeating: 1, count: $0.span) }, scalars: scalars)
        }
        try run(scalars: test.scalars)
        if !operands.inputs.isEmpty {
            expectFailure("\(test) without an input") { try run(missingInputs: 1, scalars: test.scalars) }
        }
        if !test.scalars.isEmpty { expectFailure("\(test) without its scalars") { try run(scalars: []) } }
    }

    @Test(arguments: try backends) func aMissingOutputFails(_ backend: Backend) throws {
        for problem: Problem in [
            .iteration(.binary, .add, extents: [4]), .iteration(.reduce, .sum, extents: [4], over: [0]),
            .iteration(.statistics, nil, extents: [4], over: [0]), .optimize(.adam, count: 4), .random(.uniform, count: 4),
        ] {
            let host = ThreadHost(threadCount: 1)
            let scalars = [0.0, 1, 0, 0, 0, 0, 0, 0]
            let input: [Float] = [1, 2, 3, 4]
            var kernel: UnsafeMutablePointer<kanto_kernel>?
            var raw = problem.raw
            var text = [CChar](repeating: 0, count: 200)
            text.withUnsafeMutableBufferPointer { text in
                var message = kanto_message(text: text.baseAddress, capacity: text.count)
                #expect(backend.table.pointee.make(backend.table, &raw, host.table, &kernel, &message) == KANTO_STATUS_OK)
                guard let kernel else { return }
                let scratch = UnsafeMutableRawPointer.allocate(byteCount: kernel.pointee.scratch_bytes, alignment: 64)
                input.withUnsafeBytes { input in
                    let inputs = [input.baseAddress, input.baseAddress]
                    scalars.withUnsafeBufferPointer { scalars in
                        inputs.withUnsafeBufferPointer { inputs in
                            var arguments = kanto_arguments()
                            arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
                            arguments.host = UnsafePointer(host.table)
                            (arguments.inputs, arguments.input_count) = (inputs.baseAddress, 2)
                            (arguments.scalars, arguments.scalar_count) = (scalars.baseAddress, 8)
                            arguments.scratch = scratch
                            #expect(kernel.pointee.run(kernel, &arguments, &message) == KANTO_STATUS_FAILED, "\(problem)")
                        }
                    }
                }
                scratch.deallocate()
                kernel.pointee.release(kernel)
            }
            #expect(text.prefix { $0 != 0 }.count > 20, "\(problem)")
        }
    }

    /// The key, the stream and the block of random numbers are words of 32 bits.
    @Test(
        arguments: try backends,
        [[0, 1, -1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0x1p32], [0, 1, 0, .nan, 0, 0, 0, 0]])
    func wordsThatAreNoneAreRefused(_ backend: Backend, _ scalars: [Double]) throws {
        let kernel = try MadeKernel(
            Problem.random(.uniform, count: 4).raw, on: backend.table, host: ThreadHost(threadCount: 1))
        expectFailure("\(scalars)") { _ = try kernel.run(inputs: [], outputs: [], scalars: scalars) }
    }

    private func expectFailure(_ circumstance: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("\(circumstance): it goes on")
        } catch RunFailure.failed(let message) {
            #expect(message.count > 20, "\(circumstance): \(message)")
        } catch {
            Issue.record("\(circumstance): \(error)")
        }
    }
}
