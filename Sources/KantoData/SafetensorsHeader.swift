/// The checked header of a safetensors file.
///
/// It is read in one pass. A file states at most as many arrays as its header has room for, so that time and memory are
/// bounded by the header's length, which is 100 MB at most, but for sorting the arrays by their place and their name.
struct SafetensorsHeader {
    static let metadataKey = "__metadata__"
    /// The format's own limit, 100 MB.
    static let largestHeader = 100_000_000
    /// What `dataStart` looks at, in bytes.
    static let fixedPart = 9

    let metadata: [String: String]
    /// Of the arrays, sorted.
    let names: [String]
    /// One a name.
    let entries: [SafetensorsFile.Entry]

    /// What the header says of an array, and where.
    private struct Member {
        let name: String
        let entry: SafetensorsFile.Entry
        let place: Int
    }

    /// Where the header ends and the arrays start.
    ///
    /// - Parameter bytes: the file's first bytes, `fixedPart` or more or all.
    static func dataStart(_ bytes: [UInt8], fileSize: Int, name: String) throws -> Int {
        guard bytes.count >= 8 else {
            throw DataError.bad(
                name, at: bytes.count, "the file ends; expected the 8 bytes that start a safetensors file")
        }
        let length = bytes[..<8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        guard length <= Self.largestHeader else {
            throw DataError.bad(
                name, at: 0,
                "expected a header length up to \(Self.largestHeader); found \(length): is it a safetensors file?")
        }
        let start = 8 + Int(length)
        guard start <= fileSize else {
            throw DataError.bad(
                name, at: fileSize, "the file ends; expected a header of \(length) bytes, up to byte \(start)")
        }
        guard length > 0, bytes[8] == UInt8(ascii: "{") else {
            let found = length > 0 ? "found byte \(bytes[8])" : "found an empty header"
            throw DataError.bad(name, at: 8, "expected a JSON object, which starts with {; \(found)")
        }
        return start
    }

    /// - Parameters:
    ///   - bytes: the file's first bytes, up to `start` or more.
    ///   - start: what `dataStart` says.
    init(_ bytes: [UInt8], dataStart start: Int, fileSize: Int, name: String) throws {
        guard String(validating: bytes[8..<start], as: UTF8.self) != nil else {
            throw DataError.bad(name, at: 8, "the header is not valid UTF-8 text")
        }
        var parser = JSONParser(bytes, in: 8..<start)
        var metadata: [String: String]?
        var members: [Member] = []
        do {
            try parser.object(checksKeys: false) { parser, key in
                let place = parser.position
                if key == Self.metadataKey {
                    guard metadata == nil else { throw JSONParser.repetition(of: key, at: place) }
                    metadata = try Self.texts(&parser)
                } else {
                    let entry = try Self.entry(key, &parser, start: start, fileSize: fileSize, name: name)
                    members.append(Member(name: key, entry: entry, place: place))
                }
            }
            try parser.finish()
            // Sorting finds a name that stands twice in a fraction of the time that a set of a million takes.
            members.sort { $0.name < $1.name }
            for (member, next) in zip(members, members.dropFirst()) where member.name == next.name {
                throw JSONParser.repetition(of: member.name, at: max(member.place, next.place))
            }
        } catch let fault as JSONFault {
            throw DataError.bad(name, at: fault.position, "the header is not as expected: \(fault.reason)")
        }
        try Self.checkCoverage(members, start: start, end: fileSize, name: name)
        self.metadata = metadata ?? [:]
        names = members.map(\.name)
        entries = members.map(\.entry)
    }

    /// Nothing, or an object of texts.
    private static func texts(_ parser: inout JSONParser) throws -> [String: String] {
        if case .null? = try parser.word() { return [:] }
        var texts: [String: String] = [:]
        try parser.object { parser, key in
            guard parser.peek() == UInt8(ascii: "\"") else { throw parser.fault("\(metadataKey), \(key): expected a text") }
            texts[key] = try parser.text()
        }
        return texts
    }

    private static func entry(
        _ array: String, _ parser: inout JSONParser, start: Int, fileSize: Int, name: String
    ) throws -> SafetensorsFile.Entry {
        _ = parser.peek()
        let place = parser.position
        guard parser.peek() == UInt8(ascii: "{") else {
            throw parser.fault("\(array): expected an object with dtype, shape and data_offsets")
        }
        var (dtype, shape, offsets): (String?, [Int]?, [Int]?)
        try parser.object { parser, key in
            switch key {
            case "dtype":
                guard parser.peek() == UInt8(ascii: "\"") else { throw parser.fault("\(array), dtype: expected a text") }
                dtype = try parser.text()
            case "shape": shape = try wholeNumbers(&parser, of: array, key)
            case "data_offsets": offsets = try wholeNumbers(&parser, of: array, key)
            default: throw parser.fault("\(array): there is an unknown key \(key)")
            }
        }
        guard let dtype else { throw parser.fault("\(array) has no dtype", at: place) }
        guard let shape else { throw parser.fault("\(array) has no shape", at: place) }
        guard let offsets else { throw parser.fault("\(array) has no data_offsets", at: place) }
        return try checked(array, dtype, shape, offsets, place: place, start: start, end: fileSize, name: name)
    }

    private static func wholeNumbers(_ parser: inout JSONParser, of array: String, _ key: String) throws -> [Int] {
        let expected = "\(array), \(key): expected a list of whole numbers"
        guard parser.peek() == UInt8(ascii: "[") else { throw parser.fault(expected) }
        var numbers: [Int] = []
        try parser.list { parser in
            guard let number = try parser.wholeNumber() else { throw parser.fault(expected) }
            numbers.append(number)
        }
        return numbers
    }

    /// - Parameter place: of what the header says of the array, in bytes.
    private static func checked(
        _ array: String, _ dtype: String, _ shape: [Int], _ offsets: [Int], place: Int, start: Int, end: Int, name: String
    ) throws -> SafetensorsFile.Entry {
        guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= end - start else {
            throw DataError.bad(
                name, at: place,
                "\(array) has the data_offsets \(offsets); expected a start and an end from 0 to "
                    + "\(end - start)")
        }
        let entry = SafetensorsFile.Entry(
            typeName: dtype, shape: shape, offset: start + offsets[0], byteCount: offsets[1] - offsets[0])
        guard let count = elementCount(of: shape) else {
            throw DataError.bad(
                name, at: place, "\(array) has the shape \(shape), which no array can have")
        }
        // What elements of another type take is not known here: that array cannot be read, the others can.
        guard let type = entry.dtype else { return entry }
        guard let size = checkedProduct(count, type.size) else {
            throw DataError.bad(
                name, at: place, "\(array) has the shape \(shape), which no array can have")
        }
        guard entry.byteCount == size else {
            throw DataError.bad(
                name, at: entry.offset,
                "\(array) has \(entry.byteCount) bytes; expected \(size) for \(dtype) \(shape)")
        }
        return entry
    }

    /// The arrays must fill the rest of the file, each byte once.
    private static func checkCoverage(_ members: [Member], start: Int, end: Int, name: String) throws {
        // Empty arrays before others that start at the same byte, others in the order of their names.
        let ordered = members.sorted { a, b in
            a.entry.offset == b.entry.offset ? a.entry.byteCount < b.entry.byteCount : a.entry.offset < b.entry.offset
        }
        var position = start
        for member in ordered {
            let entry = member.entry
            guard entry.offset == position else {
                let what = entry.offset < position ? "overlaps the array before it" : "leaves a gap before it"
                throw DataError.bad(name, at: entry.offset, "\(member.name) \(what); expected it at byte \(position)")
            }
            position += entry.byteCount
        }
        guard position == end else {
            throw DataError.bad(
                name, at: position, "\(end - position) bytes belong to no array; expected the file to end here")
        }
    }
}
