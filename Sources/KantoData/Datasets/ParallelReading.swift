import Glibc
import KantoShims
import Synchronization

/// Runs `body` for each of `count` pieces on several threads of its own, the caller's included: not on the kernels' threads,
/// which are meant for arithmetic and would wait for files here. Pieces are handed out as threads become free.
///
/// - Throws: what the first piece that failed threw, by position, not by time.
func readInParallel(_ count: Int, threadCount: Int, _ body: (Int) throws -> Void) throws {
    guard min(count, threadCount) > 1 else {
        for piece in 0..<count { try body(piece) }
        return
    }
    try withoutActuallyEscaping(body) { body in
        let work = ReadingWork(count: count, body: body)
        let threads = (1..<min(count, threadCount)).compactMap { _ in ReadingThread(work.run) }
        work.run()
        threads.forEach { $0.join() }
        if let error = work.firstError { throw error }
    }
}

/// How many threads read when nobody says: one a processor that this process may use, up to 8.
let standardReadingThreadCount = max(1, min(8, Int(kanto_core_count())))

/// The pieces that are left, and what went wrong.
private final class ReadingWork: @unchecked Sendable {
    private let count: Int
    private let body: (Int) throws -> Void
    private let next = Atomic(0)
    private let failure = Mutex<(piece: Int, error: any Error)?>(nil)

    init(count: Int, body: @escaping (Int) throws -> Void) {
        self.count = count
        self.body = body
    }

    var firstError: (any Error)? { failure.withLock { $0?.error } }

    func run() {
        while true {
            let piece = next.add(1, ordering: .relaxed).oldValue
            guard piece < count else { return }
            do { try body(piece) } catch {
                failure.withLock { if $0.map({ piece < $0.piece }) ?? true { $0 = (piece, error) } }
            }
        }
    }
}

/// A thread of the system. Somebody must join it.
struct ReadingThread: Sendable {
    private let thread: pthread_t

    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Nil if the system refuses another thread.
    init?(_ run: @escaping () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        // Signals are for the threads that there were.
        var all = sigset_t()
        var old = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &old)
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        let status = pthread_create(
            &thread, nil,
            { pointer in
                Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            body.release()
            return nil
        }
        self.thread = thread
    }

    func join() { pthread_join(thread, nil) }
}
