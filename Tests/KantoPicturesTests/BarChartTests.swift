import KantoData
import Testing

@testable import KantoPictures

@Suite struct BarChartTests {
    private static func count(_ color: [UInt8], in picture: Picture) -> Int {
        stride(from: 0, to: picture.pixels.count, by: 3).count { Array(picture.pixels[$0..<$0 + 3]) == color }
    }

    private static let blue: [UInt8] = [0x21, 0x66, 0xc4]

    private static func bars(_ values: [Double], limit: Double = 100) -> Picture {
        let bars = values.map { BarChart.Bar(series: 0, value: $0, label: "") }
        return BarChart(title: "", seriesNames: [""], groups: [.init("", bars: bars)], axisTitle: "", limit: limit)
            .picture(width: 600)
    }

    @Test func areasFollowTheValues() {
        let whole = Self.count(Self.blue, in: Self.bars([100])), half = Self.count(Self.blue, in: Self.bars([50]))
        #expect(whole > 5000 && abs(Double(half) / Double(whole) - 0.5) < 0.02)
        // Two bars of the sum.
        #expect(abs(Double(Self.count(Self.blue, in: Self.bars([25, 75]))) / Double(whole) - 1) < 0.02)
        // What passes the limit lengthens the axis.
        #expect(abs(Double(Self.count(Self.blue, in: Self.bars([200, 100]))) / Double(whole) - 1.5) < 0.02)
    }

    @Test func valuesThatAreNoneDrawNone() {
        #expect(Self.count(Self.blue, in: Self.bars([.nan, 0, -3])) < 100)
        _ = BarChart(title: "", seriesNames: [], groups: [], axisTitle: "", limit: 1).picture()
    }

    @Test func aPointStandsUnderItsRoof() {
        // The dot's pixels, by rows: that of a slower kernel lies lower.
        func row(_ rate: Double) -> Int {
            let chart = RooflineChart(
                title: "", seriesNames: [""], points: [.init(series: 0, intensity: 10, rate: rate)], operationLimit: 200,
                memoryLimit: 20)
            let picture = chart.picture(width: 500, plotHeight: 300)
            return (0..<picture.height).first { y in
                (0..<picture.width).contains { x in
                    let start = (y * picture.width + x) * 3
                    let (red, blue) = (Int(picture.pixels[start]), Int(picture.pixels[start + 2]))
                    return blue - red > 80
                }
            } ?? .max
        }
        #expect(row(200) < row(50) && row(50) < row(12) && row(12) < .max)
    }
}
