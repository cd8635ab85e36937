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

    /// Reads a file of any kind of PNG. Gray stays gray, colors and palettes become red, green, blue; 16 bits become 8.
    /// The numbers stand as they are in the file, whatever it says of gamma and color space; what is transparent is laid
    /// over black, each number times its opacity.
    ///
    /// - Throws: `DataError`; `KernelError.memory` if the system refuses as much memory as the picture takes.
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

    /// Reads bytes in memory; `name` is what messages call them.
    public static func read(bytes: [UInt8], name: String) throws -> Picture {
        _ = try PNGChunks.pictureSize(bytes, fileSize: bytes.count, name: name)
        let bytes = PNGChunks.withoutColorSpace(bytes)
        var image = makeImage()
        defer { png_image_free(&image) }
        return try bytes.withUnsafeBytes { source in
            guard png_image_begin_read_from_memory(&image, source.baseAddress, source.count) != 0 else {
                throw DataError(.badInput, "\(name): is not a PNG file that can be read: \(message(image))")
            }
            let channels = image.format & PNG_FORMAT_FLAG_COLOR != 0 ? 3 : 1
            let isTransparent = image.format & PNG_FORMAT_FLAG_ALPHA != 0
            let (width, height) = (Int(image.width), Int(image.height))
            let count = width * height
            let stride = channels + (isTransparent ? 1 : 0)
            image.format = format(channels: channels) | (isTransparent ? PNG_FORMAT_FLAG_ALPHA : 0)
            // 16-bit samples are as those of 8 bits, not linear.
            image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
            try requireMemory(count * stride)
            var status: Int32 = 0
            let decoded = [UInt8](unsafeUninitializedCapacity: count * stride) { buffer, filled in
                status = png_image_finish_read(&image, nil, buffer.baseAddress, 0, nil)
                filled = status == 0 ? 0 : count * stride
            }
            guard status != 0 else {
                throw DataError(.badInput, "\(name): is a damaged PNG file: \(message(image))")
            }
            let pixels = isTransparent ? try overBlack(decoded, channels: channels) : decoded
            return Picture(width: width, height: height, channels: channels, pixels: pixels)
        }
    }

    /// Pixels without their last channel, the opacity, by which the others are multiplied.
    private static func overBlack(_ pixels: [UInt8], channels: Int) throws -> [UInt8] {
        let count = pixels.count / (channels + 1)
        try requireMemory(count * channels)
        return [UInt8](unsafeUninitializedCapacity: count * channels) { buffer, filled in
            for pixel in 0..<count {
                let source = pixel * (channels + 1)
                let opacity = Int(pixels[source + channels])
                for channel in 0..<channels {
                    buffer[pixel * channels + channel] = UInt8((Int(pixels[source + channel]) * opacity + 127) / 255)
                }
            }
            filled = count * channels
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

    private static func number(_ bytes: [UInt8], at position: Int) -> Int {
        bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
