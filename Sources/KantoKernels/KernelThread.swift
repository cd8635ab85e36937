import Glibc
import KantoShims

/// The thread on which kernels run that are lent a backend's own workers, where the caller is not the main thread.
///
/// OpenMP's worker threads belong to the thread that calls them, so tasks that hop between threads would each grow a set.
/// With this there are two sets at most, this thread's and the main thread's. Where the system refuses the thread, such
/// kernels run on their caller's.
final class KernelThread: Sendable {
    static let shared = KernelThread()

    /// Whether the calling thread may have workers of its own.
    static var isOneThatOwnsWorkers: Bool { kanto_is_main_thread() }

    typealias Function = @convention(c) (UnsafeMutableRawPointer) -> Void
    /// A caller's work. There is one at most: the caller holds the turn.
    private struct Job {
        var function: Function?
        var context: UnsafeMutableRawPointer?
        var isWanted = sem_t()
        var isDone = sem_t()
    }
    nonisolated(unsafe) private let job = UnsafeMutablePointer<Job>.allocate(capacity: 1)
    /// Set once, by `init`.
    nonisolated(unsafe) private var isRefused = false

    init(start: ThreadStart = startThread) {
        job.initialize(to: Job())
        sem_init(&job.pointee.isWanted, 0, 0)
        sem_init(&job.pointee.isDone, 0, 0)
        let status = start(8 << 20) { [self] in
            kanto_set_holds_turn(true)
            while true {
                while sem_wait(&job.pointee.isWanted) != 0 {}
                job.pointee.function!(job.pointee.context!)
                sem_post(&job.pointee.isDone)
            }
        }
        guard status != 0 else { return }
        isRefused = true
        Diagnostics.warnOnce(
            "the system refuses a thread for kernels (\(String(cString: strerror(status)))): they run on their caller's",
            key: "kernel thread")
    }

    /// Calls a function here and returns when it has ended. Allocates nothing.
    ///
    /// - Precondition: the caller holds the turn, and is another thread.
    func perform(_ function: Function, _ context: UnsafeMutableRawPointer) {
        if isRefused { return function(context) }
        (job.pointee.function, job.pointee.context) = (function, context)
        sem_post(&job.pointee.isWanted)
        while sem_wait(&job.pointee.isDone) != 0 {}
    }
}
