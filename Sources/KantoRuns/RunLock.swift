import Glibc
import KantoData

/// That a run's folder belongs to one process at a time. The system takes the lock from a process that ends, however it ends.
final class RunLock: Sendable {
    private let descriptor: Int32

    private static func path(_ folder: String) -> String { folder + "/.lock" }

    /// Whether a process has the folder. Asking takes it for no longer than the answer needs.
    static func isHeld(folder: String) -> Bool {
        let descriptor = open(path(folder), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// - Throws: `DataError` of kind `.cannotWrite` if another process has the folder.
    init(folder: String) throws(DataError) {
        let path = Self.path(folder)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else {
            throw DataError(.cannotWrite, "\(path): cannot be opened for writing: \(String(cString: strerror(errno)))")
        }
        // Some network file systems have no locks and say so.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            close(descriptor)
            throw DataError(.cannotWrite, "\(folder): another process trains in this folder; wait until it has ended, or end it")
        }
    }

    deinit { close(descriptor) }
}
