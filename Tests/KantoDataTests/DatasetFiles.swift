import Testing

@testable import KantoData

// Files of each format, made without the means under test.

/// A fixture of this folder.
func fixture(_ name: String) throws -> [UInt8] {
    try readFile(
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Fixtures/\(name)")
}

func bigEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { littleEndian(value).reversed() }

func idxFile(_ sizes: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(sizes.count)] + sizes.flatMap { bigEndian(UInt32($0)) } + values
}

func npyFile(_ type: String, _ shape: [Int], _ data: [UInt8], isColumnMajor: Bool = false) -> [UInt8] {
    let sizes = shape.map { "\($0)," }.joined()
    let header = Array("{'descr': '\(type)', 'fortran_order': \(isColumnMajor ? "True" : "False"), 'shape': (\(sizes)), }\n".utf8)
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + littleEndian(UInt16(header.count)) + header + data
}

func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0 as UInt32) { checksum, byte in
        (0..<8).reduce(checksum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0) }
    }
}

/// What deflate makes of bytes that it does not compress.
private func storedDeflate(_ bytes: [UInt8]) -> [UInt8] {
    [1] + littleEndian(UInt16(bytes.count)) + littleEndian(~UInt16(bytes.count)) + bytes
}

/// A .gz file, uncompressed.
func gzipFile(_ bytes: [UInt8]) -> [UInt8] {
    [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + storedDeflate(bytes) + littleEndian(crc32(bytes)) + littleEndian(UInt32(bytes.count))
}

/// A zip archive of stored files, or of deflated ones that are not compressed.
func zipFile(_ files: KeyValuePairs<String, [UInt8]>, isDeflated: Bool = false) -> [UInt8] {
    var archive: [UInt8] = []
    var list: [UInt8] = []
    for (name, content) in files {
        let data = isDeflated ? storedDeflate(content) : content
        let common: [UInt8] =
            [20, 0, 0, 0, isDeflated ? 8 : 0, 0, 0, 0, 0, 0] + littleEndian(crc32(content)) + littleEndian(UInt32(data.count))
            + littleEndian(UInt32(content.count)) + littleEndian(UInt16(name.utf8.count)) + [0, 0]
        list +=
            [0x50, 0x4B, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10) + littleEndian(UInt32(archive.count))
            + Array(name.utf8)
        archive += [0x50, 0x4B, 3, 4] + common + Array(name.utf8) + data
    }
    let count = littleEndian(UInt16(files.count))
    return archive + list + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count + littleEndian(UInt32(list.count))
        + littleEndian(UInt32(archive.count)) + [0, 0]
}

/// Opens data with a description that is changed from the default.
func open(
    _ path: String, _ options: Datasets.Options = Datasets.Options(), _ change: (inout DataDescription) -> Void = { _ in }
) throws -> any Dataset {
    var description = DataDescription(path: path)
    change(&description)
    return try Datasets.open(description, options)
}

extension Dataset {
    /// All samples, one after the other.
    func all() throws -> [Float] { try samples(Array(0..<count)) }
}

/// Whether two lists are as long and nowhere farther apart than `tolerance`.
func isClose(_ a: [Float], _ b: [Float], _ tolerance: Float = 1e-6) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
}
