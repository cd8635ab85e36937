/// What a dynamic library of this machine's kind (ELF, 64 bits, little endian) exports, read from its file as data, so that
/// none of its code runs. Every number in the file may be wrong; each is checked before it is used.
///
/// The names are found as the dynamic linker finds them, by the hash table that the dynamic segment names: section headers may
/// be stripped. Source: System V ABI, chapters 4 and 5; the GNU hash table is that of binutils.
struct SharedObject {
    /// Why a file is no library that could be opened, for people.
    struct Fault: Error, Equatable {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// Reads so many bytes at an offset of the file; fewer where it ends, or cannot be read.
    typealias Read = (_ offset: Int, _ count: Int) -> [UInt8]

    /// A piece of the file that is mapped at an address.
    private struct Segment {
        let offset: Int, address: Int
        let fileByteCount: Int, byteCount: Int
    }

    /// Where the parts of the dynamic segment are mapped, by their tag.
    private enum Tag: Int {
        case hash = 4, strings = 5, symbols = 6, symbolByteCount = 11, gnuHash = 0x6FFF_FEF5
    }

    private let read: Read
    private let segments: [Segment]
    private let tags: [Tag: Int]

    /// - Parameters:
    ///   - byteCount: of the file.
    /// - Throws: `Fault` for a file that is cut short, or of another kind or processor.
    init(byteCount: Int, read: @escaping Read) throws(Fault) {
        let header = read(0, 64)
        guard header.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw Fault("it is no ELF file") }
        guard header.count == 64 else { throw Fault("it is cut short, within its header") }
        guard header[4] == 2, header[5] == 1 else { throw Fault("it is not of 64 bits, little endian") }
        guard Self.integer(header, at: 16, as: UInt16.self) == 3 else { throw Fault("it is an ELF file, but no shared library") }
        let machine = Self.integer(header, at: 18, as: UInt16.self)
        guard machine == Self.machine else { throw Fault("it is for another processor (ELF machine \(machine))") }

        let offset = Self.integer(header, at: 32, as: UInt64.self), count = Self.integer(header, at: 56, as: UInt16.self)
        guard Self.integer(header, at: 54, as: UInt16.self) == Self.programHeaderByteCount, offset <= byteCount else {
            throw Fault("its program headers are not where an ELF file has them")
        }
        let headers = read(offset, count * Self.programHeaderByteCount)
        guard headers.count == count * Self.programHeaderByteCount else {
            throw Fault("it is cut short, within its program headers")
        }
        var segments: [Segment] = []
        var dynamic: Segment?
        for start in stride(from: 0, to: headers.count, by: Self.programHeaderByteCount) {
            let type = Self.integer(headers, at: start, as: UInt32.self)
            let numbers = [8, 16, 32, 40].map { Self.integer(headers, at: start + $0, as: UInt64.self) }
            guard [1, 2].contains(type) else { continue }
            // Sums of two such numbers do not overflow.
            guard numbers.allSatisfy({ $0 < 1 << 48 }), numbers[2] <= numbers[3] else {
                throw Fault("a segment's sizes make no sense")
            }
            guard numbers[0] + numbers[2] <= byteCount else {
                throw Fault("it is cut short: a segment ends at byte \(numbers[0] + numbers[2]) of \(byteCount)")
            }
            let segment = Segment(offset: numbers[0], address: numbers[1], fileByteCount: numbers[2], byteCount: numbers[3])
            if type == 1 { segments.append(segment) } else { dynamic = segment }
        }
        guard let dynamic else { throw Fault("it has no dynamic segment") }

        let entries = read(dynamic.offset, min(dynamic.fileByteCount, Self.longestDynamicSegment))
        var tags: [Tag: Int] = [:]
        for start in stride(from: 0, to: entries.count - 15, by: 16) {
            let number = Self.integer(entries, at: start, as: UInt64.self)
            if number == 0 { break }
            guard let tag = Tag(rawValue: number) else { continue }
            let value = Self.integer(entries, at: start + 8, as: UInt64.self)
            guard value < 1 << 48 else { throw Fault("its tables of symbols point outside of it") }
            tags[tag] = value
        }
        self.read = read
        self.segments = segments
        self.tags = tags
        guard tags[.symbolByteCount] == Self.symbolByteCount, tags[.symbols] != nil, tags[.strings] != nil else {
            throw Fault("its dynamic segment names no symbols")
        }
    }

    /// Whether it exports a name.
    func exports(_ name: String) throws(Fault) -> Bool { try address(of: name) != nil }

    /// The first bytes of what is exported under a name, as the file holds them before anything is relocated; `nil` if it
    /// exports no such name. Fewer than `count` where its segment ends.
    func data(of name: String, count: Int) throws(Fault) -> [UInt8]? {
        guard let address = try address(of: name) else { return nil }
        guard let segment = segments.first(where: { $0.address <= address && address < $0.address + $0.byteCount }) else {
            throw Fault("\(name) lies outside of the library")
        }
        let start = address - segment.address
        let bytes = start < segment.fileByteCount ? read(segment.offset + start, min(count, segment.fileByteCount - start)) : []
        // What the file does not hold of a segment is zero.
        return bytes + Array(repeating: 0, count: min(count, segment.byteCount - start) - bytes.count)
    }

    // MARK: - Symbols

    private static let programHeaderByteCount = 56, symbolByteCount = 24
    private static let longestDynamicSegment = 1 << 20
    /// No table is walked further: a chain of a mangled file may have no end.
    private static let longestChain = 1 << 16

    #if arch(x86_64)
        private static let machine = 62
    #elseif arch(arm64)
        private static let machine = 183
    #endif

    private func address(of name: String) throws(Fault) -> Int? {
        if let table = tags[.gnuHash] { return try address(of: name, inGNUTable: table) }
        if let table = tags[.hash] { return try address(of: name, inTable: table) }
        return nil
    }

    private func address(of name: String, inGNUTable table: Int) throws(Fault) -> Int? {
        var hash: UInt32 = 5381
        for byte in name.utf8 { hash = hash &* 33 &+ UInt32(byte) }
        let bucketCount = try word(at: table), first = try word(at: table + 4), filterCount = try word(at: table + 8)
        guard bucketCount > 0 else { return nil }
        let buckets = table + 16 + 8 * filterCount, chains = buckets + 4 * bucketCount
        var symbol = try word(at: buckets + 4 * (Int(hash) % bucketCount))
        guard symbol >= first else { return nil }
        for _ in 0..<Self.longestChain {
            let entry = try word(at: chains + 4 * (symbol - first))
            if entry | 1 == Int(hash) | 1, let address = try address(of: name, ifSymbol: symbol) { return address }
            if entry & 1 == 1 { return nil }
            symbol += 1
        }
        throw Fault("its hash table has no end")
    }

    private func address(of name: String, inTable table: Int) throws(Fault) -> Int? {
        var hash: UInt32 = 0
        for byte in name.utf8 {
            hash = hash << 4 &+ UInt32(byte)
            let high = hash & 0xF000_0000
            hash = (hash ^ high >> 24) & ~high
        }
        let bucketCount = try word(at: table)
        guard bucketCount > 0 else { return nil }
        var symbol = try word(at: table + 8 + 4 * (Int(hash) % bucketCount))
        for _ in 0..<Self.longestChain {
            if symbol == 0 { return nil }
            if let address = try address(of: name, ifSymbol: symbol) { return address }
            symbol = try word(at: table + 8 + 4 * (bucketCount + symbol))
        }
        throw Fault("its hash table has no end")
    }

    /// The address of a symbol, if it has that name and is defined here for others.
    private func address(of name: String, ifSymbol index: Int) throws(Fault) -> Int? {
        let symbol = try bytes(at: tags[.symbols]! + index * Self.symbolByteCount, count: Self.symbolByteCount)
        let nameStart = tags[.strings]! + Self.integer(symbol, at: 0, as: UInt32.self)
        let binding = symbol[4] >> 4, section = Self.integer(symbol, at: 6, as: UInt16.self)
        guard binding != 0, section != 0, try bytes(at: nameStart, count: name.utf8.count + 1) == Array(name.utf8) + [0] else {
            return nil
        }
        let address = Self.integer(symbol, at: 8, as: UInt64.self)
        guard address < 1 << 48 else { throw Fault("\(name) lies outside of the library") }
        return address
    }

    // MARK: - Bytes

    private func word(at address: Int) throws(Fault) -> Int {
        Self.integer(try bytes(at: address, count: 4), at: 0, as: UInt32.self)
    }

    /// Bytes that the file maps at an address.
    private func bytes(at address: Int, count: Int) throws(Fault) -> [UInt8] {
        let holder = segments.first { $0.address <= address && address - $0.address <= $0.fileByteCount - count }
        guard let segment = holder else { throw Fault("its tables of symbols point outside of it") }
        let bytes = read(segment.offset + (address - segment.address), count)
        guard bytes.count == count else { throw Fault("it cannot be read") }
        return bytes
    }

    /// A number of the file; what does not fit is as large as can be.
    private static func integer<T: FixedWidthInteger & UnsignedInteger>(_ bytes: [UInt8], at offset: Int, as type: T.Type) -> Int
    {
        var value: T = 0
        for index in 0..<MemoryLayout<T>.size { value |= T(bytes[offset + index]) << (8 * index) }
        return Int(clamping: value)
    }
}
