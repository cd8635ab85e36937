import Kanto
import Synchronization

/// What the library says during the tests, kept instead of printed.
enum Said {
    private static let kept = Mutex<[String]>([])
    private static let install: Void = {
        Diagnostics.setHandler { line in kept.withLock { $0.append(line) } }
    }()

    /// Collects from now on. Whoever expects lines calls this first; there is one handler for all tests.
    static func listen() { install }

    static func lines(with part: String) -> [String] {
        listen()
        return kept.withLock { $0.filter { $0.contains(part) } }
    }
}
