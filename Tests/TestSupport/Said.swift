import KantoKernels
import Synchronization

/// What the library says during the tests, kept instead of printed. There is one handler for the tests of all modules, which
/// run in one process.
public enum Said {
    private static let kept = Mutex<[String]>([])
    private static let install: Void = {
        Diagnostics.setHandler { line in kept.withLock { $0.append(line) } }
    }()

    /// Collects from now on. Whoever expects lines calls this first.
    public static func listen() { install }

    public static func lines(with part: String) -> [String] {
        listen()
        return kept.withLock { $0.filter { $0.contains(part) } }
    }
}
