/// The files in a zip archive, as far as NumPy writes such: stored or deflated, of any size.
///
/// Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
struct ZipArchive {
    struct Entry {
        let name: String
        fileprivate let isDeflated: Bool
        fileprivate let checksum: UInt32
        fileprivate let compressedSize: Int
        let size: Int
        /// Of the entry's own header, in bytes.
        fileprivate let offset: Int
    }

    static let magic: [UInt8] = [0x50, 0x4B, 3, 4]

    let entries: [Entry]
    private let source: ByteSource

    /// Reads the list at the archive's end.
    ///
    /// - Throws: `DataError` if there is none or it is damaged.
    init(_ source: ByteSource) throws {
        self.source = source
        // The end is a record of 22 bytes and a comment of at most 65,535.
        let tailStart = max(0, source.size - 22 - 65_535)
        let tail = Reader(try source.bytes(tailStart..<source.size), name: source.name, start: tailStart)
        guard
            let end = (0...max(0, tail.bytes.count - 22)).reversed().first(where: {
                tail.bytes[$0...].starts(with: [0x50, 0x4B, 5, 6])
            })
        else {
            throw DataError.bad(source.name, at: source.size, "the file ends; expected the list of an archive's files")
        }
        var count = try tail.number(end + 10, 2)
        var size = try tail.number(end + 12, 4)
        var offset = try tail.number(end + 16, 4)
        if count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
            guard end >= 20, tail.bytes[(end - 20)...].starts(with: [0x50, 0x4B, 6, 7]) else {
                throw DataError.bad(source.name, at: tailStart + end, "the archive's list lies nowhere")
            }
            let place = try tail.number(end - 12, 8)
            let record = try Reader(source, place, 56)
            (count, size, offset) = (try record.number(32, 8), try record.number(40, 8), try record.number(48, 8))
        }
        // Each entry of the list takes 46 bytes and more.
        guard count <= size / 46, size <= 1 << 28 else {
            throw DataError.bad(source.name, at: tailStart + end, "the archive's list would have \(count) files in \(size) bytes")
        }
        let list = try Reader(source, offset, size)
        var place = 0
        entries = try (0..<count).map { _ in
            let (entry, length) = try Self.entry(list, place)
            place += length
            return entry
        }
    }

    /// An entry of the list, and how long it is in bytes.
    private static func entry(_ list: Reader, _ start: Int) throws -> (Entry, Int) {
        guard try list.number(start, 4) == 0x0201_4B50 else { throw list.bad(start, "expected an entry of the archive's list") }
        let flags = try list.number(start + 8, 2)
        let method = try list.number(start + 10, 2)
        let nameSize = try list.number(start + 28, 2)
        let extraSize = try list.number(start + 30, 2)
        let name = String(decoding: try list.slice(start + 46, nameSize), as: UTF8.self)
        guard flags & 1 == 0 else { throw list.bad(start, "'\(name)' is encrypted") }
        guard method == 0 || method == 8 else {
            throw list.bad(start, "'\(name)' is compressed by method \(method); expected 0 or 8 (deflate)")
        }
        var numbers = [try list.number(start + 24, 4), try list.number(start + 20, 4), try list.number(start + 42, 4)]
        // What does not fit into 32 bits stands in an extra field, in this order.
        var place = start + 46 + nameSize
        let end = place + extraSize
        while place + 4 <= end {
            let (kind, length) = (try list.number(place, 2), try list.number(place + 2, 2))
            place += 4
            if kind == 1 {
                var field = place
                for index in numbers.indices where numbers[index] == 0xFFFF_FFFF {
                    guard field + 8 <= min(place + length, end) else { throw list.bad(field, "the size of '\(name)' is missing") }
                    numbers[index] = try list.number(field, 8)
                    field += 8
                }
            }
            place += length
        }
        let checksum = UInt32(truncatingIfNeeded: try list.number(start + 16, 4))
        let length = 46 + nameSize + extraSize + (try list.number(start + 32, 2))
        return (
            Entry(
                name: name, isDeflated: method == 8, checksum: checksum, compressedSize: numbers[1], size: numbers[0],
                offset: numbers[2]), length
        )
    }

    /// The bytes of a file in the archive: stored ones where they are, others in memory.
    ///
    /// - Throws: `DataError` if they are damaged, or take more memory than `limit` bytes.
    func content(of entry: Entry, atMost limit: Int) throws -> ByteSource {
        let header = try Reader(source, entry.offset, 30)
        guard try header.number(0, 4) == 0x0403_4B50 else { throw header.bad(0, "expected the header of '\(entry.name)'") }
        let start = entry.offset + 30 + (try header.number(26, 2)) + (try header.number(28, 2))
        guard start <= source.size, entry.compressedSize <= source.size - start,
            entry.isDeflated || entry.size == entry.compressedSize
        else {
            throw DataError.bad(
                source.name, at: entry.offset, "'\(entry.name)' would end after the file, which holds \(source.size) bytes")
        }
        let name = "\(source.name): \(entry.name)"
        let stored = source.part(start..<start + entry.compressedSize, name: name)
        guard entry.isDeflated else { return stored }
        let content = try Deflate.content(of: stored, .none, atMost: limit)
        let isWhole =
            try content.size == entry.size && content.withBytes(0..<content.size) { Deflate.crc32($0) == entry.checksum }
        guard isWhole else { throw DataError.bad(source.name, at: start, "'\(entry.name)' is damaged: its checksum differs") }
        return content
    }

    /// Little-endian numbers at places that are checked.
    private struct Reader {
        let bytes: [UInt8]
        let name: String
        /// Of the first byte in the file.
        let start: Int

        init(_ bytes: [UInt8], name: String, start: Int) { (self.bytes, self.name, self.start) = (bytes, name, start) }

        init(_ source: ByteSource, _ offset: Int, _ count: Int) throws {
            guard offset <= source.size, count <= source.size - offset else {
                throw DataError.bad(
                    source.name, at: source.size, "the file ends; expected a part of an archive at byte \(offset)")
            }
            self.init(try source.bytes(offset..<offset + count), name: source.name, start: offset)
        }

        func bad(_ place: Int, _ reason: String) -> DataError { .bad(name, at: start + place, reason) }

        func slice(_ place: Int, _ count: Int) throws -> ArraySlice<UInt8> {
            guard place >= 0, place + count <= bytes.count else {
                throw bad(bytes.count, "the archive's list ends; expected \(count) more bytes")
            }
            return bytes[place..<place + count]
        }

        func number(_ place: Int, _ size: Int) throws -> Int {
            let value = try slice(place, size).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            guard let number = Int(exactly: value) else { throw bad(place, "the size \(value) is more than any file holds") }
            return number
        }
    }
}
