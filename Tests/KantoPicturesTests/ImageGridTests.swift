import KantoData
import KantoPictures
import Testing

@Suite struct ImageGridTests {
    @Test func laysOutRowsAndColumns() {
        // Three pictures of one row and two columns, in two columns of cells.
        let picture = ImageGrid.picture(
            of: [0, 1, 0.2, -3, 5, 0.4], shape: [3, 1, 2, 1], columns: 2, gap: 1, scale: 1)
        #expect([picture.width, picture.height, picture.channels] == [7, 5, 1])
        let white = [UInt8](repeating: 255, count: 7)
        let expected: [[UInt8]] = [
            white, [255, 0, 255, 255, 51, 0, 255], white, [255, 255, 102, 255, 255, 255, 255], white,
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

    @Test func choosesColumns() {
        let picture = ImageGrid.picture(of: [Float](repeating: 0, count: 64), shape: [64, 1, 1, 1], gap: 0, scale: 1)
        #expect((picture.width, picture.height) == (8, 8))
    }
}
