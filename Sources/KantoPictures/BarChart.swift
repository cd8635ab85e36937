import KantoData

/// Values of several series side by side, as horizontal bars in groups, with a limit that closes the axis.
public struct BarChart: Sendable {
    /// One value of one series.
    public struct Bar: Sendable {
        /// The position of its series among the chart's `seriesNames`.
        public var series: Int
        /// From 0; NaN draws no bar.
        public var value: Double
        /// What stands at the end of the bar.
        public var label: String

        /// - Parameters:
        ///   - series: its number, which gives the color.
        ///   - label: at the bar's end.
        public init(series: Int, value: Double, label: String) {
            (self.series, self.value, self.label) = (series, value, label)
        }
    }

    /// Bars below each other, under a heading.
    public struct Group: Sendable {
        /// The heading.
        public var label: String
        /// From the top down.
        public var bars: [Bar]

        /// - Parameter label: beside the bars.
        public init(_ label: String, bars: [Bar]) { (self.label, self.bars) = (label, bars) }
    }

    /// Above everything; empty for none.
    public var title: String
    /// For the legend, which a single series does not have.
    public var seriesNames: [String]
    /// From the top down.
    public var groups: [Group]
    /// What the axis counts.
    public var axisTitle: String
    /// The end of the axis, drawn as a dashed line; greater values lengthen the axis beyond it.
    public var limit: Double

    /// - Parameter limit: closes the axis.
    public init(title: String, seriesNames: [String], groups: [Group], axisTitle: String, limit: Double) {
        self.title = title
        self.seriesNames = seriesNames
        self.groups = groups
        self.axisTitle = axisTitle
        self.limit = limit
    }

    private static let barHeight = 18
    private static let groupGap = 14

    /// Draws the chart; `width` is in pixels.
    public func picture(width: Int = 1100) -> Picture {
        typealias Style = ChartStyle
        let width = max(480, width)
        let longest = groups.flatMap(\.bars).map { Style.width(of: $0.label) }.max() ?? 0
        let left = Style.margin
        let plotWidth = max(64, width - left - longest - 12 - Style.margin)
        let most = groups.flatMap(\.bars).map(\.value).filter(\.isFinite).reduce(limit, max)
        let axis = ChartAxis(covering: [0, most], padding: 0, mostTicks: max(2, plotWidth / 110))

        let top = Style.margin + Style.titleHeight(title) + (seriesNames.count > 1 ? Style.lineHeight : 0)
        let heights = groups.map { Style.lineHeight - 4 + $0.bars.count * (Self.barHeight + 3) + Self.groupGap }
        let bottom = top + heights.reduce(0, +)
        var canvas = Canvas(width: width, height: bottom + 2 * Style.lineHeight + Style.margin / 2)
        func column(_ value: Double) -> Int { left + Int((axis.position(of: value) * Double(plotWidth)).rounded()) }

        canvas.draw(title, x: width / 2, top: Style.margin, scale: Style.titleScale, color: Style.ink, alignment: .center)
        if seriesNames.count > 1 { canvas.drawLegend(seriesNames, x: left, top: top - Style.lineHeight) }
        for tick in axis.ticks {
            canvas.fill(Canvas.Rectangle(left: column(tick.value), top: top, width: 1, height: bottom - top), Style.gridColor)
            canvas.draw(tick.label, x: column(tick.value), top: bottom + 10, color: Style.softInk, alignment: .center)
        }
        var y = top
        for (group, height) in zip(groups, heights) {
            canvas.draw(group.label, x: left + 6, top: y + 6, color: Style.ink)
            var barTop = y + Style.lineHeight - 4
            for bar in group.bars {
                let end = bar.value.isFinite ? column(max(0, bar.value)) : left
                canvas.fill(
                    Canvas.Rectangle(left: left, top: barTop, width: max(1, end - left), height: Self.barHeight),
                    Style.color(bar.series))
                canvas.draw(
                    bar.label, x: end + 8, top: barTop + (Self.barHeight - Style.capital) / 2, color: Style.softInk)
                barTop += Self.barHeight + 3
            }
            y += height
        }
        canvas.fill(Canvas.Rectangle(left: left, top: top, width: 1, height: bottom - top), Style.frameColor)
        canvas.drawDashes(x: column(limit), top: top, bottom: bottom)
        canvas.draw(
            axisTitle, x: left + plotWidth / 2, top: bottom + 10 + Style.lineHeight - 4, color: Style.softInk, alignment: .center)
        return canvas.picture
    }
}
