import KantoABI
import KantoConsistency
import KantoKernels
import KantoReference
import Testing

@Suite struct DeclineTests {
    static let problems: [(String, kanto_problem)] = {
        func changed(_ problem: kanto_problem, _ change: (inout kanto_problem) -> Void) -> kanto_problem {
            var problem = problem
            change(&problem)
            return problem
        }
        let product = Problem.matmul(m: 2, n: 3, k: 4).raw
        let forward = Problem.convolution(
            .convolution2DForward, .float32,
            Convolution2D(batch: 1, height: 5, width: 5, channels: 4, outputChannels: 6, kernel: (3, 3))
        ).raw
        let copy = Problem.iteration(.unary, .copy, extents: [2, 3]).raw
        return [
            ("struct_size", changed(product) { $0.struct_size -= 1 }),
            ("dtype 9", changed(product) { $0.dtype = 9 }),
            ("outputs of dtype 2 from inputs of dtype 1", changed(product) { $0.output_dtype = 2 }),
            ("precision 3", changed(product) { $0.precision = 3 }),
            ("precision 1", changed(forward) { $0.precision = 1 }),
            ("op 77", changed(product) { $0.op = 77 }),
            ("flags 0x100", changed(product) { $0.flags = 256 }),
            ("activation 5", changed(product) { $0.activation = 5 }),
            ("a size or stride is -1", changed(product) { $0.matmul.k = -1 }),
            ("a size or stride is -4", changed(product) { $0.matmul.row_stride_a = -4 }),
            ("row_stride_c is 2", changed(product) { $0.matmul.row_stride_c = 2 }),
            ("batch_stride_c", changed(product) { $0.matmul.batch = 2 }),
            ("more than 2^48 elements", changed(product) { ($0.matmul.m, $0.matmul.k) = (1 << 40, 1 << 40) }),
            ("more than 2^48 elements", changed(product) { $0.matmul.row_stride_b = .max }),
            ("more than 2^48 elements", changed(copy) { $0.iteration.input_stride.0.1 = .max }),
            ("groups do not divide", changed(forward) { $0.convolution.groups = 3 }),
            ("expected 1", changed(forward) { $0.convolution.stride_x = 0 }),
            ("padding is -1", changed(forward) { $0.convolution.pad_left = -1 }),
            ("no epilogue", changed(forward) { ($0.op, $0.activation) = (3, 1) }),
            ("flags 0x2", changed(forward) { ($0.op, $0.flags) = (3, 2) }),
            ("derivative of no activation", changed(product) { $0.flags = 16 }),
            ("one place", changed(product) { ($0.flags, $0.activation) = (18, 1) }),
            ("slope -0.5", changed(product) { ($0.flags, $0.activation, $0.parameter) = (16, 2, -0.5) }),
            ("unknown function 0 of op 7", Problem.iteration(.ternary, nil, extents: [2]).raw),
            (
                "statistics have no function",
                changed(Problem.iteration(.statistics, nil, extents: [3], over: [0]).raw) { $0.function = 64 }
            ),
            ("unknown function 3 of op 11", changed(Problem.random(.normal, count: 3).raw) { $0.function = 3 }),
            ("unknown function 40 of op 5", changed(copy) { $0.function = 40 }),
            ("rank is 7", changed(copy) { $0.iteration.rank = 7 }),
            ("a size or stride is -3", changed(copy) { $0.iteration.extent.1 = -3 }),
            ("output stride is 0", changed(copy) { $0.iteration.output_stride.0 = 0 }),
            ("only sums accumulate", Problem.iteration(.reduce, .reduceMaximum, extents: [3], over: [0], accumulate: true).raw),
            ("rank is 2", changed(Problem.optimize(.adam, count: 4).raw) { $0.iteration.rank = 2 }),
        ]
    }()

    @Test(arguments: problems)
    func whatMakesNoSenseIsDeclinedWithTheReason(_ reason: String, _ problem: kanto_problem) {
        do {
            _ = try MadeKernel(problem, on: referenceBackend(), host: ThreadHost(threadCount: 1))
            Issue.record("it is not declined")
        } catch .declined(let text) {
            #expect(text.contains(reason))
        } catch {
            Issue.record(error)
        }
    }

    @Test func theTableIsTheSameAtEachCall() {
        #expect(referenceBackend() == referenceBackend())
        #expect(String(cString: referenceBackend().pointee.name) == "reference")
        let table = referenceBackend().pointee
        #expect(Array(UnsafeBufferPointer(start: table.offers, count: Int(table.offer_count))) == [0] + Array(repeating: 0b110, count: KANTO_OP_RANDOM))
    }

    @Test func missingScalarsAreAFailure() throws {
        let kernel = try MadeKernel(
            Problem.iteration(.unary, .affine, extents: [1]).raw, on: referenceBackend(),
            host: ThreadHost(threadCount: 1))
        #expect(throws: RunFailure.self) { try kernel.run(inputs: [[1]], outputs: []) }
        #expect(throws: RunFailure.self) { try kernel.run(inputs: [[1]], outputs: [], scalars: [1]) }
    }
}
