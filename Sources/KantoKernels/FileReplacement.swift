import Glibc

/// Writes a file so that its path holds the old content or the new one, never a part: the bytes go to a temporary file in
/// the same folder, which is synced and then renamed, and the folder is synced.
///
/// A symbolic link is followed and kept, also one whose target is not there yet. An existing file's permissions are kept.
/// A temporary file that a killed process left in the folder is removed: its owner's lock went with it.
package enum FileReplacement {
    /// Why a file could not be written, to follow its path and a colon.
    package struct Failure: Error {
        package let reason: String
    }

    /// Writes what `content` writes to the descriptor. When it throws, the old content stands.
    ///
    /// - Throws: `Failure`, and what `content` throws.
    package static func write(to path: String, content: (Int32) throws -> Void) throws {
        let destination = try resolvingLinks(Array(path.utf8CString))
        var status = stat()
        let exists = stat(destination, &status) == 0
        if exists, status.st_mode & S_IFMT != S_IFREG {
            let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
            throw Failure(reason: "is \(what); choose another path")
        }
        let folder = parent(of: destination)
        removeLeftovers(in: folder)
        let (temporary, descriptor) = try openTemporary(in: folder)
        // The lock goes with it.
        defer { close(descriptor) }
        do {
            if exists { fchmod(descriptor, status.st_mode & 0o7777) }
            try content(descriptor)
            guard fsync(descriptor) == 0 else { throw failure("cannot be synced to disk") }
            guard rename(temporary, destination) == 0 else { throw failure("cannot be put in place") }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncFolder(folder)
    }

    /// Makes what was named in a folder outlast a loss of power. Some file systems cannot sync a folder and say EINVAL.
    package static func syncFolder(_ path: String) throws(Failure) { try syncFolder(Array(path.utf8CString)) }

    private static func syncFolder(_ folder: [CChar]) throws(Failure) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written but not read cannot be opened; the file is in place all the same.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw failure("its folder cannot be synced to disk")
        }
    }

    // MARK: - Temporary files

    private static let prefix = ".kanto-"
    private static let suffix = ".tmp"

    /// A short name of its own: that of the file may leave no room for more.
    private static func openTemporary(in folder: [CChar]) throws(Failure) -> (path: [CChar], descriptor: Int32) {
        while true {
            let name = prefix + String(UInt64.random(in: 0 ... .max), radix: 36) + suffix
            let path = joined(folder, Array(name.utf8CString))
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                if errno == EEXIST { continue }
                let hint = errno == ENOENT ? "; make the folder \(text(folder)) first" : ""
                throw failure("cannot be written", hint: hint)
            }
            // Whoever removes leftovers may have come between, and holds the lock or has removed the file. A file system
            // without locks has nobody who removes.
            var status = stat()
            let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
            if !isTaken, fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (path, descriptor) }
            close(descriptor)
            unlink(path)
        }
    }

    private static func removeLeftovers(in folder: [CChar]) {
        var leftovers: [[CChar]] = []
        forEachName(in: folder) { name in
            guard strncmp(name, prefix, prefix.utf8.count) == 0, strlen(name) > prefix.utf8.count + suffix.utf8.count,
                strcmp(name + strlen(name) - suffix.utf8.count, suffix) == 0
            else { return }
            leftovers.append(Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1)))
        }
        for name in leftovers {
            let path = joined(folder, name)
            // Not a link, and without waiting for the writer of a pipe.
            let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
            close(descriptor)
        }
    }

    // MARK: - Paths, as bytes that end with zero: that of a link may be no text

    private static func resolvingLinks(_ path: [CChar]) throws(Failure) -> [CChar] {
        var path = path
        // As many as the system itself follows.
        for _ in 0..<40 {
            var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let count = readlink(path, &target, target.count - 1)
            guard count >= 0 else { return path }
            target.removeSubrange((count + 1)...)
            path = target[0] == slash ? target : joined(parent(of: path), target)
        }
        throw Failure(reason: "cannot be written: \(String(cString: strerror(ELOOP)))")
    }

    private static let slash = CChar(bitPattern: UInt8(ascii: "/"))

    private static func parent(of path: [CChar]) -> [CChar] {
        var name = path.dropLast()[...]
        while name.count > 1, name.last == slash { name.removeLast() }
        guard let last = name.lastIndex(of: slash) else { return [CChar(bitPattern: UInt8(ascii: ".")), 0] }
        return last == 0 ? [slash, 0] : name[..<last] + [0]
    }

    private static func joined(_ folder: [CChar], _ name: [CChar]) -> [CChar] { folder.dropLast() + [slash] + name }

    private static func text(_ path: [CChar]) -> String { path.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } }

    private static func failure(_ what: String, hint: String = "") -> Failure {
        Failure(reason: "\(what): \(String(cString: strerror(errno)))\(hint)")
    }
}
