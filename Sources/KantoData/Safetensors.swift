import KantoDescriptions

/// A file in the safetensors format: named arrays, and named texts beside them.
///
/// The file is an 8-byte little-endian length, a JSON header of that length with each array's type, shape and range of
/// bytes, then the arrays' bytes, which follow each other without gaps.
///
/// Source: https://github.com/huggingface/safetensors
public struct SafetensorsFile: Sendable {
    /// The element types of the format whose elements are whole bytes. F32, F64 and U8 can be read, the others named.
    public enum ElementType: String, Sendable, CaseIterable {
        case bool = "BOOL"
        case uint8 = "U8"
        case int8 = "I8"
        case float8E5M2 = "F8_E5M2"
        case float8E4M3 = "F8_E4M3"
        case float8E8M0 = "F8_E8M0"
        case int16 = "I16"
        case uint16 = "U16"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int32 = "I32"
        case uint32 = "U32"
        case float32 = "F32"
        case complex64 = "C64"
        case float64 = "F64"
        case int64 = "I64"
        case uint64 = "U64"

        /// In bytes, per element.
        public var size: Int {
            switch self {
            case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0: 1
            case .int16, .uint16, .float16, .bfloat16: 2
            case .int32, .uint32, .float32: 4
            case .complex64, .float64, .int64, .uint64: 8
            }
        }
    }

    /// What the header says of an array.
    public struct Entry: Equatable, Sendable {
        /// The element type as the file names it, `F32` say.
        public let typeName: String
        /// One size a dimension; empty for a single number.
        public let shape: [Int]
        /// In bytes from the start of the file.
        let offset: Int
        let byteCount: Int

        /// Nil for a type that is not known here.
        public var dtype: ElementType? { ElementType(rawValue: typeName) }
    }

    /// The texts under `__metadata__`.
    public let metadata: [String: String]
    /// The names of the arrays, sorted.
    public let names: [String]
    /// What messages call the file: its path.
    public let name: String

    /// One a name.
    private let entries: [Entry]
    private let bytes: [UInt8]

    /// Reads a file. Everything that its header says is checked before the rest is read, so that what is asked for later
    /// is inside. Time and memory are in proportion to the file, see `SafetensorsHeader`.
    ///
    /// - Throws: `DataError`; `KernelError.memory` if the system refuses as much memory as the file holds.
    public init(contentsOf path: String) throws {
        let file = try InputFile(path)
        let start = try SafetensorsHeader.dataStart(
            file.prefix(SafetensorsHeader.fixedPart), fileSize: file.size, name: path)
        let header = try SafetensorsHeader(file.prefix(start), dataStart: start, fileSize: file.size, name: path)
        self.init(header, bytes: try file.content(), name: path)
    }

    /// Reads bytes in memory; `name` is what messages call them.
    ///
    /// - Throws: as the initializer that reads a file does.
    public init(bytes: [UInt8], name: String) throws {
        let start = try SafetensorsHeader.dataStart(bytes, fileSize: bytes.count, name: name)
        self.init(
            try SafetensorsHeader(bytes, dataStart: start, fileSize: bytes.count, name: name), bytes: bytes, name: name)
    }

    private init(_ header: SafetensorsHeader, bytes: [UInt8], name: String) {
        self.name = name
        self.bytes = bytes
        metadata = header.metadata
        entries = header.entries
        names = header.names
    }

    /// The file's size.
    package var byteCount: Int { bytes.count }

    /// What a file's header says under `__metadata__`; the arrays are not read.
    ///
    /// - Throws: as the initializer that reads a file does.
    public static func metadata(ofFile path: String) throws -> [String: String] {
        let file = try InputFile(path)
        let start = try SafetensorsHeader.dataStart(
            file.prefix(SafetensorsHeader.fixedPart), fileSize: file.size, name: path)
        return try SafetensorsHeader(file.prefix(start), dataStart: start, fileSize: file.size, name: path).metadata
    }

    /// Compares the content with the digest that was written with it, if one was.
    ///
    /// - Throws: `DataError` if they differ: the file was damaged, or changed by something that knows of no digest.
    public func checkDigest() throws(DataError) {
        guard let expected = metadata[Self.digestKey] else { return }
        var digest = Self.digest(of: metadata)
        for (name, entry) in zip(names, entries) {
            digest.combine("\(name) \(entry.typeName) \(entry.shape)")
            bytes.withUnsafeBytes {
                digest.combine(UnsafeRawBufferPointer(rebasing: $0[entry.offset..<entry.offset + entry.byteCount]))
            }
        }
        guard digest.text == expected else {
            throw DataError(
                .badInput,
                "\(name): the content is not what was written: its digest is \(digest.text), expected \(expected); "
                    + "the file was damaged or changed")
        }
    }

    private static let digestKey = "digest"

    /// Of the texts, but for the digest's own.
    private static func digest(of metadata: [String: String]) -> ContentDigest {
        var digest = ContentDigest()
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != digestKey {
            digest.combine(key)
            digest.combine(value)
        }
        return digest
    }

    /// The type and shape of an array.
    ///
    /// - Throws: `DataError` if the file holds none of that name.
    public func entry(_ array: String) throws(DataError) -> Entry {
        // By halves.
        var range = names.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if names[middle] == array { return entries[middle] }
            range = names[middle] < array ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        let known = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        throw DataError(
            .badInput,
            "\(name): holds no array named \(array); " + (names.isEmpty ? "it is empty" : "it holds \(known)"))
    }

    /// An array with its shape, in the type of the file.
    ///
    /// - Throws: `DataError` if the file holds none of that name, or it is neither F32, F64 nor U8; `KernelError.memory` if the
    ///   system refuses as much memory as it takes.
    public func array(_ array: String) throws -> NumericArray {
        let entry = try entry(array)
        let count = elementCount(of: entry.shape)!
        switch entry.dtype {
        case .float32:
            return try NumericArray(shape: entry.shape, bytes.values(of: Float.self, at: entry.offset, count: count))
        case .float64:
            return try NumericArray(shape: entry.shape, bytes.values(of: Double.self, at: entry.offset, count: count))
        case .uint8:
            return try NumericArray(shape: entry.shape, bytes.values(of: UInt8.self, at: entry.offset, count: count))
        default:
            throw DataError.bad(
                name, at: entry.offset,
                "\(array) is of type \(entry.typeName); only F32, F64 and U8 can be read, so convert it to one of them"
            )
        }
    }

    /// The values of an array as float32; those of F64 are rounded.
    ///
    /// - Throws: as `array(_:)` does.
    public func floats(_ array: String) throws -> [Float] { try self.array(array).floats }

    /// The values of an array as float64; those of F32 are widened, exactly.
    ///
    /// - Throws: as `array(_:)` does.
    public func doubles(_ array: String) throws -> [Double] { try self.array(array).doubles }
}

extension SafetensorsFile {
    /// Writes arrays and texts to a file, atomically. The same content gives the same bytes.
    ///
    /// - Parameter hasDigest: whether a digest of the content is written with it, for `checkDigest`.
    /// - Precondition: no array is named `__metadata__`.
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public static func write(
        _ arrays: [String: NumericArray], metadata: [String: String] = [:], hasDigest: Bool = false, to path: String
    ) throws(DataError) {
        var metadata = metadata
        if hasDigest {
            var digest = digest(of: metadata)
            for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
                digest.combine("\(name) \(array.values.typeName) \(array.shape)")
                digest.combine(array.values)
            }
            metadata[digestKey] = digest.text
        }
        // Wide elements first: each then stands at a multiple of its size although nothing lies between them.
        let ordered = arrays.sorted { a, b in
            let (wide, other) = (a.value.values.elementSize, b.value.values.elementSize)
            return wide == other ? a.key < b.key : wide > other
        }
        let header = header(of: ordered, metadata: metadata)
        try AtomicFile.write(to: path) { (file) throws(DataError) in
            try file.append(header)
            for (_, array) in ordered { try file.append(array.values) }
        }
    }

    private static func header(of arrays: [(key: String, value: NumericArray)], metadata: [String: String]) -> [UInt8] {
        var members: [String: String] = [:]
        if !metadata.isEmpty { members[SafetensorsHeader.metadataKey] = object(metadata.mapValues(jsonQuoted)) }
        var offset = 0
        for (name, array) in arrays {
            precondition(name != SafetensorsHeader.metadataKey, "an array cannot be named \(name)")
            let end = offset + array.values.count * array.values.elementSize
            members[name] = object([
                "dtype": jsonQuoted(array.values.typeName), "shape": list(array.shape), "data_offsets": list([offset, end]),
            ])
            offset = end
        }
        var json = Array(object(members).utf8)
        // The first array starts at a multiple of 8; JSON may end in spaces.
        json += Array(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
    }

    /// A JSON object, its keys in order.
    private static func object(_ members: [String: String]) -> String {
        "{" + members.sorted { $0.key < $1.key }.map { "\(jsonQuoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
    }

    private static func list(_ numbers: [Int]) -> String { "[" + numbers.map(String.init).joined(separator: ",") + "]" }
}

extension NumericArray.Values {
    fileprivate var typeName: String {
        switch self {
        case .float32: SafetensorsFile.ElementType.float32.rawValue
        case .float64: SafetensorsFile.ElementType.float64.rawValue
        case .uint8: SafetensorsFile.ElementType.uint8.rawValue
        }
    }
}
