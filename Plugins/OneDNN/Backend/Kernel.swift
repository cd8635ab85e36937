import KantoABI
import OneDNNAdapter
import Synchronization

/// What a kernel does when it runs.
enum Work {
    /// An output without elements.
    case nothing
    case plans(Plans)

    init(threadCount: Int32, _ build: (Plan) throws(Refusal) -> Void) throws(Refusal) {
        self = .plans(try Plans(threadCount: threadCount, build))
    }

    var description: String {
        switch self {
        case .nothing: "nothing to do"
        case .plans(let plans): plans.parallel.description
        }
    }

    var scratchByteCount: Int {
        switch self {
        case .nothing: 0
        case .plans(let plans): max(plans.parallel.scratchByteCount, plans.serial.scratchByteCount)
        }
    }

    func run(_ arguments: UnsafePointer<kanto_arguments>) throws(Refusal) {
        switch self {
        case .nothing: break
        case .plans(let plans): try plans.run(arguments)
        }
    }
}

/// The same primitives planned for all threads and for one. Within a parallel region oneDNN computes on the calling thread
/// only, and a primitive that was divided for more would leave the others' part undone.
final class Plans: Sendable {
    let parallel: Plan
    let serial: Plan

    private enum Comparison { case toBeMade, same, different }
    private let comparison = Mutex(Comparison.toBeMade)

    init(threadCount: Int32, _ build: (Plan) throws(Refusal) -> Void) throws(Refusal) {
        parallel = try Plan(threadCount: max(1, min(threadCount, gomp_thread_limit())), build)
        serial = parallel.threadCount == 1 ? parallel : try Plan(threadCount: 1, build)
    }

    func run(_ arguments: UnsafePointer<kanto_arguments>) throws(Refusal) {
        var runsParallel = parallel !== serial && !gomp_in_parallel()
        if runsParallel, arguments.pointee.host.pointee.thread_count < parallel.threadCount {
            runsParallel = try !serialGivesSameBits(scratch: arguments.pointee.scratch)
        }
        try (runsParallel ? parallel : serial).run(arguments)
    }

    /// Results must not depend on how busy the machine is: where fewer threads are lent than were planned for, one alone
    /// computes what it computes with the same bits. Found out when it is first asked for.
    private func serialGivesSameBits(scratch: UnsafeMutableRawPointer?) throws(Refusal) -> Bool {
        if comparison.withLock({ $0 }) == .toBeMade {
            let isSame = try giveSameBits(parallel, serial, scratch: scratch)
            comparison.withLock { $0 = isSame ? .same : .different }
        }
        return comparison.withLock { $0 } == .same
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
            try record.pointee.work.run(arguments!)
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
