import Glibc
import Synchronization

/// Signals that end a run in good order: Ctrl-C, the request to end, a terminal that is closed, and a pipe that nobody reads any
/// more. The first one is noted; the same one again ends the process at once.
enum Interruption {
    private static let caught = Atomic<Int32>(0)

    /// The signal that was caught first; nil if none was.
    static var signal: Int32? {
        let number = caught.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// The exit code of a process that ends by a signal, as shells give it.
    static func exitCode(_ signal: Int32) -> Int32 { 128 + signal }

    /// A signal that was ignored when the process was started, as `nohup` does, stays ignored.
    static func catchSignals() {
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] {
            var action = sigaction()
            guard sigaction(number, nil, &action) == 0, !isIgnored(action) else { continue }
            Glibc.signal(number) { number in
                _ = Interruption.caught.compareExchange(expected: 0, desired: number, ordering: .relaxed)
                // Writing on without a reader raises it again and again.
                if number != SIGPIPE { Glibc.signal(number, SIG_DFL) }
            }
            sigaddset(&unblocked, number)
        }
        // A program that started this one may have blocked them, as Foundation's `Process` does.
        pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
