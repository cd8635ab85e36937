import Testing

@testable import KantoData

@Suite struct JSONParserTests {
    private func parsed(_ text: String) throws -> String { "\(try JSONValue(parsing: Array(text.utf8)))" }

    @Test(arguments: [
        ("null", "null"), (" true\n", "boolean(true)"), ("-0", #"number("-0")"#), ("1.50e+07", #"number("1.50e+07")"#), ("[]", "list([])"),
        (#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00b""#, #"text("a\"\\/\u{08}\u{0C}\n\r\té😀b")"#),
    ])
    func reads(text: String, value: String) throws {
        #expect(try parsed(text) == value)
    }

    @Test func keepsTheOrderOfKeys() throws {
        guard case .object(let members) = try JSONValue(parsing: Array(#"{"b": [1, {"c": null}], "a": "x"}"#.utf8)) else {
            return #expect(Bool(false), "no object")
        }
        #expect(members.map(\.key) == ["b", "a"])
    }

    @Test(arguments: [
        ("", 0, "the text ends"), ("{", 1, "a key in quotes"), ("[1,]", 3, "a value"), ("[1 2]", 3, ", or ]"), (#"{"a" 1}"#, 5, "expected :"),
        (#"{"a":1,}"#, 7, "a key in quotes"), ("01", 0, "not written as JSON has it"), ("1.", 0, "not written as"), ("+1", 0, "a value"),
        (".5", 0, "a value"), ("-", 0, "not written as"), ("1e", 0, "not written as"), ("nul", 0, "a value"), ("NaN", 0, "a value"),
        ("\"a", 2, "no closing quote"), ("\"a\nb\"", 2, "control character"), (#""\x""#, 1, "escape"), (#""\u12g4""#, 1, "four hexadecimal"),
        (#""\ud800""#, 1, "half of a pair"), (#""\udc00""#, 1, "half of a pair"), (#""\ud800\u0041""#, 1, "half of a pair"), ("1 2", 2, "the end"),
        (#"{"a":1,"b":2,"a":3}"#, 13, "the key 'a' stands twice"), (#"[{"x":{"é":1,"\u00e9":2}}]"#, 14, "the key 'é' stands twice"),
        (String(repeating: "[", count: 100_000), 257, "more than 256 deep"),
    ])
    func refuses(text: String, position: Int, reason: String) {
        let fault = #expect(throws: JSONFault.self) { _ = try parsed(text) }
        #expect(fault?.position == position && fault?.reason.contains(reason) == true, "\(String(describing: fault))")
    }

    /// Ten times the text takes ten times as long, whatever its shape.
    @Test(arguments: ["{", "["]) func takesTimeInProportion(_ bracket: String) throws {
        func text(_ count: Int) -> [UInt8] {
            let items = (0..<count).map { bracket == "{" ? #""key\#($0)":[]"# : #"{"k":"\n"}"# }
            return Array((bracket + items.joined(separator: ",") + (bracket == "{" ? "}" : "]")).utf8)
        }
        let clock = ContinuousClock()
        let (small, large) = (text(3000), text(60_000))
        let one = try (0..<3).map { _ in try clock.measure { _ = try JSONValue(parsing: small) } }.min()!
        let many = try clock.measure { _ = try JSONValue(parsing: large) }
        #expect(many < one * 200, "\(one) for 3,000 values, \(many) for 60,000")
    }
}
