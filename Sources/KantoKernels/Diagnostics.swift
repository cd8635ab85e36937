import Glibc

/// Where warnings and traces go: standard error, unless the handler is replaced.
public enum Diagnostics {
    public typealias Handler = @Sendable (String) -> Void

    private struct State {
        var handler: Handler = { line in writeLine(line, to: STDERR_FILENO) }
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
        handler("kanto: " + line)
    }

    /// Says a line once in the life of the process.
    package static func warnOnce(_ line: String, key: String) {
        let isNew = state.withLock { $0.said.insert(key).inserted }
        if isNew { trace("warning: " + line) }
    }
}

/// Writes a line as a whole, so that lines of several threads do not mix.
func writeLine(_ line: String, to descriptor: Int32) {
    var text = line + "\n"
    text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while let base = rest.baseAddress, rest.count > 0 {
            let count = write(descriptor, base, rest.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
