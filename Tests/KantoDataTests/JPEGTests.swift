import Testing

@testable import KantoData

/// The numbers are those that Pillow 13 gives for the same files.
@Suite(.enabled(if: JPEG.isAvailable)) struct JPEGTests {
    @Test(
        arguments: [
            ("gray.jpg", 1, [52, 58, 65], [166, 172, 178], 5526), ("color.jpg", 3, [20, 40, 201], [198, 189, 72], 17187),
            ("progressive.jpg", 3, [20, 40, 201], [198, 189, 72], 17187), ("inks.jpg", 3, [20, 40, 200], [195, 190, 72], 17200),
        ] as [(String, Int, [UInt8], [UInt8], Int)])
    func readsEveryKind(name: String, channels: Int, first: [UInt8], last: [UInt8], sum: Int) throws {
        let bytes = try fixture(name)
        let picture = try JPEG.read(bytes: bytes, name: name)
        #expect(picture.width == 8 && picture.height == 6 && picture.channels == channels)
        #expect(picture.pixels.starts(with: first) && picture.pixels.suffix(3) == last[...])
        // Another release of the library may round another way.
        #expect(abs(picture.pixels.reduce(0) { $0 + Int($1) } - sum) < 200)
        #expect(try JPEG.shape(Array(bytes), fileSize: bytes.count, name: name) == [6, 8, channels])
    }

    /// Where libjpeg alone fills in gray and warns.
    @Test func refusesTruncation() throws {
        for name in ["gray.jpg", "color.jpg", "progressive.jpg"] {
            let bytes = try fixture(name)
            // The two bytes of the end may be missing.
            for length in 0..<bytes.count - 8 {
                let error = dataError { _ = try JPEG.read(bytes: Array(bytes[..<length]), name: "cut") }
                #expect(error?.kind == .badInput && error?.description.hasPrefix("cut: is ") == true, "\(name) \(length)")
            }
        }
    }

    @Test func refusesSizesThatNoFileHolds() throws {
        var bytes = try fixture("color.jpg")
        // The frame's header: FF C0, its length, 8 bits, height, width.
        let frame = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        bytes.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0, 0xFF, 0])
        let error = dataError { _ = try JPEG.read(bytes: bytes, name: "huge") }
        #expect(error?.description.contains("65280x65280 pixels are more than") == true)
    }
}
