import Glibc
import KantoABI
import KantoConsistency
import TestSupport
import Testing

@testable import KantoKernels

/// A warm look-up and run allocate nothing: on the host, in the SIMD backend and in the reference. (oneDNN allocates in its
/// own `dnnl_primitive_execute`, so plugins are left to their own tests.)
@Suite(.enabled(if: Allocations.areCounted, "a sanitizer allocates in its own way")) struct AllocationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let backend: Backend
        let op: Op
        let threadCount: Int

        var testDescription: String { "\(backend.name) \(op) \(threadCount)" }

        static var all: [Case] {
            get throws {
                try Registry.shared().backends.filter { $0.origin == .builtIn }.flatMap { backend in
                    Op.allCases.filter { backend.offers($0, .float32) }.flatMap { op in
                        [1, 2].map { Case(backend: backend, op: op, threadCount: $0) }
                    }
                }
            }
        }
    }

    /// A thousand runs in all, of every problem of the list.
    @Test(arguments: try Case.all) func warmRunsAllocateNothing(_ test: Case) throws {
        let problems = problemList.filter { $0.problem.op == test.op.rawValue }
        var servedCount = 0
        for problem in problems {
            for type in ElementType.allCases where test.backend.offers(test.op, type) {
                // Products in float32 alone have a precision.
                if problem.problem.precision != 0, type != .float32 { continue }
                var problem = problem
                problem.problem.dtype = type.rawValue
                let isSmall = Problem(raw: problem.problem).floatingPointOperations < 1e5
                let runCount = isSmall ? max(3, 1000 / problems.count + 1) : 2
                guard let allocations = try allocations(of: problem, on: test, runCount: runCount) else { continue }
                servedCount += 1
                try #require(allocations.count == 0, "\(problem), \(runCount) runs: \(allocations)")
            }
        }
        #expect(servedCount > 0)
    }

    /// Nil if the backend declines.
    private func allocations(of test: TestProblem, on place: Case, runCount: Int) throws -> Allocations? {
        let problem = Problem(raw: test.problem)
        let buffers = try problem.operands().map { operand in
            let buffer = try Buffer(byteCount: operand.byteCount)
            // Ones, in either element type.
            switch problem.elementType {
            case .float32: buffer.pointer.initializeMemory(as: Float.self, repeating: 1, count: operand.byteCount / 4)
            default: buffer.pointer.initializeMemory(as: Double.self, repeating: 1, count: operand.byteCount / 8)
            }
            return (isOutput: operand.isOutput, pointer: buffer.pointer, buffer: buffer)
        }
        let inputs = buffers.filter { !$0.isOutput }.map(\.pointer), outputs = buffers.filter(\.isOutput).map(\.pointer)
        func pointer<P>(_ pointers: [P], _ index: Int) -> P? { index < pointers.count ? pointers[index] : nil }
        let (a, b, c) = (pointer(inputs, 0), pointer(inputs, 1), pointer(inputs, 2))
        let (x, y, z) = (outputs[0], pointer(outputs, 1), pointer(outputs, 2))
        return try test.scalars.withUnsafeBufferPointer { scalars in
            try withBackend(place.backend.name) {
                try Kernels.withThreadCount(place.threadCount) {
                    try Kernels.run {
                        func run() throws -> Kernel {
                            let kernel = try Kernels.kernel(for: problem)
                            try kernel.run(a, b, c, into: x, y, z, scalars: scalars.baseAddress)
                            return kernel
                        }
                        let kernel = try run()
                        guard kernel.backend == place.backend else { return nil }
                        return try Allocations.count(workersOf: kernel.host.pointer) {
                            for _ in 0..<runCount { _ = try run() }
                        }
                    }
                }
            }
        }
    }
}

/// That a count of zero means something.
@Suite(.enabled(if: Allocations.areCounted)) struct AllocationCountTests {
    @Test func countsEachWayToAllocate() {
        let pointers = UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>.allocate(capacity: 6)
        defer { pointers.deallocate() }
        let allocations = Allocations.count {
            pointers[0] = malloc(100)
            pointers[1] = calloc(10, 10)
            pointers[2] = realloc(nil, 100)
            pointers[3] = aligned_alloc(64, 128)
            posix_memalign(&pointers[4], 4096, 100)
            // An object of Swift.
            pointers[5] = Unmanaged.passRetained(try! Buffer(byteCount: 64)).toOpaque()
        }
        #expect(allocations.count >= 6)
        #expect(allocations.stacks[0].contains { $0.contains("KantoPackageTests") }, "\(allocations)")
        #expect(Int(bitPattern: pointers[3]) % 64 == 0 && Int(bitPattern: pointers[4]) % 4096 == 0)
        for pointer in pointers.dropLast() { free(pointer) }
        Unmanaged<Buffer>.fromOpaque(pointers[5]!).release()
        #expect(Allocations.count { }.count == 0)
    }

    @Test func countsTheWorkersOfTheHostAndNoOtherThread() throws {
        let kernel = try Kernels.withThreadCount(3) { try Kernels.kernel(for: .matmul(m: 1, n: 1, k: 1)) }
        let host = kernel.host.pointer
        let allocateOften: kanto_body = { _, _, _ in for _ in 0..<10 { free(malloc(100)) } }
        Kernels.run {
            let counted = Allocations.count(workersOf: host) { host.pointee.parallel_for(host, 300, allocateOften, nil) }
            #expect(counted.count == 3000)
            #expect(counted.stacks.count == 64)
            // Neither this thread nor the workers are counted any longer.
            host.pointee.parallel_for(host, 300, allocateOften, nil)
            let others = Allocations.count { Thread().join() }
            #expect(others.count < 10, "\(others)")
        }
    }

    /// A thread that allocates a thousand times.
    private struct Thread {
        private let thread: pthread_t

        init() {
            var thread = pthread_t()
            pthread_create(&thread, nil, { _ in
                for _ in 0..<1000 { free(malloc(100)) }
                return nil
            }, nil)
            self.thread = thread
        }

        func join() { pthread_join(thread, nil) }
    }
}
