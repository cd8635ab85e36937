import KantoData
import KantoPictures
import Testing

@Suite struct ImageGridTests {
    @Test func laysOutRowsAndColumns() {
        // Three pictures of one row and two columns, in two columns of cells.
        let picture = ImageGrid.picture(
            of: [0, 1, 0.2, -3, 5, 0.4], shape: [3, 1, 2, 1], columns: 2, gap: 1, scale: 1)
        #expect([picture.width, picture.height, picture.channels] == [7, 5, 1])
        let gap = [UInt8](repeating: 128, count: 7)
        let expected: [[UInt8]] = [
            gap, [128, 0, 255, 128, 51, 0, 128], gap, [128, 255, 102, 128, 128, 128, 128], gap,
        ]
        #expect(picture.pixels == expected.flatMap(\.self))
    }

    @Test func scalesWithoutBlurring() {
        let picture = ImageGrid.picture(of: [-1, 1], shape: [1, 2, 1, 1], range: -1...1, gap: 0, scale: 2)
        #expect(picture == Picture(width: 2, height: 4, channels: 1, pixels: [0, 0, 0, 0, 255, 255, 255, 255]))
    }

    @Test func drawsNaNInMagenta() {
        let gray = ImageGrid.picture(of: [.nan, 0.2], shape: [1, 1, 2, 1], gap: 0, scale: 1)
        #expect(gray == Picture(width: 2, height: 1, channels: 3, pixels: [255, 0, 255, 51, 51, 51]))
        let color = ImageGrid.picture(
            of: [0, .nan, 0, 0.2, .infinity, -.infinity], shape: [1, 1, 2, 3], gap: 0, scale: 1)
        #expect(color == Picture(width: 2, height: 1, channels: 3, pixels: [255, 0, 255, 51, 255, 0]))
    }

    @Test(arguments: [(8, 48), (28, 56), (32, 64), (64, 64), (1, 48), (47, 94)]) func choosesAScale(
        side: Int, cell: Int
    ) {
        let values = [Float](repeating: 0, count: side * side)
        #expect(ImageGrid.picture(of: values, shape: [1, side, side, 1], gap: 0).width == cell)
    }

    @Test func setsARowApart() {
        let picture = ImageGrid.picture(of: [0, 1], shape: [2, 1, 1, 1], apart: [0.2, 0.4], columns: 2, gap: 1, scale: 1)
        #expect((picture.width, picture.height) == (5, 3 + 8 + 2))
        #expect(Array(picture.pixels[5..<10]) == [128, 0, 128, 255, 128])
        #expect(Array(picture.pixels[11 * 5..<12 * 5]) == [128, 51, 128, 102, 128])
    }

    /// The report reads the pictures of a run's grids, and of those of earlier versions.
    @Test(arguments: [(8, 8, 1, 1), (8, 8, 1, 2), (28, 28, 1, 1), (6, 10, 3, 1), (64, 48, 3, 2)])
    func aGridIsReadBack(height: Int, width: Int, channels: Int, gap: Int) throws {
        let size = height * width * channels
        let bytes = (0..<16 * size).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 11) }
        let values = bytes.map { Float($0) / 255 }
        for apart in [[], Array(values.prefix(8 * size))] {
            let grid = ImageGrid.picture(
                of: values, shape: [16, height, width, channels], apart: apart, columns: 8, gap: gap)
            let found = try #require(ImageGrid.tiles(of: grid, height: height, width: width, columns: 8))
            #expect(found.count == 16 && found.pixels == bytes)
        }
        let other = Picture(width: 100, height: 100, channels: 1, pixels: [UInt8](repeating: 0, count: 10_000))
        #expect(ImageGrid.tiles(of: other, height: height, width: width, columns: 8) == nil)
    }

    @Test func choosesColumns() {
        let picture = ImageGrid.picture(of: [Float](repeating: 0, count: 64), shape: [64, 1, 1, 1], gap: 0, scale: 1)
        #expect((picture.width, picture.height) == (8, 8))
    }
}
