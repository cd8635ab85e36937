import Glibc
import KantoKernels

/// The most that is read into memory at once, 16 GiB: what is larger was not meant.
let largestFile = 1 << 34

/// A regular file that is open for reading. A reader looks at its size and its first bytes before it asks for all of it:
/// what is no file of its kind costs neither the time nor the memory of reading it.
struct InputFile: ~Copyable, Sendable {
    let path: String
    /// In bytes.
    let size: Int
    private let descriptor: Int32

    /// - Throws: `DataError` of kind `.missingInput` for what cannot be opened, `.badInput` for what is larger than `limit`.
    init(_ path: String, atMost limit: Int = largestFile) throws {
        // Opening a pipe without O_NONBLOCK waits for its writer; it is refused below.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw DataError(.missingInput, "\(path): cannot be opened: \(systemMessage())")
        }
        do {
            size = try Self.size(of: descriptor, path, limit)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func size(of descriptor: Int32, _ path: String, _ limit: Int) throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw DataError(.missingInput, "\(path): cannot be examined: \(systemMessage())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
            throw DataError(.missingInput, "\(path): is \(what); expected the path of a file")
        }
        let size = Int(status.st_size)
        guard size <= limit else {
            throw DataError(.badInput, "\(path): holds \(size) bytes; the most that can be read is \(limit)")
        }
        return size
    }

    /// The first bytes: `count`, or all if there are fewer.
    func prefix(_ count: Int) throws -> [UInt8] {
        let count = min(count, size)
        try requireMemory(count)
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            filled = count
        }
    }

    /// Fills a buffer with the bytes from `offset` on. Several threads may read at once.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var filled = 0
        while filled < buffer.count {
            let received = pread(descriptor, buffer.baseAddress! + filled, buffer.count - filled, off_t(offset + filled))
            if received < 0 && errno == EINTR { continue }
            guard received >= 0 else {
                throw DataError(.missingInput, "\(path): cannot be read at byte \(offset + filled): \(systemMessage())")
            }
            guard received > 0 else {
                throw DataError(
                    .badInput, "\(path): ended at byte \(offset + filled) of \(size); was it changed while being read?")
            }
            filled += received
        }
    }

    /// All bytes.
    func content() throws -> [UInt8] { try prefix(size) }
}

/// The whole content of a regular file.
///
/// - Parameter limit: in bytes; a larger file is not read.
/// - Throws: `DataError` of kind `.missingInput` for what cannot be opened or read, `.badInput` for what is too large;
///   `KernelError.memory` if the system refuses so much memory.
package func readFile(_ path: String, atMost limit: Int) throws -> [UInt8] { try InputFile(path, atMost: limit).content() }

/// The whole content of a regular file of at most 16 GiB.
package func readFile(_ path: String) throws -> [UInt8] { try readFile(path, atMost: largestFile) }

/// Asks the system for memory that an array is about to take: an array itself ends the process where it is refused.
///
/// - Throws: `KernelError.memory`.
func requireMemory(_ byteCount: Int) throws {
    // What is small comes from what the allocator has.
    guard byteCount >= 1 << 20 else { return }
    guard let probe = malloc(byteCount) else { throw KernelError.memory(byteCount: byteCount) }
    free(probe)
}

/// The names in a folder, sorted, without those that start with a dot or are no text.
package func namesInFolder(_ path: String) throws(DataError) -> [String] {
    var names: [String] = []
    let isOpen = forEachName(in: Array(path.utf8CString)) { name in
        if let name = String(validatingCString: name), !name.hasPrefix(".") { names.append(name) }
    }
    guard isOpen else { throw DataError(.missingInput, "\(path): cannot be listed: \(systemMessage())") }
    return names.sorted()
}

/// A path that means the same in every working directory.
///
/// - Throws: `DataError` of kind `.missingInput` if there is nothing.
package func absolutePath(_ path: String) throws(DataError) -> String {
    guard let text = realpath(path, nil) else {
        throw DataError(.missingInput, "\(path): cannot be opened: \(systemMessage())")
    }
    defer { free(text) }
    return String(cString: text)
}

/// What is at a path, symbolic links followed; nil when there is nothing.
func fileMode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode : nil
}

func isFolder(_ path: String) -> Bool {
    fileMode(path).map { $0 & S_IFMT == S_IFDIR } ?? false
}

package func isRegularFile(_ path: String) -> Bool {
    fileMode(path).map { $0 & S_IFMT == S_IFREG } ?? false
}

/// The system's words for the last failure.
func systemMessage(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
}

extension [UInt8] {
    /// `count` little-endian values of a plain type, from byte `offset`, which the caller has checked to be inside.
    ///
    /// - Throws: `KernelError.memory` if the system refuses so much.
    func values<Value: BitwiseCopyable>(of type: Value.Type, at offset: Int, count: Int) throws -> [Value] {
        #if _endian(big)
            #error("files are little-endian and are copied as they are")
        #endif
        try requireMemory(count * MemoryLayout<Value>.stride)
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            withUnsafeBytes { bytes in
                let source = bytes[offset..<offset + count * MemoryLayout<Value>.stride]
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
            }
            initialized = count
        }
    }
}

extension mode_t {
    var isFolder: Bool { self & S_IFMT == S_IFDIR }
}
