#if LIBJPEG
    import KantoJPEG
#endif

/// Pictures out of JPEG files, by libjpeg-turbo.
///
/// A build on a machine without it reads none; everything else works there.
public enum JPEG {
    /// Whether this build has libjpeg-turbo.
    public static var isAvailable: Bool {
        #if LIBJPEG
            true
        #else
            false
        #endif
    }

    /// How a build gets it, for people.
    public static let wayToGet =
        "libjpeg62-turbo-dev was not installed when Kanto was built (apt-get install libjpeg62-turbo-dev, then "
        + "'swift package purge-cache', then build again)"

    /// The most bytes that a decoded picture may have, 1 GiB.
    private static let largestPicture = 1 << 30

    static let magic: [UInt8] = [0xFF, 0xD8, 0xFF]

    /// Reads bytes in memory: gray stays gray, all else becomes red, green, blue. `name` is what messages call them.
    ///
    /// A file that ends too early or whose coded data are damaged is refused, where libjpeg alone fills in gray.
    ///
    /// - Throws: `DataError`, also if this build has no libjpeg-turbo; `KernelError.memory` if the system refuses as much
    ///   memory as the picture takes.
    public static func read(bytes: [UInt8], name: String) throws -> Picture {
        #if LIBJPEG
            let size = try examine(bytes, fileSize: bytes.count, name: name)
            let (width, height, channels) = (Int(size.width), Int(size.height), Int(size.channels))
            let count = width * height * channels
            try requireMemory(count)
            return try withMessage { message in
                var picture = size
                var status: Int32 = 0
                let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                    status = kanto_jpeg_decode(bytes, bytes.count, &picture, buffer.baseAddress, message)
                    filled = status == 0 ? count : 0
                }
                guard status == 0 else {
                    throw DataError(.badInput, "\(name): is a damaged JPEG file: \(String(cString: message))")
                }
                return Picture(width: width, height: height, channels: channels, pixels: pixels)
            }
        #else
            throw unavailable(name)
        #endif
    }

    /// The height, the width and the number of channels, from a file's first bytes, as far as its pixels at least.
    static func shape(_ bytes: [UInt8], fileSize: Int, name: String) throws -> [Int] {
        #if LIBJPEG
            let size = try examine(bytes, fileSize: fileSize, name: name)
            return [Int(size.height), Int(size.width), Int(size.channels)]
        #else
            throw unavailable(name)
        #endif
    }

    static func unavailable(_ name: String) -> DataError {
        DataError(.badInput, "\(name): this build reads no JPEG: \(wayToGet)")
    }

    #if LIBJPEG
        private static func examine(_ bytes: [UInt8], fileSize: Int, name: String) throws -> kanto_jpeg_picture {
            let size = try withMessage { message in
                var picture = kanto_jpeg_picture()
                guard kanto_jpeg_examine(bytes, bytes.count, &picture, message) == 0 else {
                    throw DataError(.badInput, "\(name): is not a JPEG file that can be read: \(String(cString: message))")
                }
                return picture
            }
            // A block of 8x8 takes a bit at least, or somewhat less where it is coded arithmetically.
            let pixels = Int(size.width) * Int(size.height)
            guard pixels > 0, pixels * Int(size.channels) <= largestPicture, pixels / 4096 <= fileSize else {
                throw DataError(
                    .badInput,
                    "\(name): \(size.width)x\(size.height) pixels are more than \(fileSize) bytes can hold or than can be read")
            }
            return size
        }

        private static func withMessage<R>(_ body: (UnsafeMutablePointer<CChar>) throws -> R) rethrows -> R {
            try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(KANTO_JPEG_MESSAGE)) { buffer in
                buffer[0] = 0
                return try body(buffer.baseAddress!)
            }
        }
    #endif
}
