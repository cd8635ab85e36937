/// Pictures as PNG files, by libpng.
///
/// A build on a machine without libpng reads and writes none; everything else works there.
public enum PNG {
    /// Whether this build has libpng.
    public static var isAvailable: Bool { PNGCodec.isAvailable }

    /// How a build gets libpng, for people.
    public static let wayToGet =
        "libpng-dev was not installed when Kanto was built (apt-get install libpng-dev, then "
        + "'swift package purge-cache', then build again)"

    /// Whoever needs long for a picture asks before.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, which says how to get libpng, if this build does not have it.
    public static func requireAvailable(for path: String) throws(DataError) {
        guard isAvailable else { throw unavailable(.cannotWrite, path) }
    }

    static func unavailable(_ kind: DataError.Kind, _ name: String) -> DataError {
        DataError(kind, "\(name): this build \(kind == .cannotWrite ? "writes" : "reads") no PNG: \(wayToGet)")
    }

    /// Writes a picture, atomically.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, also if this build has no libpng.
    public static func write(_ picture: Picture, to path: String) throws(DataError) {
        try AtomicFile.write(bytes(of: picture, name: path), to: path)
    }

    /// A picture as the bytes of a file.
    ///
    /// - Parameter hidesWhite: pixels of full brightness in all channels are marked as transparent.
    /// - Throws: `DataError` of kind `.cannotWrite`, which names `name`, if this build has no libpng.
    package static func bytes(of picture: Picture, hidesWhite: Bool = false, name: String) throws(DataError) -> [UInt8] {
        let bytes = try PNGCodec.encode(picture, name: name)
        return hidesWhite ? PNGChunks.hidingWhite(bytes, channels: picture.channels) : bytes
    }

    /// Reads a file of any kind of PNG. Gray stays gray, colors and palettes become red, green, blue; 16 bits become 8.
    /// The numbers stand as they are in the file, whatever it says of gamma and color space; what is transparent is laid
    /// over black, each number times its opacity.
    ///
    /// - Throws: `DataError`, also if this build has no libpng; `KernelError.memory` if the system refuses as much memory as
    ///   the picture takes.
    public static func read(contentsOf path: String) throws -> Picture {
        let file = try InputFile(path)
        let size = try PNGChunks.pictureSize(file.prefix(PNGChunks.headerEnd), fileSize: file.size, name: path)
        // Stored without compression in 64 bits a pixel, a picture takes little more than 8 bytes each; the rest are texts.
        guard file.size <= 16 * size + largestExtra else {
            throw DataError(
                .badInput, "\(path): holds \(file.size) bytes, more than a picture of \(size) pixels can need")
        }
        return try read(bytes: file.content(), name: path)
    }

    /// What texts and color profiles may take, in bytes.
    private static let largestExtra = 1 << 26

    /// Reads bytes in memory, as a file of them; `name` is what messages call them.
    ///
    /// - Throws: as `read(contentsOf:)` does.
    public static func read(bytes: [UInt8], name: String) throws -> Picture {
        _ = try PNGChunks.pictureSize(bytes, fileSize: bytes.count, name: name)
        return try PNGCodec.decode(PNGChunks.withoutColorSpace(bytes), name: name)
    }
}

/// The parts of a PNG file, as far as they must be known before libpng reads it.
private enum PNGChunks {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    /// Signature and first chunk, which states the sizes, in bytes.
    static let headerEnd = 33
    /// The most bytes that a decoded picture may have, 1 GiB.
    private static let largestPicture = 1 << 30

    /// The number of pixels.
    ///
    /// - Parameter bytes: the file's first bytes, `headerEnd` or more or all.
    static func pictureSize(_ bytes: [UInt8], fileSize: Int, name: String) throws -> Int {
        guard bytes.starts(with: signature), bytes.count >= headerEnd, bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw DataError(.badInput, "\(name): is not a PNG file that can be read: it does not start as one")
        }
        let (width, height) = (number(bytes, at: 16), number(bytes, at: 20))
        // Deflate shrinks to 1/1032 at best and a pixel takes a bit at least: a larger claim is a trap.
        guard let pixels = elementCount(of: [width, height]), pixels / 8 / 1032 <= fileSize, pixels <= largestPicture / 4 else {
            throw DataError.bad(
                name, at: 16, "\(width)x\(height) pixels are more than \(fileSize) bytes can hold or than can be read")
        }
        return pixels
    }

    /// The file without what it says of gamma and color space, by which libpng would change its numbers.
    static func withoutColorSpace(_ bytes: [UInt8]) -> [UInt8] {
        var kept = Array(bytes[..<8])
        var position = 8
        while position + 12 <= bytes.count {
            let (end, isOver) = (position + 12).addingReportingOverflow(number(bytes, at: position))
            guard !isOver, end <= bytes.count else { break }
            let kind = bytes[position + 4..<position + 8]
            let isColorSpace = ["gAMA", "cHRM", "sRGB", "iCCP", "cICP"].contains { kind.elementsEqual($0.utf8) }
            if !isColorSpace { kept += bytes[position..<end] }
            position = end
        }
        return kept + bytes[position...]
    }

    /// With the chunk tRNS behind the first one, which says that white is transparent; its length, name, value and checksum.
    static func hidingWhite(_ bytes: [UInt8], channels: Int) -> [UInt8] {
        let chunk: [UInt8] =
            channels == 1
            ? [0, 0, 0, 2, 0x74, 0x52, 0x4E, 0x53, 0, 255, 0x5B, 0x91, 0x22, 0xB5]
            : [0, 0, 0, 6, 0x74, 0x52, 0x4E, 0x53, 0, 255, 0, 255, 0, 255, 0x37, 0x58, 0x1B, 0x7D]
        return bytes[..<headerEnd] + chunk + bytes[headerEnd...]
    }

    private static func number(_ bytes: [UInt8], at position: Int) -> Int {
        bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
