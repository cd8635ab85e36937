import CPNG

/// A picture of 8 bits a channel: gray or red, green, blue.
public struct Picture: Equatable, Sendable {
    public let width: Int
    public let height: Int
    /// 1 (gray) or 3 (red, green, blue).
    public let channels: Int
    /// [height, width, channels]
    public internal(set) var pixels: [UInt8]

    /// - Precondition: one or three channels, at least one pixel, and as many bytes as the sizes say.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(channels == 1 || channels == 3, "a picture has 1 or 3 channels, not \(channels)")
        precondition(width > 0 && height > 0, "a picture has at least one pixel, not \(width)x\(height)")
        precondition(elementCount(of: [height, width, channels]) == pixels.count, "bytes do not fill the picture")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }
}

/// Pictures as PNG files.
public enum PNG {
    /// The most bytes that a decoded picture may have, 1 GiB.
    private static let largestPicture = 1 << 30

    /// Writes a picture, atomically.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public static func write(_ picture: Picture, to path: String) throws {
        var image = makeImage()
        defer { png_image_free(&image) }
        image.width = UInt32(picture.width)
        image.height = UInt32(picture.height)
        image.format = format(channels: picture.channels)
        // An upper bound, so that one pass of compression is enough: each row has a byte for its filter, zlib adds at most
        // what libpng reckons with, and each 8 KiB are a chunk with 12 bytes of its own.
        let rows = picture.pixels.count + picture.height
        let compressed = rows + rows / 8 + rows / 64 + 64
        var size = png_alloc_size_t(compressed + 12 * (compressed / 8192 + 1) + 256)
        var written: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            written = png_image_write_to_memory(&image, buffer.baseAddress, &size, 0, picture.pixels, 0, nil)
            count = written == 0 ? 0 : Int(size)
        }
        guard written != 0 else {
            throw DataError(.cannotWrite, "\(path): the picture cannot be encoded: \(message(image))")
        }
        try AtomicFile.write(bytes, to: path)
    }

    /// Reads a file of any kind of PNG. Gray stays gray, colors and palettes become red, green, blue; 16 bits become 8;
    /// what is transparent is laid over black.
    public static func read(contentsOf path: String) throws -> Picture {
        try read(bytes: readFile(path), name: path)
    }

    /// Reads bytes in memory; `name` is what messages call them.
    public static func read(bytes: [UInt8], name: String) throws -> Picture {
        var image = makeImage()
        defer { png_image_free(&image) }
        return try bytes.withUnsafeBytes { source in
            guard png_image_begin_read_from_memory(&image, source.baseAddress, source.count) != 0 else {
                throw DataError(.badInput, "\(name): is not a PNG file that can be read: \(message(image))")
            }
            let channels = image.format & PNG_FORMAT_FLAG_COLOR != 0 ? 3 : 1
            let (width, height) = (Int(image.width), Int(image.height))
            // Deflate shrinks to 1/1032 at best and a pixel takes a bit at least: a larger claim is a trap.
            guard let pixels = elementCount(of: [width, height]), pixels / 8 / 1032 <= bytes.count,
                pixels <= largestPicture / channels
            else {
                throw DataError.bad(
                    name, at: 16,
                    "\(width)x\(height) pixels are more than \(bytes.count) bytes can hold or than can be read")
            }
            image.format = format(channels: channels)
            // 16-bit samples of a file that does not say are as those of 8 bits, not linear.
            image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
            var background = png_color(red: 0, green: 0, blue: 0)
            var status: Int32 = 0
            let decoded = [UInt8](unsafeUninitializedCapacity: pixels * channels) { buffer, count in
                status = png_image_finish_read(&image, &background, buffer.baseAddress, 0, nil)
                count = status == 0 ? 0 : pixels * channels
            }
            guard status != 0 else {
                throw DataError(.badInput, "\(name): is a damaged PNG file: \(message(image))")
            }
            return Picture(width: width, height: height, channels: channels, pixels: decoded)
        }
    }

    private static func makeImage() -> png_image {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        return image
    }

    private static func format(channels: Int) -> UInt32 {
        channels == 3 ? UInt32(PNG_FORMAT_RGB) : UInt32(PNG_FORMAT_GRAY)
    }

    private static func message(_ image: png_image) -> String {
        withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
