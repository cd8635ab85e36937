/// A type that a description's values are read as.
public protocol DescriptionConvertible: Sendable, Hashable {
    /// - Throws: `DescriptionError`, which says what was expected.
    init(_ value: DescriptionValue) throws(DescriptionError)

    /// - Parameter isWhole: with what is as by default too.
    func described(isWhole: Bool) -> DescriptionValue
}

extension DescriptionConvertible {
    /// Without what is as by default.
    public var descriptionValue: DescriptionValue { described(isWhole: false) }
}

extension DescriptionConvertible where Self: LosslessStringConvertible {
    /// The text of a command line's word.
    fileprivate init(word: String, expected: String) throws(DescriptionError) {
        guard let value = Self(word) else { throw DescriptionError("expected \(expected), found '\(word)'") }
        self = value
    }
}

extension DescriptionConvertible where Self: FixedWidthInteger {
    /// Reads a whole number.
    ///
    /// - Throws: `DescriptionError` for anything else.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        let expected = Self.isSigned ? "a whole number" : "a whole number from 0 to \(Self.max)"
        let found: Self? =
            switch value {
            case .integer(let number): Self(exactly: number)
            // 1e6 is whole too.
            case .number(let number): Self(exactly: number)
            case .word(let text): Self(text) ?? Double(text).flatMap { Self(exactly: $0) }
            default: nil
            }
        guard let found else { throw DescriptionError("expected \(expected), found \(value)") }
        self = found
    }
    /// The number.
    public func described(isWhole: Bool) -> DescriptionValue { .integer(Int128(self)) }
}
extension Int: DescriptionConvertible {}
extension UInt64: DescriptionConvertible {}

extension Double: DescriptionConvertible {
    /// Reads a number.
    ///
    /// - Throws: `DescriptionError` for anything else.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        switch value {
        case .integer(let number): self = Double(number)
        case .number(let number): self = number
        case .word(let text): try self.init(word: text, expected: "a number")
        default: throw DescriptionError("expected a number, found \(value)")
        }
        guard isFinite else { throw DescriptionError("expected a finite number, found \(value)") }
    }
    /// Whole numbers are written without a point.
    public func described(isWhole: Bool) -> DescriptionValue {
        Int64(exactly: self).map { .integer(Int128($0)) } ?? .number(self)
    }
}

extension Bool: DescriptionConvertible {
    /// Reads `true` or `false`.
    ///
    /// - Throws: `DescriptionError` for anything else.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        switch value {
        case .boolean(let value): self = value
        case .word(let text): try self.init(word: text, expected: "true or false")
        default: throw DescriptionError("expected true or false, found \(value)")
        }
    }
    /// The truth value.
    public func described(isWhole: Bool) -> DescriptionValue { .boolean(self) }
}

extension String: DescriptionConvertible {
    /// Reads a text.
    ///
    /// - Throws: `DescriptionError` for anything else.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        switch value {
        case .text(let text), .word(let text): self = text
        default: throw DescriptionError("expected a text, found \(value)")
        }
    }
    /// The text.
    public func described(isWhole: Bool) -> DescriptionValue { .text(self) }
}

extension Array: DescriptionConvertible where Element: DescriptionConvertible {
    /// Reads a list.
    ///
    /// - Throws: `DescriptionError`, with the place of the element that is wrong.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        self = []
        switch value {
        case .list(let values):
            for (index, value) in values.enumerated() {
                try DescriptionError.within("\(index)") { () throws(DescriptionError) in append(try Element(value)) }
            }
        // A command line has commas between, with the brackets of a file or without.
        case .word(let text):
            let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
            let list = isBracketed ? text.dropFirst().dropLast() : text[...]
            for part in list.split(separator: ",", omittingEmptySubsequences: false) {
                append(try Element(.word(String(isBracketed ? part.drop { $0 == " " } : part))))
            }
        default: throw DescriptionError("expected a list, found \(value)")
        }
    }
    /// The list.
    public func described(isWhole: Bool) -> DescriptionValue { .list(map { $0.described(isWhole: isWhole) }) }
}

extension Optional: DescriptionConvertible where Wrapped: DescriptionConvertible {
    /// Reads `null` as nothing.
    public init(_ value: DescriptionValue) throws(DescriptionError) { self = value == .null ? nil : try Wrapped(value) }
    /// The value, or `null`.
    public func described(isWhole: Bool) -> DescriptionValue { self?.described(isWhole: isWhole) ?? .null }
}

extension DescriptionConvertible where Self: RawRepresentable, Self: CaseIterable, RawValue == String {
    /// Reads one of the names.
    ///
    /// - Throws: `DescriptionError`, with the nearest one.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        self = try Self.named(value, \.rawValue)
    }
    /// The name.
    public func described(isWhole: Bool) -> DescriptionValue { .text(rawValue) }
}

extension CaseIterable {
    /// The case whose name a description gives.
    ///
    /// - Throws: `DescriptionError`, with the nearest name.
    package static func named(_ value: DescriptionValue, _ name: (Self) -> String) throws(DescriptionError) -> Self {
        let text = try String(value)
        guard let found = allCases.first(where: { name($0) == text }) else {
            throw DescriptionError(unknown("value", text, among: allCases.map(name)))
        }
        return found
    }
}
