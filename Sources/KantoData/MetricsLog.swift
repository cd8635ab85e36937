import Glibc
import KantoDescriptions

/// One value of a line of metrics.
public enum MetricValue: Equatable, Sendable {
    case integer(Int)
    case float(Float)
    case double(Double)
    case text(String)
    case boolean(Bool)
    case integers([Int])
    /// The key is left out of the line.
    case nothing

    /// As JSON: numbers by the shortest text that reads back as the same number, NaN and infinity as null.
    var json: String {
        switch self {
        case .integer(let value): String(value)
        case .float(let value): value.isFinite ? value.description : "null"
        case .double(let value): value.isFinite ? value.description : "null"
        case .text(let value): jsonQuoted(value)
        case .boolean(let value): value ? "true" : "false"
        case .integers(let values): "[" + values.map(String.init).joined(separator: ",") + "]"
        case .nothing: "null"
        }
    }
}

extension MetricValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral
{
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

/// A log of measured values, one JSON object a line (`metrics.jsonl`), that only grows.
///
/// Each line is handed to the system whole, so that a reader never waits for a buffer.
public final class MetricsLog {
    private let file: OutputFile

    /// Opens a log, or makes it. A last line without its end, as a killed run may leave, is cut off.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public init(appendingTo path: String) throws(DataError) {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw DataError(.cannotWrite, "\(path): cannot be opened for writing: \(systemMessage())")
        }
        file = OutputFile(descriptor: descriptor, path: path)
        try cutPartialLine()
        try syncParent(of: path)
    }

    deinit { close(file.descriptor) }

    /// Writes one line with the fields in the order given.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, such as for a full disk; the log then ends at the line before.
    public func append(_ fields: KeyValuePairs<String, MetricValue>) throws(DataError) {
        let members = fields.filter { $0.value != .nothing }.map { "\(jsonQuoted($0.key)):\($0.value.json)" }
        let line = Array("{\(members.joined(separator: ","))}\n".utf8)
        let end = lseek(file.descriptor, 0, SEEK_END)
        do throws(DataError) {
            try file.append(line)
        } catch {
            if end >= 0 { ftruncate(file.descriptor, end) }
            throw error
        }
    }

    /// Makes the lines so far outlast a loss of power.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public func sync() throws(DataError) { try file.sync() }

    private func cutPartialLine() throws(DataError) {
        let size = lseek(file.descriptor, 0, SEEK_END)
        // A pipe or a terminal has no end to look at.
        guard size > 0 else { return }
        var end = size
        var block = [UInt8](repeating: 0, count: 4096)
        while end > 0 {
            let start = max(0, end - off_t(block.count))
            let count = pread(file.descriptor, &block, Int(end - start), start)
            guard count == Int(end - start) else {
                throw DataError(.cannotWrite, "\(file.path): cannot be read back: \(systemMessage())")
            }
            if let feed = block[..<count].lastIndex(of: UInt8(ascii: "\n")) {
                end = start + off_t(feed) + 1
                break
            }
            end = start
        }
        guard end == size || ftruncate(file.descriptor, end) == 0 else {
            throw DataError(.cannotWrite, "\(file.path): cannot be cut to its last whole line: \(systemMessage())")
        }
    }
}
