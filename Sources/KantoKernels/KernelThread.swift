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

    private final class Job: @unchecked Sendable {
        let body: () -> Void
        let isDone = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        init(_ body: @escaping () -> Void) {
            self.body = body
            sem_init(isDone, 0, 0)
        }
        deinit {
            sem_destroy(isDone)
            isDone.deallocate()
        }
    }

    private let jobs = Mutex<[Job]>([])
    nonisolated(unsafe) private let isWaiting = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    private init() {
        sem_init(isWaiting, 0, 0)
        // A deep stack: whole training programs run here.
        startThread(stackSize: 64 << 20) { [self] in
            kanto_set_is_kernel_thread(true)
            while true {
                while sem_wait(isWaiting) != 0 {}
                let job = jobs.withLock { $0.removeFirst() }
                job.body()
                sem_post(job.isDone)
            }
        }
    }

    var isCurrent: Bool { kanto_is_kernel_thread() }

    /// Runs `body` here and returns when it has ended; inline if this is the kernel thread already.
    func run<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        if isCurrent { return try body() }
        var result: Result<R, E>?
        let store = { do throws(E) { result = .success(try body()) } catch { result = .failure(error) } }
        withoutActuallyEscaping(store) { escaping in
            let job = Job(escaping)
            jobs.withLock { $0.append(job) }
            sem_post(isWaiting)
            while sem_wait(job.isDone) != 0 {}
        }
        return try result!.get()
    }
}
