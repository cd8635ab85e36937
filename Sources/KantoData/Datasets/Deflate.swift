#if ZLIB
    import CZlib
#endif

/// Whether and how this build reads what is compressed by deflate: `.gz` files and the parts of `.npz` archives.
enum Deflate {
    static var isAvailable: Bool {
        #if ZLIB
            true
        #else
            false
        #endif
    }

    /// How a build gets zlib, for people.
    static let wayToGet =
        "zlib1g-dev was not installed when Kanto was built (apt-get install zlib1g-dev, then "
        + "'swift package purge-cache', then build again)"

    enum Wrapper {
        /// A whole .gz file, of one member or several, each with a checksum. RFC 1952.
        case gzip
        /// Nothing but the compressed data, as in a zip archive. RFC 1951.
        case none
    }

    static let gzipMagic: [UInt8] = [0x1F, 0x8B]

    /// What `source` holds, decompressed. It is gone through twice, so that nothing is allocated before its size is known.
    ///
    /// - Parameter limit: in bytes, for what is compressed and for what comes out of it.
    /// - Throws: `DataError` if it is damaged, too large, or if this build has no zlib; `KernelError.memory`.
    static func content(of source: ByteSource, _ wrapper: Wrapper, atMost limit: Int) throws -> ByteSource {
        guard isAvailable else {
            throw DataError(.badInput, "\(source.name): is compressed, which this build does not read: \(wayToGet)")
        }
        guard source.size <= limit else { throw tooLarge(source.name, limit) }
        let compressed = try source.bytes(0..<source.size)
        // Deflate makes 1032 bytes of one at best.
        let size = try run(
            compressed, wrapper, source.name, atMost: min(limit, compressed.count.multipliedClamping(by: 1040)), into: nil)
        try requireMemory(size)
        let content = try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            filled = try run(
                compressed, wrapper, source.name, atMost: size, into: UnsafeMutableBufferPointer(rebasing: buffer[..<size]))
        }
        return ByteSource(content, name: source.name)
    }

    private static func tooLarge(_ name: String, _ limit: Int) -> DataError {
        DataError(
            .badInput,
            "\(name): is compressed and takes more than \(limit) bytes of memory; decompressed, it is read piece by piece")
    }

    #if ZLIB
        /// The number of bytes that come out; into `output` if there is one, otherwise to nowhere.
        private static func run(
            _ compressed: [UInt8], _ wrapper: Wrapper, _ name: String, atMost limit: Int,
            into output: UnsafeMutableBufferPointer<UInt8>?
        ) throws -> Int {
            var stream = z_stream()
            // 15: the largest window; 16 more: a gzip header; negative: no header.
            let status = inflateInit2_(
                &stream, wrapper == .gzip ? 15 + 16 : -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            guard status == Z_OK else { throw DataError(.badInput, "\(name): zlib does not start: status \(status)") }
            defer { inflateEnd(&stream) }
            return try compressed.withUnsafeBufferPointer { input in
                try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: output == nil ? 1 << 16 : 1) { window in
                    var (consumed, produced) = (0, 0)
                    while true {
                        // zlib counts in 32 bits.
                        let given = min(input.count - consumed, 1 << 30)
                        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + consumed })
                        stream.avail_in = UInt32(given)
                        // Past the end of what is expected there is room for one byte, which tells that there are more.
                        let isFull = output.map { produced == $0.count } ?? false
                        let room = output == nil ? window.count : isFull ? 1 : min(output!.count - produced, 1 << 30)
                        stream.next_out = isFull || output == nil ? window.baseAddress : output!.baseAddress! + produced
                        stream.avail_out = UInt32(room)
                        let status = inflate(&stream, Z_NO_FLUSH)
                        consumed += given - Int(stream.avail_in)
                        produced += room - Int(stream.avail_out)
                        guard produced <= limit else { throw tooLarge(name, limit) }
                        switch status {
                        case Z_STREAM_END:
                            // Another member may follow; zeros that fill a tape, or anything else, are none.
                            guard wrapper == .gzip, input[consumed...].starts(with: gzipMagic), inflateReset(&stream) == Z_OK
                            else {
                                return produced
                            }
                        case Z_OK, Z_BUF_ERROR:
                            guard consumed < input.count || stream.avail_out == 0 else {
                                throw DataError.bad(name, at: consumed, "the compressed data end too early")
                            }
                        default:
                            let reason = stream.msg.map { String(cString: $0) } ?? "status \(status)"
                            throw DataError.bad(name, at: consumed, "the compressed data are damaged: \(reason)")
                        }
                    }
                }
            }
        }

        /// As zip archives have it.
        static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
            UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
        }
    #else
        private static func run(
            _ compressed: [UInt8], _ wrapper: Wrapper, _ name: String, atMost limit: Int,
            into output: UnsafeMutableBufferPointer<UInt8>?
        ) throws -> Int { preconditionFailure("there is no zlib") }

        static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 { preconditionFailure("there is no zlib") }
    #endif
}

extension Int {
    fileprivate func multipliedClamping(by factor: Int) -> Int { checkedProduct(self, factor) ?? .max }
}
