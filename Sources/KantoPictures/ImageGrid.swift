import KantoData

/// Many small pictures laid out in rows and columns.
public enum ImageGrid {
    /// The side, in pixels, that a cell has at least when the scale is chosen.
    private static let smallestCell = 48
    private static let notANumber: [UInt8] = [255, 0, 255]

    /// - Parameters:
    ///   - values: [n, h, w, c] with 1 or 3 channels, row-major.
    ///   - shape: n, h, w, c, none of them zero.
    ///   - range: The values that become black and full brightness; what is outside is clamped. NaN is drawn in magenta,
    ///     and then the picture has three channels.
    ///   - columns: Cells in a row; when nil, about as many as rows.
    ///   - gap: Pixels between cells and around them.
    ///   - scale: Pixels a value, in each direction; when nil, such that a cell is at least 48 pixels on its shorter side.
    public static func picture(
        of values: [Float], shape: [Int], range: ClosedRange<Float> = 0...1, columns: Int? = nil, gap: Int = 2,
        scale: Int? = nil
    ) -> Picture {
        precondition(
            shape.count == 4 && shape.allSatisfy { $0 > 0 } && (shape[3] == 1 || shape[3] == 3),
            "a grid is made of [n, h, w, c] with 1 or 3 channels, not \(shape)")
        precondition(elementCount(of: shape) == values.count, "\(values.count) values do not fill \(shape)")
        let span = range.upperBound - range.lowerBound
        precondition(span > 0 && span.isFinite, "the range \(range) is empty or too wide")
        let (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        let side = min(height, width)
        let scale = max(1, scale ?? (smallestCell + side - 1) / side)
        let columns = min(count, max(1, columns ?? Int(Double(count).squareRoot().rounded(.up))))
        let rows = (count + columns - 1) / columns
        let gap = max(0, gap)

        let output = values.contains(where: \.isNaN) ? 3 : channels
        let (cellWidth, cellHeight) = (width * scale + gap, height * scale + gap)
        let (pictureWidth, pictureHeight) = (columns * cellWidth + gap, rows * cellHeight + gap)
        var pixels = [UInt8](repeating: 255, count: pictureWidth * pictureHeight * output)
        let factor = 255 / span

        for index in 0..<count {
            let left = gap + index % columns * cellWidth
            let top = gap + index / columns * cellHeight
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
        return Picture(width: pictureWidth, height: pictureHeight, channels: output, pixels: pixels)
    }
}
