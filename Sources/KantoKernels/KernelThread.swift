import Glibc
import KantoShims

/// The one thread on which kernels run.
///
/// OpenMP's worker threads belong to the thread that calls them, so callers that hop between threads would each grow a
/// set. A trainer or a benchmark enters this thread once (`Kernels.run`) and everything inside is inline; a stray caller
/// queues for each kernel.
///
/// Where the system refuses the thread, callers take turns at being it.
final class KernelThread: Sendable {
    static let shared = KernelThread()

    /// A caller's work, on the caller's stack: it waits there until the work is done.
    private struct Job {
        let function: Function
        let context: UnsafeMutableRawPointer
        var isDone = sem_t()
        /// The job behind it in the queue.
        var next: UnsafeMutablePointer<Job>?
    }
    private struct Queue { var first: UnsafeMutablePointer<Job>?, last: UnsafeMutablePointer<Job>? }

    private let queue = Lock(Queue())
    nonisolated(unsafe) private let isWaiting = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    /// Whose turn it is; nil if there is a thread. Set once, by `init`.
    nonisolated(unsafe) private var turn: Lock<Void>?

    init(start: ThreadStart = startThread) {
        sem_init(isWaiting, 0, 0)
        // A deep stack: whole training programs run here.
        let status = start(64 << 20) { [self] in
            kanto_set_is_kernel_thread(true)
            while true {
                while sem_wait(isWaiting) != 0 {}
                let job = queue.withLock { queue in
                    let first = queue.first!
                    queue.first = first.pointee.next
                    if queue.first == nil { queue.last = nil }
                    return first
                }
                job.pointee.function(job.pointee.context)
                sem_post(&job.pointee.isDone)
            }
        }
        guard status != 0 else { return }
        turn = Lock(())
        Diagnostics.warnOnce(
            "the system refuses a thread for kernels (\(String(cString: strerror(status)))): they run on their caller's",
            key: "kernel thread")
    }

    var isCurrent: Bool { kanto_is_kernel_thread() }

    typealias Function = @convention(c) (UnsafeMutableRawPointer) -> Void

    /// Calls a function here and returns when it has ended. Allocates nothing.
    ///
    /// - Precondition: this is another thread.
    func perform(_ function: Function, _ context: UnsafeMutableRawPointer) {
        if let turn {
            return turn.withLock { _ in
                // As on a thread that `startThread` starts.
                var environment = fenv_t()
                fegetenv(&environment)
                kanto_reset_floating_point()
                kanto_set_is_kernel_thread(true)
                function(context)
                kanto_set_is_kernel_thread(false)
                fesetenv(&environment)
            }
        }
        var job = Job(function: function, context: context)
        withUnsafeMutablePointer(to: &job) { pointer in
            sem_init(&pointer.pointee.isDone, 0, 0)
            queue.withLock { queue in
                if let last = queue.last { last.pointee.next = pointer } else { queue.first = pointer }
                queue.last = pointer
            }
            sem_post(isWaiting)
            while sem_wait(&pointer.pointee.isDone) != 0 {}
            sem_destroy(&pointer.pointee.isDone)
        }
    }

    /// Runs `body` here and returns when it has ended; inline if this is the kernel thread already.
    func run<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        if isCurrent { return try body() }
        var result: Result<R, E>?
        let store = { do throws(E) { result = .success(try body()) } catch { result = .failure(error) } }
        withoutActuallyEscaping(store) { escaping in
            var body = escaping
            withUnsafeMutablePointer(to: &body) { body in
                perform({ $0.assumingMemoryBound(to: (() -> Void).self).pointee() }, body)
            }
        }
        return try result!.get()
    }
}
