/// Why a text is not the JSON that was expected.
package struct JSONFault: Error {
    /// In bytes from the text's start.
    package let position: Int
    package let reason: String
}

/// Reads JSON piece by piece, each byte once: the time is in proportion to the text, and nothing of it is kept.
///
/// A key that stands twice in one object is a fault: a decoder keeps one of the two and does not say so, and two readers may
/// keep different ones.
///
/// Source: RFC 8259
package struct JSONParser {
    private let bytes: [UInt8]
    private let end: Int
    private(set) var position: Int
    private var depth = 0
    /// Deeper texts are attacks on a reader that calls itself.
    private static let deepest = 256

    /// - Parameter range: the part of the bytes that holds the text, which is valid UTF-8; nil for all.
    package init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        position = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    package func fault(_ reason: String, at place: Int? = nil) -> JSONFault {
        JSONFault(position: place ?? position, reason: reason)
    }

    /// The next byte that is no space; nil at the end.
    package mutating func peek() -> UInt8? {
        while position < end {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func unexpected(_ expected: String) -> JSONFault {
        guard let byte = peek() else { return fault("expected \(expected); the text ends") }
        return fault("expected \(expected); found " + (0x21..<0x7F ~= byte ? "\(Unicode.Scalar(byte))" : "byte \(byte)"))
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(character) else { throw unexpected("\(character)") }
    }

    /// Reads an object; `member` reads the value of each key.
    ///
    /// - Parameter checksKeys: false if the caller finds a key that stands twice by itself.
    package mutating func object(checksKeys: Bool = true, _ member: (inout JSONParser, String) throws -> Void) throws {
        guard take("{") else { throw unexpected("an object") }
        try deeper { parser in
            if parser.take("}") { return }
            var keys = KeySet()
            repeat {
                _ = parser.peek()
                let place = parser.position
                let key = try parser.text(expected: "a key in quotes")
                if checksKeys, !keys.insert(key) { throw Self.repetition(of: key, at: place) }
                try parser.expect(":")
                try member(&parser, key)
            } while parser.take(",")
            guard parser.take("}") else { throw parser.unexpected(", or }") }
        }
    }

    static func repetition(of key: String, at place: Int) -> JSONFault {
        JSONFault(position: place, reason: "the key '\(key)' stands twice in one object")
    }

    /// Reads a list; `element` reads each of its values.
    package mutating func list(_ element: (inout JSONParser) throws -> Void) throws {
        guard take("[") else { throw unexpected("a list") }
        try deeper { parser in
            if parser.take("]") { return }
            repeat { try element(&parser) } while parser.take(",")
            guard parser.take("]") else { throw parser.unexpected(", or ]") }
        }
    }

    private mutating func deeper(_ body: (inout JSONParser) throws -> Void) throws {
        guard depth < Self.deepest else { throw fault("lists and objects stand more than \(Self.deepest) deep in each other") }
        depth += 1
        try body(&self)
        depth -= 1
    }

    package mutating func text(expected: String = "a text in quotes") throws -> String {
        guard take("\"") else { throw unexpected(expected) }
        let start = position
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: bytes[start..<position - 1], as: UTF8.self)
            case UInt8(ascii: "\\"):
                return try escapedText(String(decoding: bytes[start..<position], as: UTF8.self).unicodeScalars)
            case 0..<0x20: throw fault("a text holds a control character, which JSON escapes")
            default: position += 1
            }
        }
        throw fault("a text has no closing quote")
    }

    /// The rest of a text, from its first escape.
    private mutating func escapedText(_ start: String.UnicodeScalarView) throws -> String {
        var scalars = start
        while position < end {
            let partStart = position
            while position < end, bytes[position] >= 0x20,
                bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\")
            { position += 1 }
            scalars.append(contentsOf: String(decoding: bytes[partStart..<position], as: UTF8.self).unicodeScalars)
            guard position < end else { break }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(scalars)
            case UInt8(ascii: "\\"): scalars.append(try escape())
            default: throw fault("a text holds a control character, which JSON escapes")
            }
        }
        throw fault("a text has no closing quote")
    }

    private mutating func escape() throws -> Unicode.Scalar {
        let place = position
        let letter = position + 1 < end ? bytes[position + 1] : 0
        position += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal(after: place)
            guard 0xD800...0xDBFF ~= unit else {
                guard let scalar = Unicode.Scalar(unit) else { throw fault("half of a pair stands alone", at: place) }
                return scalar
            }
            guard position + 1 < end, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u") else {
                throw fault("half of a pair stands alone", at: place)
            }
            position += 2
            let low = try hexadecimal(after: place)
            guard 0xDC00...0xDFFF ~= low, let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) else {
                throw fault("half of a pair stands alone", at: place)
            }
            return scalar
        default: throw fault("a text holds an escape that JSON does not have", at: place)
        }
    }

    private mutating func hexadecimal(after place: Int) throws -> UInt32 {
        guard position + 4 <= end, bytes[position..<position + 4].allSatisfy({ $0.isHexadecimalDigit }),
            let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw fault("expected four hexadecimal digits after \\u", at: place) }
        position += 4
        return unit
    }

    /// A number as it stands in the text.
    package mutating func number() throws -> String {
        guard let first = peek(), first == UInt8(ascii: "-") || first.isDigit else { throw unexpected("a number") }
        let start = position
        if first == UInt8(ascii: "-") { position += 1 }
        let isZero = position < end && bytes[position] == UInt8(ascii: "0")
        let integerDigits = digits()
        var isValid = integerDigits == 1 || integerDigits > 1 && !isZero
        if isValid, position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            isValid = digits() > 0
        }
        if isValid, position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            isValid = digits() > 0
        }
        guard isValid else { throw fault("a number is not written as JSON has it", at: start) }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = position
        while position < end, bytes[position].isDigit { position += 1 }
        return position - start
    }

    /// A whole number that fits; nil, and nothing is read, if another value stands there.
    package mutating func wholeNumber() throws -> Int? {
        let place = position
        guard let first = peek(), first == UInt8(ascii: "-") || first.isDigit, let value = Int(try number()) else {
            position = place
            return nil
        }
        return value
    }

    /// Reads `true`, `false` or `null` if one stands there.
    package mutating func word() throws -> JSONValue? {
        guard let first = peek(), UInt8(ascii: "a")...UInt8(ascii: "z") ~= first else { return nil }
        for (word, value) in [("null", .null), ("true", .boolean(true)), ("false", .boolean(false))] as [(String, JSONValue)]
        where bytes[position..<end].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw unexpected("a value")
    }

    /// Any value, with all that is in it.
    package mutating func value() throws -> JSONValue {
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [(String, JSONValue)] = []
            try object { parser, key in members.append((key, try parser.value())) }
            return .object(members)
        case UInt8(ascii: "["):
            var values: [JSONValue] = []
            try list { values.append(try $0.value()) }
            return .list(values)
        case UInt8(ascii: "\""): return .text(try text())
        case let byte? where byte == UInt8(ascii: "-") || byte.isDigit: return .number(try number())
        default:
            guard let word = try word() else { throw unexpected("a value") }
            return word
        }
    }

    /// Nothing but spaces may follow.
    package mutating func finish() throws {
        guard peek() == nil else { throw unexpected("the end of the text") }
    }
}

/// A value of JSON.
package enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    /// As it is written.
    case number(String)
    case text(String)
    case list([JSONValue])
    /// In the order of the text.
    case object([(key: String, value: JSONValue)])

    /// The value that a whole text is, valid UTF-8.
    ///
    /// - Throws: `JSONFault`.
    package init(parsing bytes: [UInt8]) throws {
        var parser = JSONParser(bytes)
        self = try parser.value()
        try parser.finish()
    }
}

/// The keys of an object. Most have a few, which need no hashes.
private struct KeySet {
    private var few: [String] = []
    private var many: Set<String> = []

    /// - Returns: whether it was not there yet.
    mutating func insert(_ key: String) -> Bool {
        guard many.isEmpty else { return many.insert(key).inserted }
        guard !few.contains(key) else { return false }
        few.append(key)
        if few.count > 8 { many = Set(few) }
        return true
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }
    fileprivate var isHexadecimalDigit: Bool { isDigit || UInt8(ascii: "a")...UInt8(ascii: "f") ~= self | 0x20 }
}
