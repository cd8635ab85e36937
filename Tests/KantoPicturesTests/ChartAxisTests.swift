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
