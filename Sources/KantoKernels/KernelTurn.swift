import Glibc
import KantoShims

/// The turn to run kernels, which one thread holds at a time.
///
/// Worker threads serve one job at a time, so callers take turns. A trainer or a benchmark takes the turn once
/// (`Kernels.run`) and everything inside is inline; a stray caller takes it for each kernel. What runs in a turn runs on its
/// caller's own thread: a closure may belong to the main actor or another, and must not run anywhere else.
enum KernelTurn {
    nonisolated(unsafe) private static let mutex = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        return mutex
    }()

    /// Whether the calling thread holds the turn.
    static var isHeld: Bool { kanto_holds_turn() }

    /// Calls `body` when it is the caller's turn; at once if the caller holds it already. Allocates nothing.
    ///
    /// The floating-point environment is the default one inside and the caller's again afterwards: rounding or flushed
    /// denormals that somebody set would change results.
    static func take<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        if isHeld { return try body() }
        var environment = fenv_t()
        pthread_mutex_lock(mutex)
        kanto_set_holds_turn(true)
        fegetenv(&environment)
        kanto_reset_floating_point()
        defer {
            fesetenv(&environment)
            kanto_set_holds_turn(false)
            pthread_mutex_unlock(mutex)
        }
        return try body()
    }
}
