import KantoData

/// Many small pictures laid out in rows and columns, a thin line of gray between them.
public enum ImageGrid {
    /// The side, in pixels, that a cell has at least when the scale is chosen.
    private static let smallestCell = 48
    /// Pixels before the rows that are set apart.
    private static let separation = 8
    /// Neither black nor white, so that a picture ends where it ends.
    private static let gapLevel: UInt8 = 128
    private static let notANumber: [UInt8] = [255, 0, 255]

    /// - Parameters:
    ///   - values: [n, h, w, c] with 1 or 3 channels, row-major.
    ///   - shape: n, h, w, c, none of them zero.
    ///   - apart: further pictures of that size, [any number, h, w, c], in rows of their own below the others.
    ///   - range: The values that become black and full brightness; what is outside is clamped. NaN is drawn in magenta,
    ///     and then the picture has three channels.
    ///   - columns: Cells in a row; when nil, about as many as rows.
    ///   - gap: Pixels between cells and around them.
    ///   - scale: Pixels a value, in each direction; when nil, such that a cell is at least 48 pixels on its shorter side.
    public static func picture(
        of values: [Float], shape: [Int], apart: [Float] = [], range: ClosedRange<Float> = 0...1, columns: Int? = nil,
        gap: Int = 1, scale: Int? = nil
    ) -> Picture {
        precondition(
            shape.count == 4 && shape.allSatisfy { $0 > 0 } && (shape[3] == 1 || shape[3] == 3),
            "a grid is made of [n, h, w, c] with 1 or 3 channels, not \(shape)")
        precondition(elementCount(of: shape) == values.count, "\(values.count) values do not fill \(shape)")
        let span = range.upperBound - range.lowerBound
        precondition(span > 0 && span.isFinite, "the range \(range) is empty or too wide")
        let (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        let apartCount = apart.count / (height * width * channels)
        precondition(apartCount * height * width * channels == apart.count, "\(apart.count) values are no pictures of \(shape)")
        let scale = max(1, scale ?? standardScale(height: height, width: width))
        let columns = min(count, max(1, columns ?? Int(Double(count).squareRoot().rounded(.up))))
        let gap = max(0, gap)
        func rows(_ count: Int) -> Int { (count + columns - 1) / columns }

        let output = values.contains(where: \.isNaN) || apart.contains(where: \.isNaN) ? 3 : channels
        let (cellWidth, cellHeight) = (width * scale + gap, height * scale + gap)
        let firstApart = gap + rows(count) * cellHeight + separation
        let pictureWidth = columns * cellWidth + gap
        let pictureHeight = apartCount > 0 ? firstApart + rows(apartCount) * cellHeight : firstApart - separation
        var pixels = [UInt8](repeating: gapLevel, count: pictureWidth * pictureHeight * output)
        let factor = 255 / span

        /// - Parameters:
        ///   - index: of a picture in `values`.
        ///   - place: of its cell among those that begin at a row of pixels.
        func draw(_ values: [Float], _ index: Int, from top: Int, place: Int) {
            let left = gap + place % columns * cellWidth
            let top = top + place / columns * cellHeight
            for y in 0..<height {
                let rowStart = ((top + y * scale) * pictureWidth + left) * output
                for x in 0..<width {
                    let source = ((index * height + y) * width + x) * channels
                    let isNaN = (0..<channels).contains { values[source + $0].isNaN }
                    for channel in 0..<output {
                        let value = values[source + min(channel, channels - 1)]
                        let clamped = min(max(value, range.lowerBound), range.upperBound)
                        let level =
                            isNaN ? notANumber[channel] : UInt8(((clamped - range.lowerBound) * factor).rounded())
                        for step in 0..<scale { pixels[rowStart + (x * scale + step) * output + channel] = level }
                    }
                }
                for step in 1..<scale {
                    let target = rowStart + step * pictureWidth * output
                    for offset in 0..<width * scale * output { pixels[target + offset] = pixels[rowStart + offset] }
                }
            }
        }
        for index in 0..<count { draw(values, index, from: gap, place: index) }
        for index in 0..<apartCount { draw(apart, index, from: firstApart, place: index) }
        return Picture(width: pictureWidth, height: pictureHeight, channels: output, pixels: pixels)
    }

    private static func standardScale(height: Int, width: Int) -> Int {
        let side = min(height, width)
        return (smallestCell + side - 1) / side
    }
}

extension ImageGrid {
    /// The pictures of a grid that was drawn with the standard scale and filled all of its rows, but for those set apart: a byte
    /// a value, [n, height, width, channels of the grid]. Grids of earlier versions, with other gaps, are read too.
    ///
    /// - Returns: nil if the picture is no such grid.
    public static func tiles(of grid: Picture, height: Int, width: Int, columns: Int) -> (count: Int, pixels: [UInt8])? {
        guard height > 0, width > 0, columns > 0 else { return nil }
        let scale = standardScale(height: height, width: width)
        let (gap, rest) = (grid.width - columns * width * scale).quotientAndRemainder(dividingBy: columns + 1)
        guard rest == 0, 0...8 ~= gap else { return nil }
        let (cellWidth, cellHeight) = (width * scale + gap, height * scale + gap)
        let rowCount = (grid.height - gap) / cellHeight
        // What is set apart leaves a height that no whole number of rows has.
        let rows = (grid.height - gap) % cellHeight == 0 ? rowCount : rowCount - 1
        guard rows > 0 else { return nil }
        let channels = grid.channels
        var pixels: [UInt8] = []
        pixels.reserveCapacity(rows * columns * height * width * channels)
        for cell in 0..<rows * columns {
            let (left, top) = (gap + cell % columns * cellWidth, gap + cell / columns * cellHeight)
            for y in 0..<height {
                for x in 0..<width {
                    let place = ((top + y * scale) * grid.width + left + x * scale) * channels
                    pixels += grid.pixels[place..<place + channels]
                }
            }
        }
        return (rows * columns, pixels)
    }
}
