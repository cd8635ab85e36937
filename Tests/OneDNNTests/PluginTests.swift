import Glibc
import KantoABI
import Synchronization
import Testing

@Suite struct PluginTests {
    @Test func versionIsData() throws {
        let version = try Plugin.shared.get().version
        #expect(version.magic == 0x4542_5F4F_544E_414B)
        #expect(version.major == KANTO_ABI_MAJOR)
        #expect(version.minor == KANTO_ABI_MINOR)
        #expect(version.struct_size == UInt32(MemoryLayout<kanto_version>.size))
        let name = withUnsafeBytes(of: version.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        #expect(name == "onednn")
    }

    @Test func offersMatmulAndConvolutionInFloat32() throws {
        let backend = try Plugin.shared.get().backend.pointee
        #expect(String(cString: backend.name) == "onednn")
        #expect(String(cString: backend.description).hasPrefix("oneDNN "))
        #expect(Array(UnsafeBufferPointer(start: backend.offers, count: Int(backend.offer_count))) == [0, 2, 2, 2, 2])
    }

    @Test func declinesWithReasonWhatItDoesNotKnow() {
        func reason(_ change: (inout kanto_problem) -> Void) -> String {
            var problem = MatmulTests.Size(m: 2, n: 2, k: 2).problem(0)
            change(&problem)
            do {
                _ = try Kernel(problem, threadCount: 1)
                return "made"
            } catch {
                return "\(error)"
            }
        }
        #expect(reason { $0.flags |= 1 << 20 } == "status 1: the oneDNN plugin does not know flags 0x100000 of op 1")
        #expect(reason { $0.activation = 77 } == "status 1: the oneDNN plugin does not know activation 77")
        #expect(reason { $0.function = 5 } == "status 1: the oneDNN plugin does not know function 5 of op 1")
        #expect(reason { $0.op = UInt32(KANTO_OP_REDUCE) } == "status 1: the oneDNN plugin does not offer op 8")
        #expect(reason { $0.dtype = UInt32(KANTO_DTYPE_F64) } == "status 1: the oneDNN plugin computes in float32 only")
        #expect(reason { $0.output_dtype = UInt32(KANTO_DTYPE_F64) } == "status 1: the oneDNN plugin computes in float32 only")
        #expect(reason { $0.precision = 2 } == "status 1: the oneDNN plugin has products of precision float32 only")
        let derivative = UInt32(KANTO_FLAG_DERIVATIVE)
        #expect(reason { $0.flags |= derivative } == "status 1: the derivative of no activation is asked for")
        #expect(
            reason {
                $0.flags |= derivative | UInt32(KANTO_FLAG_BIAS)
                $0.activation = UInt32(KANTO_ACTIVATION_TANH)
            } == "status 1: a derivative is not taken together with a bias")
        #expect(
            reason {
                $0.flags |= derivative
                $0.activation = UInt32(KANTO_ACTIVATION_LEAKY_RELU)
                $0.parameter = -0.5
            } == "status 1: the derivative of a leaky ReLU of negative slope -0.5 cannot be told from its output")
        // Rows that overlap are oneDNN's to refuse.
        #expect(reason { $0.matmul.row_stride_c = 1 }.hasSuffix(": invalid_arguments"))
    }

    @Test func messageIsCutToItsBuffer() throws {
        let backend = try Plugin.shared.get().backend
        var problem = MatmulTests.Size(m: 2, n: 2, k: 2).problem(0)
        problem.activation = 77
        let text = Text(capacity: 10)
        var kernel: UnsafeMutablePointer<kanto_kernel>?
        let status = withHost(threadCount: 1) { host in
            withUnsafeMutablePointer(to: &text.message) { backend.pointee.make(backend, &problem, host, &kernel, $0) }
        }
        #expect(status == KANTO_STATUS_DECLINED)
        #expect(text.value == "the oneDN")
    }

    /// One kernel on four threads, each with operands of its own: nothing of a run stands in the kernel.
    @Test(arguments: [1, 2])
    func runsOnSeveralThreadsAtOnce(threadCount: Int) throws {
        for problem in [
            MatmulTests.Size(m: 33, n: 65, k: 40).problem(KANTO_FLAG_BIAS),
            ConvolutionTests.geometries[4].problem(KANTO_OP_CONV2D_FORWARD),
            ConvolutionTests.geometries[4].problem(KANTO_OP_CONV2D_INPUT_GRADIENT, ConvolutionTests.accumulate),
            ConvolutionTests.geometries[4].problem(KANTO_OP_CONV2D_WEIGHT_GRADIENT),
        ] {
            let kernel = try Kernel(problem, threadCount: threadCount)
            let trials = (0..<4).map { index in
                var generator = Generator(seed: UInt64(index))
                return Trial(problem) { generator.uniform($0) }
            }
            let outcomes = Mutex([[Result<[Float], any Error>]](repeating: [], count: trials.count))
            let threads = trials.enumerated().map { index, trial in
                Thread {
                    for _ in 0..<50 {
                        let outcome = Result {
                            try kernel.run(inputs: trial.inputs, output: trial.old, threadCount: threadCount)
                        }
                        outcomes.withLock { $0[index].append(outcome) }
                    }
                }
            }
            for thread in threads { thread.join() }
            for (trial, outcomes) in zip(trials, outcomes.withLock({ $0 })) {
                let outputs = try outcomes.map { try $0.get() }
                #expect(outputs.count == 50)
                trial.verify(outputs[0])
                #expect(outputs.allSatisfy { $0.map(\.bitPattern) == outputs[0].map(\.bitPattern) }, "other bits")
            }
        }
    }

    /// How many threads the host lends depends on how busy the machine is; bits must not. (oneDNN 2.6.3 sums some of these
    /// products in another order where it has planned for one thread.)
    @Test(arguments: [(150, 64, 100), (64, 1, 4096), (150, 512, 512), (40, 3, 2000), (96, 16, 1500)])
    func fewerThreadsThanPlannedGiveTheSameBits(m: Int, n: Int, k: Int) throws {
        for flags in MatmulTests.transposes {
            for epilogue in [Epilogue.all[0], Epilogue.all[7], Epilogue.derivatives[1]] {
                let problem = MatmulTests.Size(m: m, n: n, k: k).problem(flags, epilogue)
                let kernel = try Kernel(problem, threadCount: 2), trial = Trial(random: problem)
                let outputs = try [2, 1, 1, 2].map {
                    try kernel.run(inputs: trial.inputs, output: trial.old, threadCount: $0).map(\.bitPattern)
                }
                #expect(outputs.allSatisfy { $0 == outputs[0] }, "flags \(flags), \(epilogue)")
            }
        }
        for op in [KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT, KANTO_OP_CONV2D_WEIGHT_GRADIENT] {
            for geometry in ConvolutionTests.geometries {
                guard let kernel = try? Kernel(geometry.problem(op), threadCount: 2) else { continue }
                let trial = Trial(random: geometry.problem(op))
                let outputs = try [2, 1].map {
                    try kernel.run(inputs: trial.inputs, output: trial.old, threadCount: $0).map(\.bitPattern)
                }
                #expect(outputs[0] == outputs[1], "\(op) \(geometry)")
            }
        }
    }

    @Test func leavesFloatingPointEnvironmentAlone() throws {
        let problem = ConvolutionTests.geometries[3].problem(KANTO_OP_CONV2D_FORWARD, Epilogue.all[5])
        let trial = Trial(random: problem)
        let before = controlWord()
        let kernel = try Kernel(problem, threadCount: 2)
        _ = try kernel.run(inputs: trial.inputs, output: trial.old, threadCount: 2)
        #expect(controlWord() == before)
    }

    @Test func honorsDenormals() throws {
        let tiny = Float.leastNonzeroMagnitude
        for threadCount in [1, 2] {
            let kernel = try Kernel(MatmulTests.Size(m: 32, n: 32, k: 1).problem(0), threadCount: threadCount)
            let output = try kernel.run(
                inputs: [[Float](repeating: tiny, count: 32), [Float](repeating: 3, count: 32)],
                output: [Float](repeating: 0, count: 1024), threadCount: threadCount)
            #expect(output == [Float](repeating: 3 * tiny, count: 1024))
        }
    }

    @Test(arguments: [Int64(1), 2, 4], [Int64(0), 1, 3, 1000])
    func parallelForVisitsEachIndexOnce(threadCount: Int64, count: Int64) throws {
        final class Visits: Sendable {
            let counts = Mutex<[Int64: Int]>([:])
            let workers = Mutex<Set<Int64>>([])
        }
        let visits = Visits()
        let parallelFor = try #require(Plugin.shared.get().backend.pointee.parallel_for)
        parallelFor(
            threadCount, count,
            { context, index, worker in
                let visits = Unmanaged<Visits>.fromOpaque(context!).takeUnretainedValue()
                visits.counts.withLock { $0[index, default: 0] += 1 }
                visits.workers.withLock { _ = $0.insert(worker) }
            }, Unmanaged.passUnretained(visits).toOpaque())
        #expect(visits.counts.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 1) }))
        #expect(visits.workers.withLock { $0.allSatisfy { (0..<threadCount).contains($0) } })
    }

    @Test func nestedParallelForRunsInline() throws {
        final class Visits: Sendable { let counts = Mutex<[Int64: Int]>([:]) }
        let visits = Visits()
        let parallelFor = try #require(Plugin.shared.get().backend.pointee.parallel_for)
        parallelFor(
            2, 5,
            { context, _, _ in
                try? Plugin.shared.get().backend.pointee.parallel_for(
                    2, 7,
                    { context, index, worker in
                        let visits = Unmanaged<Visits>.fromOpaque(context!).takeUnretainedValue()
                        visits.counts.withLock { $0[worker == 0 ? index : -1, default: 0] += 1 }
                    }, context)
            }, Unmanaged.passUnretained(visits).toOpaque())
        #expect(visits.counts.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<7).map { ($0, 5) }))
    }

    /// A kernel that was planned for two threads runs inside a body, where oneDNN has one.
    @Test func kernelRunsInsideParallelFor() throws {
        final class Job: @unchecked Sendable {
            let kernel: Kernel
            let trial: Trial
            let outputs = Mutex<[[Float]]>([])
            init(_ problem: kanto_problem) throws {
                kernel = try Kernel(problem, threadCount: 2)
                trial = Trial(random: problem)
            }
        }
        let job = try Job(ConvolutionTests.geometries[4].problem(KANTO_OP_CONV2D_WEIGHT_GRADIENT))
        let parallelFor = try #require(Plugin.shared.get().backend.pointee.parallel_for)
        parallelFor(
            2, 8,
            { context, _, _ in
                let job = Unmanaged<Job>.fromOpaque(context!).takeUnretainedValue()
                let output = try? job.kernel.run(inputs: job.trial.inputs, output: job.trial.old, threadCount: 2)
                job.outputs.withLock { $0.append(output ?? []) }
            }, Unmanaged.passUnretained(job).toOpaque())
        let outputs = job.outputs.withLock { $0 }
        #expect(outputs.count == 8)
        for output in outputs {
            #expect(output.count == job.trial.old.count)
            job.trial.verify(output)
        }
    }
}

/// The parts of the environment that decide how numbers are rounded and flushed.
private func controlWord() -> [UInt32] {
    var environment = fenv_t()
    fegetenv(&environment)
    #if arch(x86_64)
    // The low six bits of MXCSR are the sticky exception flags.
    return [UInt32(environment.__control_word), environment.__mxcsr & ~0x3F]
    #else
    return [UInt32(environment.__fpcr)]
    #endif
}

/// A POSIX thread, for tests that need threads of their own.
private final class Thread {
    private var handle = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        final class Box { let body: () -> Void; init(_ body: @escaping () -> Void) { self.body = body } }
        pthread_create(
            &handle, nil,
            { context in
                Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
    }

    func join() { pthread_join(handle, nil) }
}
