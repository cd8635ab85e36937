import Glibc
import KantoShims
import Synchronization

/// The one thread on which kernels run.
///
/// OpenMP's worker threads belong to the thread that calls them, so callers that hop between threads would each grow a
/// set. A trainer or a benchmark enters this thread once (`Kernels.run`) and everything inside is inline; a stray caller
/// queues for each kernel.
final class KernelThread: Sendable {
    static let shared = KernelThread()

    /// A caller's work, on the caller's stack: it waits there until the work is done.
    private struct Job {
        let body: () -> Void
        var isDone = sem_t()
    }
    private struct Queued: @unchecked Sendable { let job: UnsafeMutablePointer<Job> }

    private let jobs = Mutex<[Queued]>([])
    nonisolated(unsafe) private let isWaiting = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    private init() {
        sem_init(isWaiting, 0, 0)
        // A deep stack: whole training programs run here.
        startThread(stackSize: 64 << 20) { [self] in
            kanto_set_is_kernel_thread(true)
            while true {
                while sem_wait(isWaiting) != 0 {}
                let job = jobs.withLock { $0.removeFirst() }.job
                Self.perform(job)
                sem_post(&job.pointee.isDone)
            }
        }
    }

    /// A function of its own, so that no reference to the caller's closure is left here when the caller goes on.
    @inline(never) private static func perform(_ job: UnsafeMutablePointer<Job>) { job.pointee.body() }

    var isCurrent: Bool { kanto_is_kernel_thread() }

    /// Runs `body` here and returns when it has ended; inline if this is the kernel thread already.
    func run<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        if isCurrent { return try body() }
        var result: Result<R, E>?
        let store = { do throws(E) { result = .success(try body()) } catch { result = .failure(error) } }
        withoutActuallyEscaping(store) { escaping in
            var job = Job(body: escaping)
            withUnsafeMutablePointer(to: &job) { pointer in
                sem_init(&pointer.pointee.isDone, 0, 0)
                let queued = Queued(job: pointer)
                jobs.withLock { $0.append(queued) }
                sem_post(isWaiting)
                while sem_wait(&pointer.pointee.isDone) != 0 {}
                sem_destroy(&pointer.pointee.isDone)
            }
        }
        return try result!.get()
    }
}
