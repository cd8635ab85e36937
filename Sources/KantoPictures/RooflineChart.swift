import Glibc
import KantoData

/// Kernels under the roofs of a machine (Williams, Waterman and Patterson 2009): operations a second over operations a byte,
/// both on logarithmic axes, below the line that memory and multiply-adds allow.
public struct RooflineChart: Sendable {
    /// One kernel on one problem.
    public struct Point: Sendable {
        /// The position of its series among the chart's `seriesNames`.
        public var series: Int
        /// Operations a byte; above 0.
        public var intensity: Double
        /// Billions of operations a second; above 0.
        public var rate: Double

        /// - Parameters:
        ///   - series: its number, which gives the color.
        ///   - intensity: operations a byte.
        ///   - rate: operations a second.
        public init(series: Int, intensity: Double, rate: Double) {
            (self.series, self.intensity, self.rate) = (series, intensity, rate)
        }
    }

    /// Above everything; empty for none.
    public var title: String
    /// For the legend, which a single series does not have.
    public var seriesNames: [String]
    /// One a kernel.
    public var points: [Point]
    /// Billions of operations a second; above 0.
    public var operationLimit: Double
    /// Billions of bytes a second; above 0.
    public var memoryLimit: Double

    /// - Parameters:
    ///   - operationLimit: operations a second.
    ///   - memoryLimit: bytes a second.
    public init(title: String, seriesNames: [String], points: [Point], operationLimit: Double, memoryLimit: Double) {
        self.title = title
        self.seriesNames = seriesNames
        self.points = points
        self.operationLimit = operationLimit
        self.memoryLimit = memoryLimit
    }

    /// Draws the chart; `width` and the height of the plot are in pixels.
    public func picture(width: Int = 900, plotHeight: Int = 460) -> Picture {
        typealias Style = ChartStyle
        let ridge = operationLimit / memoryLimit
        let intensities = points.map(\.intensity).filter { $0 > 0 && $0.isFinite } + [ridge / 8, ridge * 8]
        let rates = points.map(\.rate).filter { $0 > 0 && $0.isFinite } + [operationLimit, operationLimit / 20]
        // Whole powers of ten.
        func decades(_ values: [Double]) -> ClosedRange<Int> {
            let low = Int(log10(values.min()!).rounded(.down))
            return low...max(low + 1, Int(log10(values.max()!).rounded(.up)))
        }
        let (xDecades, yDecades) = (decades(intensities), decades(rates))
        let left = Style.margin + Style.width(of: "100000") + 12
        let legend = seriesNames.count > 1 ? Style.lineHeight : 0
        let plot = Canvas.Rectangle(
            left: left, top: Style.margin + Style.titleHeight(title) + legend, width: max(64, width - left - Style.margin),
            height: plotHeight)
        func x(_ value: Double) -> Double {
            Double(plot.left) + (log10(value) - Double(xDecades.lowerBound)) / Double(xDecades.count - 1) * Double(plot.width)
        }
        func y(_ value: Double) -> Double {
            Double(plot.bottom) - (log10(value) - Double(yDecades.lowerBound)) / Double(yDecades.count - 1) * Double(plot.height)
        }

        var canvas = Canvas(width: width, height: plot.bottom + 2 * Style.lineHeight + Style.margin / 2)
        canvas.draw(title, x: width / 2, top: Style.margin, scale: Style.titleScale, color: Style.ink, alignment: .center)
        if seriesNames.count > 1 { canvas.drawLegend(seriesNames, x: left, top: plot.top - Style.lineHeight) }
        for decade in xDecades {
            let column = Int(x(pow(10, Double(decade))).rounded())
            canvas.fill(Canvas.Rectangle(left: column, top: plot.top, width: 1, height: plot.height), Style.gridColor)
            canvas.draw(
                ChartAxis.label(1, exponent: decade, scientific: false), x: column, top: plot.bottom + 10, color: Style.softInk,
                alignment: .center)
        }
        for decade in yDecades {
            let row = Int(y(pow(10, Double(decade))).rounded())
            canvas.fill(Canvas.Rectangle(left: plot.left, top: row, width: plot.width, height: 1), Style.gridColor)
            canvas.draw(
                ChartAxis.label(1, exponent: decade, scientific: false), x: plot.left - 10, top: row - Style.capital / 2,
                color: Style.softInk, alignment: .right)
        }
        let lowest = pow(10, Double(xDecades.lowerBound)), highest = pow(10, Double(xDecades.upperBound))
        let roof = [lowest, ridge, highest].map { intensity in
            Canvas.Point(x: x(intensity), y: y(min(operationLimit, intensity * memoryLimit)))
        }
        canvas.draw(roof, in: plot, width: 2.4, color: Style.ink)
        for point in points where point.rate > 0 && point.intensity > 0 {
            let center = Canvas.Point(x: x(point.intensity), y: y(point.rate))
            canvas.draw([center], in: plot, width: 11, color: Style.color(point.series), opacity: 0.85)
        }
        canvas.draw(
            "operations a byte; GFLOP/s upwards", x: plot.left + plot.width / 2, top: plot.bottom + 10 + Style.lineHeight - 4,
            color: Style.softInk, alignment: .center)
        return canvas.picture
    }
}
