import KantoKernels

/// What went wrong with a file: one line for people, and a kind for programs.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What a caller can do about it; `kanto` exits with 65, 66 and 73.
    public enum Kind: Sendable {
        /// The content is not what it should be.
        case badInput
        /// There is no such file, or it cannot be read.
        case missingInput
        /// A file or folder cannot be made or written.
        case cannotWrite
    }

    /// What a caller can do about it.
    public let kind: Kind
    /// One line: the file, the byte where that says more, what was wrong and what was expected.
    public let description: String

    /// The description may quote a file's content; it becomes one line that cannot spoil a terminal.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = printable(description)
    }

    /// Bad content of `file`, found at `offset` (in bytes from its start).
    static func bad(_ file: String, at offset: Int, _ reason: String) -> DataError {
        DataError(.badInput, "\(file): byte \(offset): \(reason)")
    }
}
