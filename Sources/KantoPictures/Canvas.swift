import KantoData

/// A white picture in red, green, blue to draw on. What falls outside is not drawn.
struct Canvas {
    struct Color: Sendable {
        let red: UInt8
        let green: UInt8
        let blue: UInt8

        /// 0xRRGGBB
        init(_ code: UInt32) {
            red = UInt8(code >> 16 & 0xff)
            green = UInt8(code >> 8 & 0xff)
            blue = UInt8(code & 0xff)
        }
    }

    struct Point: Equatable {
        var x: Double
        var y: Double
    }

    struct Rectangle: Equatable {
        var left: Int
        var top: Int
        var width: Int
        var height: Int

        var right: Int { left + width }
        var bottom: Int { top + height }
    }

    enum Alignment { case left, center, right }

    private let width: Int
    private let height: Int
    private var pixels: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 255, count: width * height * 3)
    }

    var picture: Picture { Picture(width: width, height: height, channels: 3, pixels: pixels) }

    mutating func fill(_ area: Rectangle, _ color: Color) {
        for y in max(0, area.top)..<max(0, area.top, min(height, area.bottom)) {
            for x in max(0, area.left)..<max(0, area.left, min(width, area.right)) { blend(x, y, color, 1) }
        }
    }

    /// Draws a line of text whose capitals start at `top`, `scale` pixels a dot.
    ///
    /// - Parameter x: The left end, the middle or the right end, as `alignment` says.
    mutating func draw(
        _ text: String, x: Int, top: Int, scale: Int = 2, color: Color, alignment: Alignment = .left
    ) {
        let width = BitmapFont.width(of: text) * scale
        var left =
            switch alignment {
            case .left: x
            case .center: x - width / 2
            case .right: x - width
            }
        for character in text {
            for (row, bits) in BitmapFont.rows(of: character).enumerated() {
                for column in 0..<BitmapFont.width where bits >> (BitmapFont.width - 1 - column) & 1 == 1 {
                    fill(
                        Rectangle(left: left + column * scale, top: top + row * scale, width: scale, height: scale),
                        color)
                }
            }
            left += BitmapFont.advance * scale
        }
    }

    /// Draws a smooth-edged line through points, inside an area. One point is a dot.
    ///
    /// The line is collected as coverage before it is laid on, so that where it meets or crosses itself it is not darker.
    mutating func draw(
        _ points: [Point], in area: Rectangle, width: Double, color: Color, opacity: Double = 1
    ) {
        guard let first = points.first else { return }
        var coverage = [Float](repeating: 0, count: area.width * area.height)
        coverage.withUnsafeMutableBufferPointer { coverage in
            var start = first
            for end in points.count > 1 ? points[1...] : points[...] {
                Self.cover(&coverage, area, from: start, to: end, reach: width / 2 + 0.5)
                start = end
            }
        }
        for y in 0..<area.height {
            for x in 0..<area.width where coverage[y * area.width + x] > 0 {
                blend(area.left + x, area.top + y, color, Double(coverage[y * area.width + x]) * opacity)
            }
        }
    }

    /// Raises the coverage of the pixels near a segment: 1 inside, falling to 0 over one pixel at the edge.
    private static func cover(
        _ coverage: inout UnsafeMutableBufferPointer<Float>, _ area: Rectangle, from a: Point, to b: Point,
        reach: Double
    ) {
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let squaredLength = dx * dx + dy * dy
        func pixels(_ low: Double, _ high: Double, _ start: Int, _ end: Int) -> Range<Int> {
            let first = Int(max(Double(start), (low - reach).rounded(.down)))
            return first..<max(first, Int(min(Double(end), (high + reach).rounded(.up) + 1)))
        }
        let columns = pixels(min(a.x, b.x), max(a.x, b.x), area.left, area.right)
        for y in pixels(min(a.y, b.y), max(a.y, b.y), area.top, area.bottom) {
            for x in columns {
                let (px, py) = (Double(x) + 0.5 - a.x, Double(y) + 0.5 - a.y)
                let t = squaredLength > 0 ? min(1, max(0, (px * dx + py * dy) / squaredLength)) : 0
                let (ex, ey) = (px - t * dx, py - t * dy)
                let distance = (ex * ex + ey * ey).squareRoot()
                let value = Float(min(1, max(0, reach - distance)))
                let index = (y - area.top) * area.width + x - area.left
                if value > coverage[index] { coverage[index] = value }
            }
        }
    }

    private mutating func blend(_ x: Int, _ y: Int, _ color: Color, _ opacity: Double) {
        guard 0..<width ~= x, 0..<height ~= y else { return }
        let index = (y * width + x) * 3
        func mixed(_ old: UInt8, _ new: UInt8) -> UInt8 {
            UInt8((Double(old) + (Double(new) - Double(old)) * opacity).rounded())
        }
        pixels[index] = mixed(pixels[index], color.red)
        pixels[index + 1] = mixed(pixels[index + 1], color.green)
        pixels[index + 2] = mixed(pixels[index + 2], color.blue)
    }
}
