/// The bytes that a reader of a format sees: those of a file, of a part of one, or of what a file holds compressed. In memory,
/// or read when they are asked for.
struct ByteSource: Sendable {
    /// What messages call it.
    let name: String
    /// In bytes.
    let size: Int
    private let storage: Storage
    /// Where these bytes start in the storage.
    private let start: Int

    private enum Storage: Sendable {
        case memory([UInt8])
        case file(SharedFile)
    }

    private final class SharedFile: Sendable {
        let file: InputFile

        init(_ path: String) throws { file = try InputFile(path, atMost: .max) }
    }

    /// A file, of which nothing is read yet.
    init(fileAt path: String) throws {
        let shared = try SharedFile(path)
        (name, size, storage, start) = (path, shared.file.size, .file(shared), 0)
    }

    init(_ bytes: [UInt8], name: String) {
        (self.name, size, storage, start) = (name, bytes.count, .memory(bytes), 0)
    }

    private init(_ name: String, _ size: Int, _ storage: Storage, _ start: Int) {
        (self.name, self.size, self.storage, self.start) = (name, size, storage, start)
    }

    var isInMemory: Bool { if case .memory = storage { true } else { false } }

    /// A part of these bytes.
    ///
    /// - Precondition: the range lies inside.
    func part(_ range: Range<Int>, name: String) -> ByteSource {
        precondition(0 <= range.lowerBound && range.upperBound <= size)
        return ByteSource(name, range.count, storage, start + range.lowerBound)
    }

    /// The same bytes in memory, if they take at most `limit`; otherwise as they are.
    func loaded(atMost limit: Int) throws -> ByteSource {
        isInMemory || size > limit ? self : ByteSource(try bytes(0..<size), name: name)
    }

    /// Fills a buffer with the bytes from `offset` on.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        precondition(0 <= offset && offset + buffer.count <= size)
        switch storage {
        case .memory(let bytes):
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start + offset..<start + offset + buffer.count]))
            }
        case .file(let shared): try shared.file.read(into: buffer, at: start + offset)
        }
    }

    /// A copy of some bytes.
    ///
    /// - Throws: `DataError` if the file cannot be read; `KernelError.memory`.
    func bytes(_ range: Range<Int>) throws -> [UInt8] {
        try requireMemory(range.count)
        return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
            try read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]),
                at: range.lowerBound)
            filled = range.count
        }
    }

    /// The first bytes: `count`, or all if there are fewer.
    func prefix(_ count: Int) throws -> [UInt8] { try bytes(0..<min(count, size)) }

    /// Lends some bytes: those in memory as they are, those of a file in a buffer that lives as long as `body` runs.
    func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        precondition(0 <= range.lowerBound && range.upperBound <= size)
        switch storage {
        case .memory(let bytes):
            return try bytes.withUnsafeBytes {
                try body(UnsafeRawBufferPointer(rebasing: $0[start + range.lowerBound..<start + range.upperBound]))
            }
        case .file(let shared):
            return try withUnsafeTemporaryAllocation(byteCount: range.count, alignment: 16) { buffer in
                try shared.file.read(into: buffer, at: start + range.lowerBound)
                return try body(UnsafeRawBufferPointer(buffer))
            }
        }
    }
}
