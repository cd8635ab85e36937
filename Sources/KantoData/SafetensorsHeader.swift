import FoundationEssentials

/// The checked header of a safetensors file.
struct SafetensorsHeader {
    static let metadataKey = "__metadata__"
    /// The format's own limit, 100 MB.
    static let largestHeader = 100_000_000

    let metadata: [String: String]
    let entries: [String: SafetensorsFile.Entry]

    init(bytes: [UInt8], name: String) throws {
        guard bytes.count >= 8 else {
            throw DataError.bad(
                name, at: bytes.count, "the file ends; expected the 8 bytes that start a safetensors file")
        }
        let length = UInt64(littleEndian: bytes.values(of: UInt64.self, at: 0, count: 1)[0])
        guard length <= Self.largestHeader else {
            throw DataError.bad(
                name, at: 0,
                "expected a header length up to \(Self.largestHeader); found \(length): is it a safetensors file?")
        }
        let start = 8 + Int(length)
        guard start <= bytes.count else {
            throw DataError.bad(
                name, at: bytes.count, "the file ends; expected a header of \(length) bytes, up to byte \(start)")
        }
        let header = bytes[8..<start]
        guard header.first == UInt8(ascii: "{") else {
            let found = header.first.map { "found byte \($0)" } ?? "found an empty header"
            throw DataError.bad(name, at: 8, "expected a JSON object, which starts with {; \(found)")
        }
        guard String(validating: header, as: UTF8.self) != nil else {
            throw DataError.bad(name, at: 8, "the header is not valid UTF-8 text")
        }
        let fields = try Self.decode(header, name: name)

        var metadata: [String: String] = [:]
        var entries: [String: SafetensorsFile.Entry] = [:]
        for (key, field) in fields {
            switch field {
            case .metadata(let texts): metadata = texts
            case .array(let dtype, let shape, let offsets):
                entries[key] = try Self.entry(
                    key, dtype: dtype, shape: shape, offsets: offsets, start: start, end: bytes.count, name: name)
            }
        }
        try Self.checkCoverage(entries, start: start, end: bytes.count, name: name)
        self.metadata = metadata
        self.entries = entries
    }

    private static func decode(_ header: ArraySlice<UInt8>, name: String) throws -> [String: Field] {
        let fields: [String: Field]
        do {
            fields = try JSONDecoder().decode([String: Field].self, from: Data(header))
        } catch {
            throw DataError.bad(name, at: 8, "the header is not as expected: \(describe(error))")
        }
        // A decoder keeps one of two equal keys and does not say so, and two readers may keep different ones. In valid
        // JSON each colon outside of texts belongs to one key.
        let decoded = fields.values.reduce(fields.count) { $0 + $1.keyCount }
        guard colons(header) == decoded else {
            throw DataError.bad(name, at: 8, "a key stands twice in one object of the header")
        }
        return fields
    }

    private static func colons(_ json: ArraySlice<UInt8>) -> Int {
        var (count, insideText, escaped) = (0, false, false)
        for byte in json {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\"") {
                insideText.toggle()
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: ":"), !insideText {
                count += 1
            }
        }
        return count
    }

    private static func entry(
        _ array: String, dtype: String, shape: [Int], offsets: [Int], start: Int, end: Int, name: String
    ) throws -> SafetensorsFile.Entry {
        guard let type = SafetensorsFile.ElementType(rawValue: dtype) else {
            throw DataError.bad(name, at: 8, "\(array) is of type \(dtype), which is not known here")
        }
        guard let size = elementCount(of: shape).flatMap({ checkedProduct($0, type.size) }) else {
            throw DataError.bad(
                name, at: 8, "\(array) has the shape \(KantoData.describe(shape)), which no array can have")
        }
        guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= end - start else {
            throw DataError.bad(
                name, at: 8,
                "\(array) has the data_offsets \(KantoData.describe(offsets)); expected a start and an end from 0 to \(end - start)"
            )
        }
        guard offsets[1] - offsets[0] == size else {
            throw DataError.bad(
                name, at: start + offsets[0],
                "\(array) has \(offsets[1] - offsets[0]) bytes; expected \(size) for \(dtype) \(KantoData.describe(shape))"
            )
        }
        return SafetensorsFile.Entry(dtype: type, shape: shape, offset: start + offsets[0])
    }

    /// The arrays must fill the rest of the file, each byte once.
    private static func checkCoverage(
        _ entries: [String: SafetensorsFile.Entry], start: Int, end: Int, name: String
    ) throws {
        func byteCount(_ entry: SafetensorsFile.Entry) -> Int { elementCount(of: entry.shape)! * entry.dtype.size }
        // Empty arrays before others that start at the same byte.
        let ordered = entries.sorted { a, b in
            (a.value.offset, byteCount(a.value), a.key) < (b.value.offset, byteCount(b.value), b.key)
        }
        var position = start
        for (array, entry) in ordered {
            guard entry.offset == position else {
                let what = entry.offset < position ? "overlaps the array before it" : "leaves a gap before it"
                throw DataError.bad(name, at: entry.offset, "\(array) \(what); expected it at byte \(position)")
            }
            position += byteCount(entry)
        }
        guard position == end else {
            throw DataError.bad(
                name, at: position, "\(end - position) bytes belong to no array; expected the file to end here")
        }
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "\(path(context.codingPath)) has no \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(path(context.codingPath)): \(context.debugDescription)"
        case DecodingError.dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is not valid JSON" : "\(path(context.codingPath)): \(context.debugDescription)"
        default: "\(error)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty ? "the header" : keys.map(\.stringValue).joined(separator: ", ")
    }
}

extension SafetensorsHeader {
    /// One value of the header's JSON object.
    enum Field: Codable {
        case metadata([String: String])
        case array(dtype: String, shape: [Int], offsets: [Int])

        enum Key: String, CodingKey, CaseIterable {
            case dtype, shape
            case offsets = "data_offsets"
        }

        /// The keys of the JSON objects below this one's name.
        var keyCount: Int {
            switch self {
            case .metadata(let texts): texts.count
            case .array: Key.allCases.count
            }
        }

        init(from decoder: any Decoder) throws {
            if decoder.codingPath.last?.stringValue == SafetensorsHeader.metadataKey {
                self = .metadata(try [String: String](from: decoder))
                return
            }
            let container = try decoder.container(keyedBy: AnyKey.self)
            if let unknown = container.allKeys.first(where: { Key(stringValue: $0.stringValue) == nil }) {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "there is an unknown key \(unknown.stringValue)"))
            }
            let fields = try decoder.container(keyedBy: Key.self)
            self = .array(
                dtype: try fields.decode(String.self, forKey: .dtype),
                shape: try Self.wholeNumbers(.shape, in: fields),
                offsets: try Self.wholeNumbers(.offsets, in: fields))
        }

        /// The decoder says of 4.5 and of 10²⁰ only that the JSON is not valid.
        private static func wholeNumbers(_ key: Key, in fields: KeyedDecodingContainer<Key>) throws -> [Int] {
            guard fields.contains(key), let numbers = try? fields.decode([Int].self, forKey: key) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: fields, debugDescription: "expected a list of whole numbers")
            }
            return numbers
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .metadata(let texts): try texts.encode(to: encoder)
            case .array(let dtype, let shape, let offsets):
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(dtype, forKey: .dtype)
                try container.encode(shape, forKey: .shape)
                try container.encode(offsets, forKey: .offsets)
            }
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
