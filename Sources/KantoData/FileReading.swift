import Glibc
import KantoKernels

/// The most that is read into memory at once, 16 GiB: what is larger was not meant.
let largestFile = 1 << 34

/// The whole content of a regular file.
///
/// - Throws: `DataError` of kind `.missingInput` for what cannot be opened or read, `.badInput` for what is too large.
public func readFile(_ path: String) throws -> [UInt8] {
    // Opening a pipe without O_NONBLOCK waits for its writer; it is refused below.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
        throw DataError(.missingInput, "\(path): cannot be opened: \(systemMessage())")
    }
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
        throw DataError(.missingInput, "\(path): cannot be examined: \(systemMessage())")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
        throw DataError(.missingInput, "\(path): is \(what); expected the path of a file")
    }
    let size = Int(status.st_size)
    guard size <= largestFile else {
        throw DataError(.badInput, "\(path): holds \(size) bytes; the most that can be read is \(largestFile)")
    }

    let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        while count < size {
            let received = read(descriptor, buffer.baseAddress! + count, size - count)
            if received < 0 && errno == EINTR { continue }
            guard received >= 0 else {
                throw DataError(.missingInput, "\(path): cannot be read at byte \(count): \(systemMessage())")
            }
            if received == 0 { break }
            count += received
        }
    }
    guard bytes.count == size else {
        throw DataError(.badInput, "\(path): ended at byte \(bytes.count) of \(size); was it changed while being read?")
    }
    return bytes
}

/// The names in a folder, sorted, without those that start with a dot.
func namesInFolder(_ path: String) throws -> [String] {
    guard let names = namesInFolder(at: path) else {
        throw DataError(.missingInput, "\(path): cannot be listed: \(systemMessage())")
    }
    return names.filter { !$0.hasPrefix(".") }.sorted()
}

/// What is at a path, symbolic links followed; nil when there is nothing.
func fileMode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode : nil
}

func isFolder(_ path: String) -> Bool {
    fileMode(path).map { $0 & S_IFMT == S_IFDIR } ?? false
}

/// The system's words for the last failure.
func systemMessage(_ code: Int32 = errno) -> String {
    String(cString: strerror(code))
}

extension [UInt8] {
    /// `count` little-endian values of a plain type, from byte `offset`, which the caller has checked to be inside.
    func values<Value: BitwiseCopyable>(of type: Value.Type, at offset: Int, count: Int) -> [Value] {
        #if _endian(big)
            #error("files are little-endian and are copied as they are")
        #endif
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            withUnsafeBytes { bytes in
                let source = bytes[offset..<offset + count * MemoryLayout<Value>.stride]
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
            }
            initialized = count
        }
    }
}
