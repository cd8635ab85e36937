import Glibc

/// Writes a file so that its path holds the old content or the new one, never a part: the bytes go to a temporary file
/// in the same folder, which is synced and then renamed.
///
/// A symbolic link is followed and kept. An existing file's permissions are kept.
public enum AtomicFile {
    /// - Throws: `DataError` of kind `.cannotWrite`; the old content then stands.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        try write(to: path) { file in try bytes.withUnsafeBytes { try file.append($0) } }
    }

    /// Writes what `content` appends, piece by piece. When it throws, the old content stands.
    static func write(to path: String, content: (OutputFile) throws -> Void) throws {
        let destination = resolvingLinks(path)
        let mode = fileMode(destination)
        if let mode, mode & S_IFMT != S_IFREG {
            let what = mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
            throw DataError(.cannotWrite, "\(path): is \(what); choose another path")
        }

        let folder = parentFolder(of: destination)
        // A short name of its own: that of the file may leave no room for a suffix.
        let suffix = String(UInt64.random(in: 0 ... .max), radix: 36)
        let temporary = "\(folder)/.kanto-\(suffix).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let hint = errno == ENOENT ? "; make the folder \(folder) first" : ""
            throw DataError(.cannotWrite, "\(path): cannot be written: \(systemMessage())\(hint)")
        }
        do {
            defer { close(descriptor) }
            if let mode { fchmod(descriptor, mode & 0o7777) }
            try content(OutputFile(descriptor: descriptor, path: path))
            guard fsync(descriptor) == 0 else {
                throw DataError(.cannotWrite, "\(path): cannot be synced to disk: \(systemMessage())")
            }
            guard rename(temporary, destination) == 0 else {
                throw DataError(.cannotWrite, "\(path): cannot be put in place: \(systemMessage())")
            }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncFolder(folder, for: path)
    }

    /// Without this the new name may be lost with the power. Some file systems cannot sync a folder and say EINVAL.
    private static func syncFolder(_ folder: String, for path: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written but not read cannot be opened; the file is in place all the same.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw DataError(.cannotWrite, "\(path): its folder cannot be synced to disk: \(systemMessage())")
        }
    }

    private static func resolvingLinks(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// A file that is open for writing.
struct OutputFile {
    let descriptor: Int32
    /// As the user named it, for messages.
    let path: String

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                let hint = errno == ENOSPC || errno == EDQUOT ? "; free some space and try again" : ""
                throw DataError(.cannotWrite, "\(path): cannot be written: \(systemMessage())\(hint)")
            }
            written += count
        }
    }
}

/// Makes a folder and those above it; does nothing where it exists.
public func createDirectories(_ path: String) throws {
    if isFolder(path) { return }
    let parent = parentFolder(of: path)
    if parent != path { try createDirectories(parent) }
    // Another process may have made it in the meantime.
    if mkdir(path, 0o777) == 0 { return }
    let code = errno
    guard isFolder(path) else {
        let reason = code == EEXIST ? "a file of that name is in the way" : systemMessage(code)
        throw DataError(.cannotWrite, "\(path): the folder cannot be made: \(reason)")
    }
}

/// Makes a folder that is not there or is empty one's own, by making another in it: of several processes that claim it, one
/// succeeds.
///
/// - Throws: `DataError` of kind `.cannotWrite`, also if the folder holds anything.
public func claimDirectory(_ path: String, by mark: String) throws {
    try createDirectories(path)
    if let first = try? namesInFolder(path).first {
        throw DataError(.cannotWrite, "\(path): holds '\(first)' already; expected a new or empty folder")
    }
    guard mkdir("\(path)/\(mark)", 0o777) == 0 else {
        throw DataError(.cannotWrite, "\(path)/\(mark): the folder cannot be made: \(systemMessage())")
    }
}

/// `a/b` of `a/b/c`, `.` of `c`, `/` of `/c`.
func parentFolder(of path: String) -> String {
    var parts = path[...]
    while parts.count > 1 && parts.hasSuffix("/") { parts.removeLast() }
    guard let slash = parts.lastIndex(of: "/") else { return "." }
    let parent = parts[..<slash]
    return parent.isEmpty ? "/" : String(parent)
}
