import Glibc

/// The lines and fields of a CSV file (RFC 4180, but for line breaks within quotes).
struct CSVText {
    let separator: UInt8

    static let candidates = [UInt8(ascii: "\t"), UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: " ")]

    /// The separator that a file's first line has.
    init(firstLine: ArraySlice<UInt8>) {
        var isQuoted = false
        let plain = firstLine.filter { byte in
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            return !isQuoted
        }
        separator = Self.candidates.first(where: plain.contains) ?? UInt8(ascii: ",")
    }

    /// The fields of a line, without quotes and spaces around; nil if a quote is not closed.
    func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var fields: [ArraySlice<UInt8>] = []
        var position = line.startIndex
        while true {
            while position < line.endIndex, Self.isSpace(line[position]),
                line[position] != separator || separator == UInt8(ascii: " ")
            { position += 1 }
            if separator == UInt8(ascii: " "), position == line.endIndex, !fields.isEmpty { return fields }
            if position < line.endIndex, line[position] == UInt8(ascii: "\"") {
                guard let (text, end) = Self.quoted(line, position + 1) else { return nil }
                fields.append(text)
                position = line[end...].firstIndex(of: separator) ?? line.endIndex
            } else {
                let end = line[position...].firstIndex(of: separator) ?? line.endIndex
                var text = line[position..<end]
                while let last = text.last, Self.isSpace(last) { text.removeLast() }
                fields.append(text)
                position = end
            }
            if position == line.endIndex { return fields }
            position += 1
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// A text up to its closing quote, of which two stand for one, and where it ends.
    private static func quoted(_ line: ArraySlice<UInt8>, _ start: Int) -> (ArraySlice<UInt8>, Int)? {
        var text: [UInt8] = []
        var position = start
        while position < line.endIndex {
            if line[position] != UInt8(ascii: "\"") {
                text.append(line[position])
            } else if position + 1 < line.endIndex, line[position + 1] == UInt8(ascii: "\"") {
                text.append(line[position])
                position += 1
            } else {
                return (text[...], position + 1)
            }
            position += 1
        }
        return nil
    }

    /// A decimal number; nil for other text. What spells infinity or NaN is a number, but not a finite one.
    static func number(_ field: ArraySlice<UInt8>) -> Double? {
        guard let first = field.first,
            first != UInt8(ascii: "0") || field.dropFirst().first.map({ $0 | 0x20 != UInt8(ascii: "x") }) ?? true
        else { return nil }
        return Double(String(decoding: field, as: UTF8.self))
    }
}

/// Goes through a file line by line, a block at a time.
struct LineReader {
    private let source: ByteSource
    private var block: [UInt8] = []
    /// Where the next line starts in the block, and up to where there is no end of it.
    private var position = 0
    private var searched = 0
    /// Where the next block starts in the file.
    private var next = 0
    /// Of the line that was given last, from 1.
    private(set) var number = 0

    private static let blockSize = 1 << 20
    /// In bytes; what is longer is no line of numbers.
    private static let longestLine = 1 << 24

    init(_ source: ByteSource) { self.source = source }

    /// The next line, without its end; nil after the last one.
    mutating func line() throws -> ArraySlice<UInt8>? {
        while true {
            if let end = lineEnd() {
                let line = take(position..<end)
                (position, searched) = (end + 1, end + 1)
                return line
            }
            guard next < source.size else {
                guard position < block.count else { return nil }
                let line = take(position..<block.count)
                (position, searched) = (block.count, block.count)
                return line
            }
            searched = block.count - position
            guard searched <= Self.longestLine else {
                throw DataError(
                    .badInput,
                    "\(source.name): line \(number + 1): is longer than \(Self.longestLine) bytes; expected rows of numbers")
            }
            let end = min(source.size, next + max(Self.blockSize, searched))
            block.removeSubrange(..<position)
            block += try source.bytes(next..<end)
            (position, next) = (0, end)
        }
    }

    private func lineEnd() -> Int? {
        block.withUnsafeBytes { bytes in
            guard searched < bytes.count, let start = bytes.baseAddress,
                let found = memchr(start + searched, Int32(UInt8(ascii: "\n")), bytes.count - searched)
            else { return nil }
            return UnsafeRawPointer(found) - start
        }
    }

    private mutating func take(_ range: Range<Int>) -> ArraySlice<UInt8> {
        number += 1
        var line = block[range]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        // A byte order mark is no part of the first name.
        if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        return line
    }
}
