import Glibc
import KantoKernels

/// Writes a file so that its path holds the old content or the new one, never a part: the bytes go to a temporary file
/// in the same folder, which is synced and then renamed.
///
/// A symbolic link is followed and kept, also one whose target is not there yet. An existing file's permissions are kept.
package enum AtomicFile {
    /// - Throws: `DataError` of kind `.cannotWrite`; the old content then stands.
    package static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
        try write(to: path) { (file) throws(DataError) in try file.append(bytes) }
    }

    /// Writes what `content` appends, piece by piece. When it throws, the old content stands.
    static func write(to path: String, content: (OutputFile) throws(DataError) -> Void) throws(DataError) {
        try reportingFailure(path) {
            try FileReplacement.write(to: path) { try content(OutputFile(descriptor: $0, path: path)) }
        }
    }
}

private func reportingFailure(_ path: String, _ body: () throws -> Void) throws(DataError) {
    do { try body() } catch let error as DataError { throw error } catch {
        throw DataError(.cannotWrite, "\(path): \((error as? FileReplacement.Failure)?.reason ?? "\(error)")")
    }
}

/// A file that is open for writing.
struct OutputFile {
    let descriptor: Int32
    /// As the user named it, for messages.
    let path: String

    /// The values as they stand in memory: little-endian, see `[UInt8].values(of:at:count:)`.
    func append(_ values: [some BitwiseCopyable]) throws(DataError) {
        try values.withUnsafeBufferPointer { (buffer) throws(DataError) in try append(UnsafeRawBufferPointer(buffer)) }
    }

    func append(_ values: NumericArray.Values) throws(DataError) {
        switch values {
        case .float32(let values): try append(values)
        case .float64(let values): try append(values)
        case .uint8(let values): try append(values)
        }
    }

    private func append(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
        guard writeAll(bytes, to: descriptor) else {
            let hint = errno == ENOSPC || errno == EDQUOT ? "; free some space and try again" : ""
            throw DataError(.cannotWrite, "\(path): cannot be written: \(systemMessage())\(hint)")
        }
    }

    /// Makes what was written outlast a loss of power.
    func sync() throws(DataError) {
        // A pipe, a terminal and some file systems cannot.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS else {
            throw DataError(.cannotWrite, "\(path): cannot be synced to disk: \(systemMessage())")
        }
    }
}

/// Cuts a file to its first bytes.
///
/// - Throws: `DataError` of kind `.cannotWrite`.
package func cutFile(_ path: String, to byteCount: Int) throws(DataError) {
    guard truncate(path, off_t(byteCount)) == 0 else {
        throw DataError(.cannotWrite, "\(path): cannot be cut to \(byteCount) bytes: \(systemMessage())")
    }
}

/// Removes a file; does nothing where there is none or it cannot be removed.
package func removeFile(_ path: String) { unlink(path) }

/// Makes a folder and those above it, each to outlast a loss of power; does nothing where it exists.
package func createDirectories(_ path: String) throws(DataError) {
    if isFolder(path) { return }
    let parent = parentFolder(of: path)
    if parent != path { try createDirectories(parent) }
    // Another process may have made it in the meantime.
    if mkdir(path, 0o777) == 0 { return try syncParent(of: path) }
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
package func claimDirectory(_ path: String, by mark: String) throws(DataError) {
    try createDirectories(path)
    if let first = try? namesInFolder(path).first {
        throw DataError(.cannotWrite, "\(path): holds '\(first)' already; expected a new or empty folder")
    }
    guard mkdir("\(path)/\(mark)", 0o777) == 0 else {
        throw DataError(.cannotWrite, "\(path)/\(mark): the folder cannot be made: \(systemMessage())")
    }
    try syncParent(of: "\(path)/\(mark)")
}

/// Makes a name that was just made outlast a loss of power.
package func syncParent(of path: String) throws(DataError) {
    try reportingFailure(path) { try FileReplacement.syncFolder(parentFolder(of: path)) }
}

/// `a/b` of `a/b/c`, `.` of `c`, `/` of `/c`.
package func parentFolder(of path: String) -> String {
    var parts = path[...]
    while parts.count > 1 && parts.hasSuffix("/") { parts.removeLast() }
    guard let slash = parts.lastIndex(of: "/") else { return "." }
    let parent = parts[..<slash]
    return parent.isEmpty ? "/" : String(parent)
}
