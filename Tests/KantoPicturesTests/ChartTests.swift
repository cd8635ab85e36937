import KantoData
import Testing

@testable import KantoPictures

@Suite struct ChartAxisTests {
    static func labels(_ values: [Double], padding: Double = 0) -> [String] {
        ChartAxis(covering: values, padding: padding, mostTicks: 5).ticks.map(\.label)
    }

    @Test(
        arguments: [
            ([0, 1], ["0", "0.5", "1"]), ([-0.3, 0.1], ["-0.3", "-0.2", "-0.1", "0", "0.1"]),
            ([0, 4], ["0", "1", "2", "3", "4"]),
            ([-45, 45], ["-40", "-20", "0", "20", "40"]),
            ([-0.3, -0.1], ["-0.3", "-0.25", "-0.2", "-0.15", "-0.1"]),
            ([0, 30_000], ["0", "10000", "20000", "30000"]),
            ([0, 4e-4], ["0", "1e-4", "2e-4", "3e-4", "4e-4"]),
            ([0, 0.001], ["0", "5e-4", "1e-3"]),
            ([-3e7, 1e7], ["-3e7", "-2e7", "-1e7", "0", "1e7"]),
            ([1.2e6, 1.6e6], ["1.2e6", "1.3e6", "1.4e6", "1.5e6", "1.6e6"]),
            ([1, 1.0004], ["1", "1.0001", "1.0002", "1.0003", "1.0004"]),
            // Constants stand in the middle.
            ([3, 3], ["2.8", "3", "3.2"]),
            ([0], ["-1", "-0.5", "0", "0.5", "1"]),
            // Nothing to show.
            ([], ["0", "0.5", "1"]),
            ([.nan, .infinity], ["0", "0.5", "1"]),
        ] as [([Double], [String])])
    func choosesNiceTicks(values: [Double], expected: [String]) { #expect(Self.labels(values) == expected) }

    @Test(arguments: [
        [-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude], [.leastNonzeroMagnitude], [1e300, 1e300],
        [0, .leastNormalMagnitude], [1, 1 + .ulpOfOne], [-1e18, -1e18 + 1024], [0, 1e-289],
    ])
    func survivesExtremes(values: [Double]) {
        let axis = ChartAxis(covering: values, padding: 0.05, mostTicks: 6)
        #expect(axis.range.lowerBound < axis.range.upperBound)
        #expect(axis.range.upperBound.isFinite && axis.range.lowerBound.isFinite)
        #expect((1...6).contains(axis.ticks.count))
        for tick in axis.ticks { #expect((-1e-6...1 + 1e-6).contains(axis.position(of: tick.value))) }
        #expect(Set(axis.ticks.map(\.label)).count == axis.ticks.count)
    }
}

@Suite struct ChartTests {
    /// How many pixels of a picture have exactly this color.
    private static func count(_ color: [UInt8], in picture: Picture) -> Int {
        stride(from: 0, to: picture.pixels.count, by: 3).count { Array(picture.pixels[$0..<$0 + 3]) == color }
    }

    private static let blue: [UInt8] = [0x21, 0x66, 0xc4]

    private static func chart(_ y: [Double], reference: Double? = nil, smoothing: Int? = nil) -> Picture {
        let series = Chart.Series("", x: y.indices.map(Double.init), y: y)
        let panel = Chart.Panel("", series: [series], reference: reference)
        return Chart(title: "", panels: [panel], smoothing: smoothing).picture(width: 400, plotHeight: 100)
    }

    @Test func drawsALine() {
        let empty = Self.count(Self.blue, in: Self.chart([]))
        let constant = Self.count(Self.blue, in: Self.chart([1, 1, 1]))
        // Two pixels thick and over 300 wide; the swatch of the legend is in both.
        #expect(constant - empty > 300)
        let gap = Self.count(Self.blue, in: Self.chart([1, 1, .nan, 1, 1]))
        #expect(gap < constant * 2 / 3)
        #expect(gap > constant / 3)
        #expect(Self.count(Self.blue, in: Self.chart([.nan, .infinity, -.infinity])) == empty)
        #expect(Self.count(Self.blue, in: Self.chart([.nan, 3, .nan])) > empty)
    }

    @Test func drawsTheReference() {
        let ink: [UInt8] = [0x1f, 0x29, 0x33]
        #expect(Self.count(ink, in: Self.chart([1, 2])) == 0)
        #expect(Self.count(ink, in: Self.chart([1, 2], reference: 1)) > 200)
        #expect(Self.count(ink, in: Self.chart([1, 2], reference: .nan)) == 0)
    }

    @Test func drawsManyAndExtremeValues() {
        let many = (0..<20_000).map { $0 % 2 == 0 ? 1.0 : -1.0 }
        // Up and down in each column: the plot is full of it.
        #expect(Self.count(Self.blue, in: Self.chart(many, smoothing: 0)) > 300 * 80)
        #expect(Self.count(Self.blue, in: Self.chart([1e308, -1e308, 5])) > 0)
    }

    @Test func stacksPanelsAndWrapsNames() {
        let names = (0..<9).map { Chart.Series("a rather long name \($0)", x: [0, 1], y: [0, Double($0)]) }
        let one = Chart(title: "one", panels: [.init("panel", series: [names[0]])]).picture()
        let two = Chart(title: "two", panels: [.init("panel", series: [names[0]]), .init("", series: [])]).picture()
        let wrapped = Chart(title: "names", panels: [.init("panel", series: names)]).picture()
        #expect(two.height > one.height + 230)
        #expect(wrapped.height > one.height)
        #expect(one.width == 1000)
        #expect(Chart(title: "", panels: []).picture().height > 0)
    }

    @Test func smoothingKeepsConstantsAndGaps() {
        let smoothed = Chart.smooth([2, 2, .nan, 2, .infinity, 2], length: 3)
        for index in [0, 1, 3, 5] { #expect(abs(smoothed[index] - 2) < 1e-12) }
        #expect(smoothed[2].isNaN && smoothed[4].isNaN)
        // The same from both sides, and the mean is kept inside.
        let step = Chart.smooth([0, 0, 0, 1, 1, 1], length: 1)
        for index in 0..<3 { #expect(abs(step[index] + step[5 - index] - 1) < 1e-12) }
        #expect(step[0] < step[1] && step[1] < step[2] && step[2] < 0.5)
    }
}

@Suite struct BitmapFontTests {
    @Test func everyCharacterHasItsOwnLetter() {
        let letters = (33..<127).map { BitmapFont.rows(of: Character(Unicode.Scalar($0))) }
        #expect(Set(letters).count == 94)
        #expect(
            letters.allSatisfy { $0.count == BitmapFont.height && $0.contains { $0 != 0 } && $0.allSatisfy { $0 < 32 } }
        )
        #expect(BitmapFont.rows(of: " ").allSatisfy { $0 == 0 })
        #expect(BitmapFont.rows(of: "é") == BitmapFont.rows(of: "?"))
        #expect(BitmapFont.rows(of: "L") == [16, 16, 16, 16, 16, 16, 31, 0, 0])
        #expect(BitmapFont.width(of: "") == 0)
        #expect(BitmapFont.width(of: "ab") == 11)
    }
}
