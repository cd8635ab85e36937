import Testing

@testable import KantoData

/// Where the build has no libpng.
@Suite(.disabled(if: PNG.isAvailable)) struct MissingPNGTests {
    @Test func saysHowToGetIt() throws {
        try withTemporaryFolder { folder in
            let written = dataError { try PNG.write(Picture(width: 1, height: 1, channels: 1, pixels: [0]), to: "\(folder)/a.png") }
            #expect(written?.kind == .cannotWrite)
            let read = dataError { _ = try PNG.read(bytes: PNGTests.gray, name: "a.png") }
            #expect(read?.kind == .badInput)
            for words in ["a.png: ", "apt-get install libpng-dev", "'swift package purge-cache'"] {
                #expect(written?.description.contains(words) == true && read?.description.contains(words) == true)
            }
            #expect(allNames(folder).isEmpty)
        }
    }
}

@Suite(.enabled(if: PNG.isAvailable)) struct PNGTests {
    static let gray = png(width: 8, depth: 1, color: 0, row: [0xa5])

    @Test(arguments: [1, 3], [(1, 1), (7, 5), (300, 2)]) func roundTrips(channels: Int, size: (Int, Int)) throws {
        let count = size.0 * size.1 * channels
        // Noise, which compression cannot shrink.
        var state: UInt32 = 1
        let pixels = (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        let picture = Picture(width: size.0, height: size.1, channels: channels, pixels: pixels)
        try withTemporaryFolder { folder in
            try PNG.write(picture, to: "\(folder)/a.png")
            #expect(try PNG.read(contentsOf: "\(folder)/a.png") == picture)
            try PNG.write(picture, to: "\(folder)/b.png")
            #expect(try readFile("\(folder)/a.png") == readFile("\(folder)/b.png"))
        }
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let content = Array(type.utf8) + data
        return littleEndian(UInt32(data.count)).reversed() + content + littleEndian(crc32(content[...])).reversed()
    }

    /// A PNG file of one row, in the zlib form that does not compress.
    private static func png(width: UInt8, depth: UInt8, color: UInt8, row: [UInt8], chunks: [UInt8] = []) -> [UInt8] {
        let raw = [0] + row
        var sums: (UInt32, UInt32) = (1, 0)
        for byte in raw {
            sums.0 = (sums.0 + UInt32(byte)) % 65521
            sums.1 = (sums.1 + sums.0) % 65521
        }
        let stored = [1] + littleEndian(UInt16(raw.count)) + littleEndian(~UInt16(raw.count)) + raw
        let zlib = [0x78, 0x01] + stored + littleEndian(sums.1 << 16 | sums.0).reversed()
        let header = [0, 0, 0, width, 0, 0, 0, 1, depth, color, 0, 0, 0]
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", header)
            + chunks + chunk("IDAT", zlib) + chunk("IEND", [])
    }

    @Test(
        arguments: [
            (gray, 1, [255, 0, 255, 0, 0, 255, 0, 255]),
            (png(width: 2, depth: 16, color: 0, row: [0xff, 0xff, 0x80, 0x80]), 1, [255, 128]),
            (png(width: 2, depth: 8, color: 3, row: [1, 0], chunks: chunk("PLTE", [1, 2, 3, 4, 5, 6])), 3, [4, 5, 6, 1, 2, 3]),
            (png(width: 2, depth: 8, color: 6, row: [255, 9, 0, 255, 7, 255, 0, 0]), 3, [255, 9, 0, 0, 0, 0]),
            // Numbers stand as they are, whatever is said of gamma and colors; what is transparent is laid over black. As
            // Pillow gives them.
            (png(width: 1, depth: 8, color: 0, row: [128], chunks: chunk("gAMA", [0, 1, 0x86, 0xA0])), 1, [128]),
            (
                png(width: 1, depth: 8, color: 2, row: [10, 128, 200], chunks: chunk("gAMA", [0, 0, 0xB1, 0x8F]) + chunk("sRGB", [0])),
                3, [10, 128, 200]
            ),
            (png(width: 3, depth: 8, color: 4, row: [200, 128, 200, 255, 7, 0]), 1, [100, 200, 0]),
            (png(width: 1, depth: 8, color: 6, row: [200, 100, 255, 128], chunks: chunk("gAMA", [0, 1, 0x86, 0xA0])), 3, [100, 50, 128]),
            (
                png(width: 2, depth: 8, color: 3, row: [1, 0], chunks: chunk("PLTE", [1, 2, 3, 40, 50, 60]) + chunk("tRNS", [255, 51])),
                3, [8, 10, 12, 1, 2, 3]
            ),
        ] as [([UInt8], Int, [UInt8])])
    func readsOtherKinds(bytes: [UInt8], channels: Int, pixels: [UInt8]) throws {
        let picture = try PNG.read(bytes: bytes, name: "file")
        #expect(picture.channels == channels)
        #expect(picture.pixels == pixels)
    }

    @Test func refusesTruncationAndDamage() throws {
        try withTemporaryFolder { folder in
            try PNG.write(Picture(width: 2, height: 2, channels: 1, pixels: [0, 50, 100, 255]), to: "\(folder)/a.png")
            let bytes = try readFile("\(folder)/a.png")
            // The end chunk, the last 12 bytes, holds nothing and its absence is forgiven by libpng.
            for length in 0..<bytes.count - 16 {
                let error = dataError { _ = try PNG.read(bytes: Array(bytes[..<length]), name: "cut") }
                #expect(error?.kind == .badInput, "\(length)")
            }
            // A claim of 2 GB in a file of a hundred bytes, with the checksum that belongs to it.
            var huge = bytes
            huge.replaceSubrange(16..<24, with: [0, 0, 0xb0, 0, 0, 0, 0xb0, 0])
            let checksum = Self.crc32(huge[12..<29])
            huge.replaceSubrange(29..<33, with: littleEndian(checksum).reversed())
            let error = dataError { _ = try PNG.read(bytes: huge, name: "huge") }
            #expect(error?.description.contains("45056x45056 pixels are more than") == true)
        }
    }

    @Test func saysWhenItCannotWrite() throws {
        let picture = Picture(width: 1, height: 1, channels: 1, pixels: [0])
        #expect(dataError { try PNG.write(picture, to: "/dev/full") }?.kind == .cannotWrite)
    }

    private static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~0 as UInt32) { checksum, byte in
            (0..<8).reduce(checksum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xedb8_8320 : 0) }
        }
    }
}
