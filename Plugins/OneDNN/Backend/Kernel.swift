import KantoABI
import OneDNNAdapter

/// What a kernel does when it runs.
enum Work {
    /// An output without elements.
    case nothing
    /// `serial` is for runs with fewer threads than `parallel` was divided for.
    case plans(parallel: Plan, serial: Plan)

    /// Plans the same primitives for `threadCount` threads and for one. Within a parallel region oneDNN computes on the
    /// calling thread only, and a primitive that was divided for more would leave the others' part undone.
    init(threadCount: Int32, _ build: (Plan) throws(Refusal) -> Void) throws(Refusal) {
        let parallel = try Plan(threadCount: max(1, min(threadCount, gomp_thread_limit())), build)
        let serial = parallel.threadCount == 1 ? parallel : try Plan(threadCount: 1, build)
        self = .plans(parallel: parallel, serial: serial)
    }

    var description: String {
        switch self {
        case .nothing: "nothing to do"
        case .plans(let parallel, _): parallel.description
        }
    }

    var scratchByteCount: Int {
        switch self {
        case .nothing: 0
        case .plans(let parallel, let serial): max(parallel.scratchByteCount, serial.scratchByteCount)
        }
    }

    func run(_ arguments: kanto_arguments) throws(Refusal) {
        switch self {
        case .nothing: break
        case .plans(let parallel, let serial):
            let canRunParallel = arguments.host.pointee.thread_count >= parallel.threadCount && !gomp_in_parallel()
            let plan = canRunParallel ? parallel : serial
            let set = try plan.takeMemorySet()
            defer { plan.put(back: set) }
            let settings = gomp_enter(plan.threadCount)
            defer { gomp_leave(settings) }
            let status = set.execute(arguments)
            guard status == dnnl_success else {
                throw .failed("oneDNN \(libraryVersion) failed to run \(plan.description): \(describe(status))")
            }
        }
    }
}

/// The kernel as the host sees it, followed by what is the plugin's own.
private struct KernelRecord {
    var kernel: kanto_kernel
    let work: Work
}

typealias KernelPointer = UnsafeMutablePointer<kanto_kernel>

func makeKernel(doing work: Work) -> KernelPointer {
    let record = UnsafeMutablePointer<KernelRecord>.allocate(capacity: 1)
    record.initialize(to: KernelRecord(kernel: kanto_kernel(), work: work))
    let kernel = UnsafeMutableRawPointer(record).assumingMemoryBound(to: kanto_kernel.self)
    kernel.pointee.struct_size = UInt32(MemoryLayout<kanto_kernel>.size)
    kernel.pointee.scratch_bytes = work.scratchByteCount
    kernel.pointee.description = copy(work.description)
    kernel.pointee.run = { kernel, arguments, message in
        let record = UnsafeRawPointer(kernel!).assumingMemoryBound(to: KernelRecord.self)
        do throws(Refusal) {
            try record.pointee.work.run(arguments!.pointee)
            return kanto_status(KANTO_STATUS_OK)
        } catch {
            return Refusal.failed(error.reason).write(to: message)
        }
    }
    kernel.pointee.release = { kernel in
        let record = UnsafeMutableRawPointer(kernel!).assumingMemoryBound(to: KernelRecord.self)
        record.pointee.kernel.description.deallocate()
        record.deinitialize(count: 1)
        record.deallocate()
    }
    return kernel
}
