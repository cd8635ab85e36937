import Glibc

/// Where warnings and traces go: standard error, unless the handler is replaced.
public enum Diagnostics {
    /// Takes a line without its end.
    public typealias Handler = @Sendable (String) -> Void

    private struct State {
        var handler: Handler = { line in sayOnStandardError(line) }
        var said: Set<String> = []
    }
    private static let state = Lock(State())

    /// Replaces the handler and returns the old one.
    @discardableResult
    public static func setHandler(_ handler: @escaping Handler) -> Handler {
        state.withLock { state in
            defer { state.handler = handler }
            return state.handler
        }
    }

    /// Says a line.
    static func trace(_ line: String) {
        let handler = state.withLock { $0.handler }
        handler("kanto: " + printable(line))
    }

    /// Says a line once in the life of the process.
    package static func warnOnce(_ line: String, key: String) {
        let isNew = state.withLock { $0.said.insert(key).inserted }
        if isNew { trace("warning: " + line) }
    }
}

/// Writes a line on standard error behind everything that was printed before it: where both streams go to one file, it
/// would land in the middle of a line otherwise.
package func sayOnStandardError(_ line: String) {
    fflush(nil)
    writeLine(line, to: STDERR_FILENO)
}

/// Writes a line as a whole, so that lines of several threads do not mix.
func writeLine(_ line: String, to descriptor: Int32) { _ = writeAll(line + "\n", to: descriptor) }

/// Writes a text to its end.
///
/// - Returns: whether it could; if not, `errno` says why.
func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
}

package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes
    while let base = rest.baseAddress, rest.count > 0 {
        let count = write(descriptor, base, rest.count)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return true
}

/// A message as one line that cannot spoil a terminal, whatever it quotes: control characters and those that turn the
/// direction of writing are escaped, and of what is longer than any sentence the middle is left out.
package func printable(_ message: String) -> String {
    let isPlain = message.utf8.count <= longestMessage && message.utf8.allSatisfy { 0x20..<0x7F ~= $0 }
    if isPlain { return message }
    let scalars = message.unicodeScalars
    guard scalars.count > longestMessage else { return escaped(scalars[...]) }
    // Who quotes says at the start where it stood, and at the end what was expected.
    return escaped(scalars.prefix(longestMessage * 2 / 3)) + " … " + escaped(scalars.suffix(longestMessage / 3))
}

/// In characters.
private let longestMessage = 1200

private func escaped(_ scalars: String.UnicodeScalarView.SubSequence) -> String {
    var line = ""
    for scalar in scalars {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: line += scalar.escaped(asASCII: true)
        // A joiner makes one sign of two; other signs of this kind are for hiding.
        case .format where scalar != "\u{200C}" && scalar != "\u{200D}": line += scalar.escaped(asASCII: true)
        default: line.unicodeScalars.append(scalar)
        }
    }
    return line
}
