import KantoData

/// Pictures in rows and columns as a PNG file that a page holds in itself. The gaps are transparent, so that the page's style paints
/// them; a picture is about 32 pixels wide, and the style shows it in its own size or in twice that, so that all its pixels are
/// equally large.
struct SampleSheet: Equatable {
    /// `data:image/png;base64,…`
    let source: String
    /// In pixels.
    let width: Int
    /// In pixels.
    let height: Int

    static let columns = 8
    /// In pixels.
    static let standardSide = 32
    /// The largest side, in pixels, that is kept as it is.
    static let largestSide = 64

    /// - Throws: `DataError` if this build has no libpng.
    init(_ tiles: SampleTiles, columns: Int = SampleSheet.columns, gap: Int = 1) throws(DataError) {
        let side = max(tiles.height, tiles.width)
        let tiles = tiles.shrunk(by: (side + Self.largestSide - 1) / Self.largestSide)
        let scale = max(1, Int((Double(Self.standardSide) / Double(max(tiles.height, tiles.width))).rounded()))
        let rows = (tiles.count + columns - 1) / columns
        let (cellWidth, cellHeight) = (tiles.width * scale + gap, tiles.height * scale + gap)
        width = columns * cellWidth - gap
        height = rows * cellHeight - gap
        let channels = tiles.channels
        var pixels = [UInt8](repeating: 255, count: width * height * channels)
        for tile in 0..<tiles.count {
            let (left, top) = (tile % columns * cellWidth, tile / columns * cellHeight)
            for y in 0..<tiles.height {
                let start = ((top + y * scale) * width + left) * channels
                var place = start
                for x in 0..<tiles.width {
                    let source = ((tile * tiles.height + y) * tiles.width + x) * channels
                    for _ in 0..<scale {
                        for channel in 0..<channels {
                            // White is the gap's.
                            pixels[place] = min(254, tiles.pixels[source + channel])
                            place += 1
                        }
                    }
                }
                for step in 1..<max(1, scale) {
                    let target = start + step * width * channels
                    for offset in 0..<place - start { pixels[target + offset] = pixels[start + offset] }
                }
            }
        }
        let picture = Picture(width: width, height: height, channels: channels, pixels: pixels)
        source = try pictureSource(picture, hidesWhite: gap > 0)
    }
}

/// A picture as an address that holds it.
///
/// - Throws: `DataError` if this build has no libpng.
func pictureSource(_ picture: Picture, hidesWhite: Bool = false) throws(DataError) -> String {
    "data:image/png;base64," + base64(try PNG.bytes(of: picture, hidesWhite: hidesWhite, name: "report"))
}
