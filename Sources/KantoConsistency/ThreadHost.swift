import KantoABI
import KantoKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The smallest host: a thread for each further worker, started for the call. Pieces are dealt out in turn.
public final class ThreadHost {
    /// The table and what belongs to it; its address identifies this object to `parallel_for`.
    fileprivate struct Lent: ~Copyable {
        var table = kanto_host()
        let workerControlChange = Atomic(false)
    }
    private let lent = UnsafeMutablePointer<Lent>.allocate(capacity: 1)

    var table: UnsafeMutablePointer<kanto_host> {
        UnsafeMutableRawPointer(lent).assumingMemoryBound(to: kanto_host.self)
    }

    /// Workers of a call. A kernel may run on fewer than it was made for, as while the machine is busy.
    public var threadCount: Int {
        get { Int(table.pointee.thread_count) }
        set { table.pointee.thread_count = UInt32(newValue) }
    }

    /// - Parameter threadCount: workers of a call, the caller included.
    public init(threadCount: Int) {
        lent.initialize(to: Lent())
        table.pointee.struct_size = UInt32(MemoryLayout<kanto_host>.size)
        table.pointee.thread_count = UInt32(threadCount)
        table.pointee.level1_cache_bytes = 32 << 10
        // So small that small problems go the ways of large ones too.
        table.pointee.level2_cache_bytes = 256 << 10
        table.pointee.level3_cache_bytes = 8 << 10
        table.pointee.parallel_for = { host, count, body, context in
            let threadCount = Int64(host!.pointee.thread_count)
            if pthread_getspecific(insideBody) != nil || threadCount == 1 {
                for index in 0..<count { body!(context, index, 0) }
                return
            }
            let lent = UnsafeRawPointer(host!).assumingMemoryBound(to: Lent.self)
            var call = Call(lent: lent, body: body!, context: context, count: count, threadCount: threadCount)
            withUnsafePointer(to: &call) { call in
                runThreads((1..<threadCount).map { worker in { call.pointee.work(worker) } }) { call.pointee.work(0) }
            }
        }
    }

    deinit {
        lent.deinitialize(count: 1)
        lent.deallocate()
    }

    /// Whether a body has changed the floating-point environment of its worker since the last call.
    func takeWorkerControlChange() -> Bool { lent.pointee.workerControlChange.exchange(false, ordering: .relaxed) }
}

private struct Call {
    let lent: UnsafePointer<ThreadHost.Lent>
    let body: kanto_body
    let context: UnsafeMutableRawPointer?
    let count: Int64
    let threadCount: Int64

    func work(_ worker: Int64) {
        pthread_setspecific(insideBody, UnsafeRawPointer(bitPattern: 1))
        let control = floatingPointControl()
        for index in stride(from: worker, to: count, by: Int(threadCount)) { body(context, index, worker) }
        if floatingPointControl() != control { lent.pointee.workerControlChange.store(true, ordering: .relaxed) }
        pthread_setspecific(insideBody, nil)
    }
}

/// Set on a thread while it runs a piece of work.
private let insideBody: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
}()

/// Runs each of `others` on a thread of its own and `here` on this one, and returns when all have ended. Those for which the
/// system refuses a thread run here too, which is said once.
func runThreads(_ others: [() -> Void], here: () -> Void) {
    final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
    var threads: [pthread_t] = [], left: [() -> Void] = []
    for body in others {
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(body))
        let status = pthread_create(
            &thread, nil,
            { job in
                PluginCalls.join()
                Unmanaged<Job>.fromOpaque(job!).takeRetainedValue().body()
                return nil
            }, job.toOpaque())
        if status == 0 {
            threads.append(thread)
        } else {
            job.release()
            left.append(body)
            Diagnostics.warnOnce(
                "the system refuses threads (\(String(cString: strerror(status)))): what is verified on two runs on one",
                key: "threads of the consistency suite")
        }
    }
    here()
    for body in left { body() }
    for thread in threads { pthread_join(thread, nil) }
}

/// Rounding, masks and denormal handling of this thread; without the flags that every operation sets.
func floatingPointControl() -> UInt32 {
    var environment = fenv_t()
    fegetenv(&environment)
    #if arch(x86_64)
        return environment.__mxcsr & ~0x3F
    #else
        return UInt32(truncatingIfNeeded: environment.__fpcr)
    #endif
}
