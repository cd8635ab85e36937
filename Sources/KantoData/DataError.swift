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

    public let kind: Kind
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

/// The number of elements of a shape; nil when a size is negative or the product does not fit.
///
/// Once one size is zero the others do not matter: [0, 2⁶²] holds nothing.
func elementCount(of shape: [Int]) -> Int? {
    guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
    if shape.contains(0) { return 0 }
    var count = 1
    for size in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        if overflow { return nil }
        count = product
    }
    return count
}

/// A product that does not fit is nil.
func checkedProduct(_ a: Int, _ b: Int) -> Int? {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? nil : product
}

/// A shape as messages print it: `[3, 4]`.
func describe(_ shape: [Int]) -> String {
    "[" + shape.map(String.init).joined(separator: ", ") + "]"
}
