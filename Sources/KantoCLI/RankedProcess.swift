@preconcurrency import Glibc
import KantoCommunication
import KantoKernels
import Synchronization

/// A command as one of several ranks: the first one speaks, and what ends one ends all.
enum RankedProcess {
    private static let joined = Mutex<Communicator?>(nil)
    /// Seconds after which a rank that has not answered is taken for dead; rank 0 writes checkpoints and pictures meanwhile.
    private static let patience = 600.0
    /// The same after a signal: the launcher ends all ranks in a moment.
    private static let patienceAfterSignal = 0.3

    /// Opens the communicator, if there is one, and has this process print nothing unless it is the first rank.
    ///
    /// - Throws: `KernelError`.
    static func join() throws -> Communicator? {
        guard let communicator = try Communicator.ofProcess() else { return nil }
        joined.withLock { $0 = communicator }
        guard communicator.rankCount > 1 else { return nil }
        Communicator.giveUp { seconds in seconds > (Interruption.signal == nil ? patience : patienceAfterSignal) }
        if !communicator.isFirst {
            freopen("/dev/null", "w", stdout)
            Diagnostics.setHandler { _ in }
        }
        return communicator
    }

    /// The end of a command that has done its work.
    ///
    /// - Throws: `RankError`.
    static func close() throws {
        try joined.withLock { joined in
            defer { joined = nil }
            return joined
        }?.close()
    }

    /// To be called before an error is printed: what all ranks would say the first one says, and the others are ended by then.
    ///
    /// - Returns: what the line begins with.
    static func letFirstSpeak() -> String {
        guard let configuration = try? Registry.shared().configuration, configuration.communicator != nil else { return "" }
        let communicator = joined.withLock { $0 }
        guard let rank = communicator?.rank ?? configuration.launch?.rank, rank > 0 else { return "" }
        // A launcher takes its time to end ranks that do not know of each other.
        usleep(communicator == nil ? 2_000_000 : UInt32(250_000 * min(rank, 3)))
        return "rank \(rank): "
    }

    /// Ends all ranks, if there are several, because this one has failed. After a signal the launcher is at it.
    static func endOthers(exitCode: Int32) {
        guard let communicator = joined.withLock({ $0 }), communicator.rankCount > 1, Interruption.signal == nil else { return }
        communicator.abort(exitCode: exitCode)
    }
}
