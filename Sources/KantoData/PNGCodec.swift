#if LIBPNG
    import CPNG

    /// What libpng does for `PNG`. The sizes that a file claims were checked before.
    enum PNGCodec {
        static let isAvailable = true

        /// - Throws: `DataError` of kind `.cannotWrite`.
        static func encode(_ picture: Picture, name: String) throws(DataError) -> [UInt8] {
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
                throw DataError(.cannotWrite, "\(name): the picture cannot be encoded: \(message(image))")
            }
            return bytes
        }

        /// - Throws: `DataError` if the file is damaged; `KernelError.memory` if the system refuses as much memory as the picture takes.
        static func decode(_ bytes: [UInt8], name: String) throws -> Picture {
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
#else
    /// What stands in for libpng where it is missing.
    enum PNGCodec {
        static let isAvailable = false

        static func encode(_ picture: Picture, name: String) throws(DataError) -> [UInt8] {
            throw PNG.unavailable(.cannotWrite, name)
        }
        static func decode(_ bytes: [UInt8], name: String) throws(DataError) -> Picture { throw PNG.unavailable(.badInput, name) }
    }
#endif
