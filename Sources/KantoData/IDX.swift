/// What stands before the elements of an IDX file, the format in which MNIST and its relatives are published: two zero bytes, the
/// element type, the number of dimensions, each size as a big-endian 32-bit number; then come the elements, row-major.
///
/// Source: http://yann.lecun.com/exdb/mnist/
struct IDXHeader {
    /// With as many dimensions as there may be, in bytes.
    static let largest = 4 + 4 * 8

    let shape: [Int]
    let format: NumberFormat
    /// Where the elements start.
    let start: Int

    /// - Parameters:
    ///   - bytes: the file's first bytes, `largest` or all.
    ///   - fileSize: in bytes; must be what the header says.
    ///   - types: those that the caller reads.
    init(_ bytes: [UInt8], fileSize: Int, name: String, types: [UInt8: NumberType] = [8: .uint8]) throws {
        if bytes.starts(with: [0x1f, 0x8b]) {
            throw DataError.bad(
                name, at: 0, "is compressed by gzip, which is not read here; decompress it: gunzip \(name)")
        }
        guard bytes.count >= 4 else {
            throw DataError.bad(name, at: bytes.count, "the file ends; expected the 4 bytes that start an IDX file")
        }
        guard bytes[0] == 0, bytes[1] == 0 else {
            throw DataError.bad(
                name, at: 0, "expected an IDX file, which starts with bytes 0 0; found \(bytes[0]) \(bytes[1])")
        }
        guard let type = types[bytes[2]] else {
            let type = Self.typeNames[bytes[2]] ?? "unknown"
            throw DataError.bad(
                name, at: 2,
                "expected element type \(types.count == 1 ? "8 (unsigned byte)" : "8, 9 or 11 to 14"); found \(bytes[2]) (\(type)), which is not read here"
            )
        }
        let rank = Int(bytes[3])
        guard 1...8 ~= rank else {
            throw DataError.bad(name, at: 3, "expected 1 to 8 dimensions; found \(rank)")
        }
        let start = 4 + 4 * rank
        guard bytes.count >= start else {
            throw DataError.bad(
                name, at: bytes.count, "the file ends; expected the sizes of \(rank) dimensions up to byte \(start)")
        }
        let shape = (0..<rank).map { dimension in
            bytes[4 + 4 * dimension..<8 + 4 * dimension].reduce(0) { $0 << 8 | Int($1) }
        }
        guard let count = elementCount(of: shape).flatMap({ checkedProduct($0, type.size) }), count <= Self.largestSize else {
            throw DataError.bad(name, at: 4, "the sizes \(shape) are more than any file holds")
        }
        guard fileSize == start + count else {
            throw DataError.bad(
                name, at: min(fileSize, start + count),
                "expected \(start + count) bytes for the sizes \(shape); found \(fileSize)")
        }
        self.shape = shape
        self.start = start
        format = NumberFormat(type, isBigEndian: true)
    }

    /// In bytes; 1 TiB.
    private static let largestSize = 1 << 40

    /// All types that the format has.
    static let types: [UInt8: NumberType] = [8: .uint8, 9: .int8, 0x0b: .int16, 0x0c: .int32, 0x0d: .float32, 0x0e: .float64]

    private static let typeNames: [UInt8: String] = [
        9: "signed byte", 0x0b: "16-bit integer", 0x0c: "32-bit integer", 0x0d: "float32", 0x0e: "float64",
    ]
}
