import Glibc
import KantoData

/// That a run's folder belongs to one process at a time. The system takes the lock from a process that ends, however it ends.
final class RunLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `DataError` of kind `.cannotWrite` if another process has the folder.
    init(folder: String) throws(DataError) {
        let path = folder + "/.lock"
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
