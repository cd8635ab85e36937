/// A value of a description, as JSON has it: of a layer, a network or a run.
public enum DescriptionValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int128)
    case number(Double)
    case text(String)
    /// A word of a command line, to be read as what its key expects.
    case word(String)
    case list([DescriptionValue])
    case object([String: DescriptionValue])
}

/// What is wrong with a description: where, and what was expected there. One line for people.
public struct DescriptionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Keys and positions from the outside in, with dots between; empty for the description as a whole.
    public let path: String
    /// What was expected and what was found.
    public let reason: String

    /// - Parameter path: of the key, with dots.
    public init(_ reason: String, at path: String = "") {
        self.path = path
        self.reason = reason
    }

    public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }

    /// Puts a key or a position before the path of what `body` throws.
    package static func within<R>(_ place: String, _ body: () throws(DescriptionError) -> R) throws(DescriptionError) -> R {
        do { return try body() } catch {
            throw DescriptionError(error.reason, at: error.path.isEmpty ? place : "\(place).\(error.path)")
        }
    }
}

extension DescriptionValue: CustomStringConvertible {
    /// For errors: short, as JSON has it.
    public var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let text): "\"\(text)\""
        case .word(let text): "'\(text)'"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension DescriptionValue: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Decodes any JSON.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Name.self) {
            let members = try container.allKeys.map { ($0.stringValue, try container.decode(DescriptionValue.self, forKey: $0)) }
            self = .object(Dictionary(members) { first, _ in first })
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(Int128(value))
        } else if let value = try? container.decode(UInt64.self) {
            self = .integer(Int128(value))
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else {
            self = .list(try container.decode([DescriptionValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: Name.self)
            for (name, value) in members { try container.encode(value, forKey: Name(stringValue: name)) }
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .boolean(let value): try encode(value, to: encoder)
        case .integer(let value):
            if let small = Int64(exactly: value) {
                try encode(small, to: encoder)
            } else {
                try encode(UInt64(value), to: encoder)
            }
        case .number(let value): try encode(value, to: encoder)
        case .text(let value), .word(let value): try encode(value, to: encoder)
        case .list(let values): try encode(values, to: encoder)
        }
    }

    private func encode<Value: Encodable>(_ value: Value, to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// A number without a point where it is whole: 10 and 0.5.
package func decimal(_ number: Double) -> String { Int64(exactly: number).map(String.init) ?? "\(number)" }
