/// Arrays in NumPy's .npy format.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
public enum NPY {
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Writes an array as .npy 1.0, row-major ("C order"), atomically.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public static func write(_ array: NumericArray, to path: String) throws(DataError) {
        let header = header(of: array)
        try AtomicFile.write(to: path) { (file) throws(DataError) in
            try file.append(header)
            try file.append(array.values)
        }
    }

    private static func header(of array: NumericArray) -> [UInt8] {
        let type =
            switch array.values {
            case .float32: "<f4"
            case .float64: "<f8"
            case .uint8: "|u1"
            }
        // A tuple of one has a comma in Python.
        let sizes = array.shape.map(String.init).joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
        var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }".utf8)
        // The data starts at a multiple of 64, after 10 bytes, the text, spaces and a line feed.
        text += Array(repeating: UInt8(ascii: " "), count: (64 - (11 + text.count) % 64) % 64)
        text.append(UInt8(ascii: "\n"))
        precondition(text.count <= UInt16.max, "a shape of \(array.shape.count) dimensions does not fit into .npy 1.0")
        return magic + [1, 0] + withUnsafeBytes(of: UInt16(text.count).littleEndian, Array.init) + text
    }

    /// Reads a file of little-endian float32 or float64 or of bytes, row-major.
    ///
    /// - Throws: `DataError` for a missing or unreadable file, another type or order, or a file that is not exactly as
    ///   long as its shape says; `KernelError.memory` if the system refuses as much as it holds.
    public static func read(contentsOf path: String) throws -> NumericArray {
        let file = try InputFile(path)
        let text = try textRange(file.prefix(NPY.fixedPart), fileSize: file.size, name: path)
        let header = try header(file.prefix(text.upperBound), text, fileSize: file.size, name: path)
        return try array(header, at: text.upperBound, of: file.content())
    }

    /// Reads bytes in memory; `name` is what messages call them.
    ///
    /// - Throws: as `read(contentsOf:)` does.
    public static func read(bytes: [UInt8], name: String) throws -> NumericArray {
        let text = try textRange(bytes, fileSize: bytes.count, name: name)
        return try array(header(bytes, text, fileSize: bytes.count, name: name), at: text.upperBound, of: bytes)
    }

    /// Magic number, version and the header's length, in bytes at most.
    static let fixedPart = 12
    /// In bytes. NumPy itself refuses longer ones.
    private static let longestText = 10_000

    /// Where the header's text stands.
    ///
    /// - Parameter bytes: the file's first bytes, `fixedPart` or more or all.
    static func textRange(_ bytes: [UInt8], fileSize: Int, name: String) throws -> Range<Int> {
        guard bytes.count >= 10 else {
            throw DataError.bad(name, at: bytes.count, "the file ends; expected the 10 bytes that start an .npy file")
        }
        guard bytes.starts(with: magic) else {
            throw DataError.bad(name, at: 0, "expected an .npy file, which starts with 0x93 and NUMPY")
        }
        guard 1...3 ~= bytes[6], bytes[7] == 0 else {
            throw DataError.bad(name, at: 6, "expected version 1.0, 2.0 or 3.0; found \(bytes[6]).\(bytes[7])")
        }
        let textStart = bytes[6] == 1 ? 10 : 12
        guard bytes.count >= textStart else {
            throw DataError.bad(name, at: bytes.count, "the file ends; expected the header's length up to byte 12")
        }
        let length = bytes[8..<textStart].reversed().reduce(0) { $0 << 8 | Int($1) }
        let start = textStart + length
        guard start <= fileSize else {
            throw DataError.bad(
                name, at: fileSize, "the file ends; expected a header of \(length) bytes, up to byte \(start)")
        }
        guard length <= longestText else {
            throw DataError.bad(name, at: 8, "expected a header of at most \(longestText) bytes; found \(length)")
        }
        return textStart..<start
    }

    private typealias Header = (shape: [Int], elementSize: Int)

    private static func header(_ bytes: [UInt8], _ text: Range<Int>, fileSize: Int, name: String) throws -> Header {
        var parser = NPYHeaderParser(bytes: bytes, range: text, name: name)
        let header = try parser.parse()
        guard !header.fortranOrder else {
            throw DataError.bad(
                name, at: text.lowerBound,
                "the array is column-major (fortran_order), which is not read here; save numpy.ascontiguousarray(array)"
            )
        }
        let sizes = ["<f4": 4, "<f8": 8, "|u1": 1]
        guard let elementSize = sizes[header.type] else {
            throw DataError.bad(
                name, at: text.lowerBound,
                "expected the type '<f4', '<f8' or '|u1'; found '\(header.type)': convert it with array.astype('<f4')")
        }
        guard let size = elementCount(of: header.shape).flatMap({ checkedProduct($0, elementSize) }), size <= largestFile else {
            throw DataError.bad(
                name, at: text.lowerBound, "the shape \(header.shape) is more than any file holds")
        }
        let start = text.upperBound
        guard fileSize - start == size else {
            throw DataError.bad(
                name, at: min(fileSize, start + size),
                "expected \(start + size) bytes for \(header.type) \(header.shape); found \(fileSize)")
        }
        return (header.shape, elementSize)
    }

    private static func array(_ header: Header, at start: Int, of bytes: [UInt8]) throws -> NumericArray {
        let count = (bytes.count - start) / header.elementSize
        return switch header.elementSize {
        case 4: try NumericArray(shape: header.shape, bytes.values(of: Float.self, at: start, count: count))
        case 8: try NumericArray(shape: header.shape, bytes.values(of: Double.self, at: start, count: count))
        default: try NumericArray(shape: header.shape, bytes.values(of: UInt8.self, at: start, count: count))
        }
    }
}

/// Reads the header, a literal of a Python dictionary such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }`.
struct NPYHeaderParser {
    let bytes: [UInt8]
    let end: Int
    let name: String
    var position: Int

    init(bytes: [UInt8], range: Range<Int>, name: String) {
        self.bytes = bytes
        self.name = name
        position = range.lowerBound
        end = range.upperBound
    }

    mutating func parse() throws -> (type: String, fortranOrder: Bool, shape: [Int]) {
        var type: String?
        var fortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let keyPosition = position
            let key = try text()
            try expect(":")
            switch key {
            case "descr" where type == nil: type = try text()
            case "fortran_order" where fortranOrder == nil: fortranOrder = try boolean()
            case "shape" where shape == nil: shape = try tuple()
            case "descr", "fortran_order", "shape":
                throw DataError.bad(name, at: keyPosition, "the key '\(key)' stands twice in the header")
            default:
                throw DataError.bad(name, at: keyPosition, "the header has an unknown key '\(key)'")
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        skipSpaces()
        guard position == end else { throw unexpected("the end of the header") }
        guard let type, let fortranOrder, let shape else {
            throw DataError.bad(
                name, at: end, "the header ends; expected the keys 'descr', 'fortran_order' and 'shape'")
        }
        return (type, fortranOrder, shape)
    }

    private var byte: UInt8? { position < end ? bytes[position] : nil }

    private mutating func skipSpaces() {
        while let byte, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard byte == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(character) else { throw unexpected("\(character)") }
    }

    private func unexpected(_ expected: String) -> DataError {
        let found = byte.map { 32..<127 ~= $0 ? "\(Unicode.Scalar($0))" : "byte \($0)" } ?? "the end of the header"
        return .bad(name, at: position, "expected \(expected); found \(found)")
    }

    private mutating func text() throws -> String {
        skipSpaces()
        guard let quote = byte, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw unexpected("a text in quotes (structured types are not read here)")
        }
        guard let close = bytes[(position + 1)..<end].firstIndex(of: quote) else {
            position = end
            throw unexpected("a closing quote")
        }
        let text = String(decoding: bytes[(position + 1)..<close], as: UTF8.self)
        position = close + 1
        return text
    }

    private mutating func boolean() throws -> Bool {
        skipSpaces()
        for (word, value) in [("True", true), ("False", false)] where bytes[position..<end].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw unexpected("True or False")
    }

    private mutating func tuple() throws -> [Int] {
        var sizes: [Int] = []
        try expect("(")
        while !take(")") {
            sizes.append(try size())
            if !take(",") {
                try expect(")")
                break
            }
        }
        return sizes
    }

    private mutating func size() throws -> Int {
        skipSpaces()
        let digits = bytes[position..<end].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard let size = Int(String(decoding: digits, as: UTF8.self)) else {
            throw unexpected("a size that is a whole number")
        }
        position += digits.count
        return size
    }
}
