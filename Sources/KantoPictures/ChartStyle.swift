/// What all charts have in common: sizes in pixels, colors, text.
enum ChartStyle {
    static let margin = 24
    static let textScale = 2
    static let titleScale = 3
    static let capital = BitmapFont.capitalHeight * textScale
    static let lineHeight = 28
    /// The width of the sample of a series beside its name.
    static let swatch = 26

    static let ink = Canvas.Color(0x1f2933)
    static let softInk = Canvas.Color(0x6b7785)
    static let gridColor = Canvas.Color(0xe6eaee)
    static let frameColor = Canvas.Color(0xb8c0c8)

    /// Told apart by people with the common color deficiencies too, in the order of use.
    private static let colors = [0x2166c4, 0xe0701a, 0x1a9367, 0xa23bb8, 0xc8323c, 0x3aa5c9, 0x9a7d0a, 0x5b6770].map {
        Canvas.Color($0)
    }

    static func color(_ series: Int) -> Canvas.Color { colors[series % colors.count] }

    static func width(of text: String) -> Int { BitmapFont.width(of: text) * textScale }

    /// The height of a title with what separates it from what follows.
    static func titleHeight(_ title: String) -> Int { title.isEmpty ? 0 : BitmapFont.capitalHeight * titleScale + 22 }
}

extension Canvas {
    /// The names of series beside samples of their colors, in a row from `x` on.
    mutating func drawLegend(_ names: [String], x: Int, top: Int) {
        var left = x
        for (index, name) in names.enumerated() {
            let swatch = Rectangle(left: left, top: top + ChartStyle.capital / 2 - 4, width: ChartStyle.swatch, height: 8)
            fill(swatch, ChartStyle.color(index))
            draw(name, x: swatch.right + 8, top: top, color: ChartStyle.softInk)
            left = swatch.right + 8 + ChartStyle.width(of: name) + 26
        }
    }

    /// A dashed vertical line.
    mutating func drawDashes(x: Int, top: Int, bottom: Int) {
        for y in stride(from: top, to: bottom, by: 14) {
            fill(Rectangle(left: x - 1, top: y, width: 2, height: min(8, bottom - y)), ChartStyle.ink)
        }
    }
}
