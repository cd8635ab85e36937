extension DescriptionValue {
    /// As JSON for people: keys in order, what tells kinds apart first, short lists and objects in one line.
    public var json: String {
        var text = ""
        write(to: &text, indentation: 0)
        return text
    }

    private static let width = 110

    private func write(to text: inout String, indentation: Int) {
        let line = oneLine
        guard line.utf8.count + indentation > Self.width || isDeep else {
            text += line
            return
        }
        let inner = String(repeating: " ", count: indentation + 2), outer = String(repeating: " ", count: indentation)
        switch self {
        case .list(let values):
            text += "["
            for (index, value) in values.enumerated() {
                text += (index == 0 ? "\n" : ",\n") + inner
                value.write(to: &text, indentation: indentation + 2)
            }
            text += "\n\(outer)]"
        case .object(let members):
            text += "{"
            for (index, (name, value)) in Self.ordered(members).enumerated() {
                text += (index == 0 ? "\n" : ",\n") + inner + jsonQuoted(name) + ": "
                value.write(to: &text, indentation: indentation + 2)
            }
            text += "\n\(outer)}"
        default: text += line
        }
    }

    /// Lists of objects, and what holds them, are easier to read in several lines.
    private var isDeep: Bool {
        switch self {
        case .list(let values): values.contains { if case .object = $0 { true } else { $0.isDeep } }
        case .object(let members): members.values.contains(where: \.isDeep)
        default: false
        }
    }

    private var oneLine: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        // JSON has no other numbers.
        case .number(let value): value.isFinite ? "\(value)" : "null"
        case .text(let text), .word(let text): jsonQuoted(text)
        case .list(let values): "[" + values.map(\.oneLine).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + Self.ordered(members).map { "\(jsonQuoted($0.key)): \($0.value.oneLine)" }.joined(separator: ", ") + "}"
        }
    }

    private static func ordered(_ members: [String: DescriptionValue]) -> [(key: String, value: DescriptionValue)] {
        func rank(_ name: String) -> Int { ["layer", "name", "preset", "input"].firstIndex(of: name) ?? .max }
        return members.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }
    }
}

/// A text as JSON (RFC 8259, section 7).
package func jsonQuoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\r": quoted += "\\r"
        case "\t": quoted += "\\t"
        case "\u{0}"..<" ":
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
