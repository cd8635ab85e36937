import Glibc
import KantoData

/// Measured values as lines over a common horizontal axis, in panels below each other.
public struct Chart: Sendable {
    /// One line. Where a value is NaN or infinite the line has a gap.
    public struct Series: Sendable {
        /// For the legend.
        public var name: String
        /// Where the values stand on the common axis.
        public var x: [Double]
        /// The values, one for each x.
        public var y: [Double]

        /// - Precondition: as many x as y.
        public init(_ name: String, x: [Double], y: [Double]) {
            precondition(x.count == y.count, "\(name) has \(x.count) x and \(y.count) y")
            self.name = name
            self.x = x
            self.y = y
        }
    }

    /// One plot with a vertical axis of its own.
    public struct Panel: Sendable {
        /// Above the plot; empty for none.
        public var title: String
        /// Each in a color of its own.
        public var series: [Series]
        /// A value to compare with, drawn as a dashed line, such as the gradient norm's target 1.
        public var reference: Double?

        /// - Parameter reference: a value that is drawn as a dashed line.
        public init(_ title: String, series: [Series], reference: Double? = nil) {
            self.title = title
            self.series = series
            self.reference = reference
        }
    }

    /// Above everything; empty for none.
    public var title: String
    /// From the top down.
    public var panels: [Panel]
    /// What the horizontal axis counts.
    public var xTitle: String
    /// How many points away a value still counts 1/e in the average that the thick line shows, the values themselves
    /// being a thin one. When nil, a hundredth of a series, and 0 for fewer than 200 points; 0 shows the values only.
    public var smoothing: Int?

    /// - Parameter smoothing: how many values around a point its line is the mean of; nil to choose by their number.
    public init(title: String, panels: [Panel], xTitle: String = "iteration", smoothing: Int? = nil) {
        self.title = title
        self.panels = panels
        self.xTitle = xTitle
        self.smoothing = smoothing
    }

    /// Draws the chart; `width` and the height of each panel's plot are in pixels.
    public func picture(width: Int = 1000, plotHeight: Int = 230) -> Picture {
        let layout = ChartLayout(chart: self, width: max(320, width), plotHeight: max(80, plotHeight))
        return layout.draw()
    }

    /// The average around each point with weights e^(-|distance| / length), over what is finite. A gap stays a gap.
    static func smooth(_ values: [Double], length: Int) -> [Double] {
        let decay = exp(-1 / Double(length))
        var sums = [Double](repeating: 0, count: values.count)
        var weights = sums
        // Once in each direction; the point itself is counted on the way forward.
        var (sum, weight) = (0.0, 0.0)
        for index in values.indices {
            (sum, weight) = (sum * decay, weight * decay)
            if values[index].isFinite { (sum, weight) = (sum + values[index], weight + 1) }
            (sums[index], weights[index]) = (sum, weight)
        }
        (sum, weight) = (0, 0)
        for index in values.indices.reversed() {
            (sum, weight) = (sum * decay, weight * decay)
            sums[index] += sum
            weights[index] += weight
            if values[index].isFinite { (sum, weight) = (sum + values[index], weight + 1) }
        }
        return values.indices.map { values[$0].isFinite ? sums[$0] / weights[$0] : .nan }
    }
}

/// Where everything stands, and how it is drawn.
private struct ChartLayout {
    private typealias Style = ChartStyle
    /// From the end of a plot to the start of the next panel's heading.
    private static let panelGap = 26

    let chart: Chart
    let width: Int
    let plotHeight: Int
    let xAxis: ChartAxis
    let yAxes: [ChartAxis]
    let plotLeft: Int
    let plotWidth: Int

    init(chart: Chart, width: Int, plotHeight: Int) {
        self.chart = chart
        self.width = width
        self.plotHeight = plotHeight
        yAxes = chart.panels.map { panel in
            let values = panel.series.flatMap(\.y) + (panel.reference.map { [$0] } ?? [])
            return ChartAxis(covering: values, padding: 0.06, mostTicks: plotHeight / 38)
        }
        let labels = yAxes.flatMap(\.ticks).map { Style.width(of: $0.label) }
        plotLeft = Style.margin + (labels.max() ?? 0) + 12
        plotWidth = max(64, width - plotLeft - Style.margin - 8)
        let plotted = chart.panels.flatMap(\.series).lazy.flatMap(\.x)
        xAxis = ChartAxis(covering: plotted, padding: 0, mostTicks: plotWidth / 100)
    }

    func draw() -> Picture {
        let headings = chart.panels.map { heading($0) }
        let titleHeight = Style.titleHeight(chart.title)
        let panelHeights = headings.reduce(0) { $0 + $1.height + plotHeight + Self.panelGap }
        let footer = 2 * Style.lineHeight - 12
        var canvas = Canvas(width: width, height: Style.margin + titleHeight + panelHeights + footer)

        canvas.draw(
            chart.title, x: width / 2, top: Style.margin, scale: Style.titleScale, color: Style.ink, alignment: .center)
        var top = Style.margin + titleHeight
        for (index, panel) in chart.panels.enumerated() {
            let plot = Canvas.Rectangle(
                left: plotLeft, top: top + headings[index].height, width: plotWidth, height: plotHeight)
            draw(headings[index], of: panel, top: top, on: &canvas)
            draw(panel, yAxes[index], in: plot, on: &canvas)
            top = plot.bottom + Self.panelGap
        }
        drawXLabels(top: top - Self.panelGap + 10, on: &canvas)
        return canvas.picture
    }

    // MARK: Heading

    /// Where the names of the series stand: the left end and the row of each. The panel's title starts row 0.
    private struct Heading {
        var places: [(x: Int, row: Int)] = []
        var height = 0
    }

    private static let entryGap = 26

    /// One row where title and names fit, or else the names below the title in as many rows as they need.
    private func heading(_ panel: Chart.Panel) -> Heading {
        let widths = panel.series.map { Style.swatch + 8 + Style.width(of: $0.name) + Self.entryGap }
        let total = widths.reduce(-Self.entryGap, +)
        let free = plotWidth - Style.width(of: panel.title) - Self.entryGap
        var heading = Heading()
        var (x, row) = total <= free ? (plotLeft + plotWidth - total, 0) : (plotLeft, 1)
        for width in widths {
            if x > plotLeft, x + width - Self.entryGap > plotLeft + plotWidth {
                x = plotLeft
                row += 1
            }
            heading.places.append((x, row))
            x += width
        }
        heading.height = (row + 1) * Style.lineHeight
        return heading
    }

    private func draw(_ heading: Heading, of panel: Chart.Panel, top: Int, on canvas: inout Canvas) {
        canvas.draw(panel.title, x: plotLeft, top: top, color: Style.ink)
        for (index, place) in heading.places.enumerated() {
            let rowTop = top + place.row * Style.lineHeight
            let swatch = Canvas.Rectangle(
                left: place.x, top: rowTop + Style.capital / 2 - 2, width: Style.swatch, height: 4)
            canvas.fill(swatch, Style.color(index))
            canvas.draw(panel.series[index].name, x: swatch.right + 8, top: rowTop, color: Style.softInk)
        }
    }

    // MARK: Plot

    private func draw(_ panel: Chart.Panel, _ yAxis: ChartAxis, in plot: Canvas.Rectangle, on canvas: inout Canvas) {
        func row(_ value: Double) -> Double { Double(plot.bottom) - yAxis.position(of: value) * Double(plot.height) }

        for tick in yAxis.ticks {
            let y = Int(row(tick.value).rounded())
            canvas.fill(Canvas.Rectangle(left: plot.left, top: y, width: plot.width, height: 1), Style.gridColor)
            canvas.draw(
                tick.label, x: plot.left - 10, top: y - Style.capital / 2, color: Style.softInk, alignment: .right)
        }
        for tick in xAxis.ticks {
            let line = Canvas.Rectangle(left: column(tick.value), top: plot.top, width: 1, height: plot.height)
            canvas.fill(line, Style.gridColor)
        }
        canvas.fill(Canvas.Rectangle(left: plot.left, top: plot.top, width: 1, height: plot.height), Style.frameColor)
        canvas.fill(Canvas.Rectangle(left: plot.left, top: plot.bottom, width: plot.width, height: 1), Style.frameColor)

        var isEmpty = true
        for (index, series) in panel.series.enumerated() {
            let length = chart.smoothing ?? (series.y.count < 200 ? 0 : series.y.count / 100)
            let values = runs(series.x, series.y, row: row)
            if !values.isEmpty { isEmpty = false }
            let (thickness, opacity) = length > 0 ? (1.2, 0.32) : (2.0, 1)
            for run in values {
                // A value between two gaps is a dot that can be seen.
                let width = run.count == 1 ? 5 : thickness
                canvas.draw(run, in: plot, width: width, color: Style.color(index), opacity: opacity)
            }
            guard length > 0 else { continue }
            for run in runs(series.x, Chart.smooth(series.y, length: length), row: row) {
                canvas.draw(run, in: plot, width: 2.6, color: Style.color(index))
            }
        }
        if let reference = panel.reference, reference.isFinite {
            let y = Int(row(reference).rounded())
            for left in stride(from: plot.left, to: plot.right, by: 14) {
                let dash = Canvas.Rectangle(left: left, top: y, width: min(8, plot.right - left), height: 2)
                canvas.fill(dash, Style.ink)
            }
        }
        if isEmpty {
            canvas.draw(
                "no values", x: plot.left + plot.width / 2, top: plot.top + plot.height / 2 - Style.capital / 2,
                color: Style.softInk, alignment: .center)
        }
    }

    /// The finite stretches of a series as points of the canvas. Of many points in one column of pixels those remain that
    /// shape the line: the first, the least, the greatest, the last.
    private func runs(_ x: [Double], _ y: [Double], row: (Double) -> Double) -> [[Canvas.Point]] {
        var runs: [[Canvas.Point]] = []
        var run: [Canvas.Point] = []
        var column: [Canvas.Point] = []
        func closeColumn() {
            if column.count > 4 {
                let least = column.indices.min { column[$0].y < column[$1].y }!
                let greatest = column.indices.max { column[$0].y < column[$1].y }!
                run += [0, min(least, greatest), max(least, greatest), column.count - 1].map { column[$0] }
            } else {
                run += column
            }
            column = []
        }
        func closeRun() {
            closeColumn()
            if !run.isEmpty { runs.append(run) }
            run = []
        }
        for index in x.indices {
            guard x[index].isFinite, y[index].isFinite else {
                closeRun()
                continue
            }
            let point = Canvas.Point(
                x: Double(plotLeft) + xAxis.position(of: x[index]) * Double(plotWidth), y: row(y[index]))
            if let last = column.last, last.x.rounded(.down) != point.x.rounded(.down) { closeColumn() }
            column.append(point)
        }
        closeRun()
        return runs
    }

    private func column(_ value: Double) -> Int {
        plotLeft + Int((xAxis.position(of: value) * Double(plotWidth)).rounded())
    }

    private func drawXLabels(top: Int, on canvas: inout Canvas) {
        for tick in xAxis.ticks {
            canvas.draw(tick.label, x: column(tick.value), top: top, color: Style.softInk, alignment: .center)
        }
        canvas.draw(
            chart.xTitle, x: plotLeft + plotWidth / 2, top: top + Style.lineHeight - 4, color: Style.softInk,
            alignment: .center)
    }
}
