import KantoGAN
import KantoRuns
import Testing

@testable import KantoReport

@Suite struct CurveTests {
    // MARK: Decimation

    @Test(arguments: [(0, 1), (1, 1), (800, 1), (801, 2), (1600, 2), (5000, 8), (200_000, 256)])
    func bucketsArePowersOfTwo(_ count: Int, _ expected: Int) { #expect(Buckets.size(count, atMost: 800) == expected) }

    @Test func bucketsKeepSpikesAndPassOverWhatIsNotFinite() {
        let buckets = Buckets([1, 2, 3, -50, .nan, 7, .infinity, .nan, 9], atMost: 5)
        #expect(buckets.size == 2 && buckets.valueCount == 9)
        #expect(buckets.lowest.prefix(3) == [1, -50, 7] && buckets.highest.prefix(3) == [2, 3, 7] && buckets.mean.prefix(3) == [1.5, -23.5, 7])
        #expect(buckets.mean[3].isNaN && buckets.lowest[3].isNaN && buckets.mean[4] == 9)
    }

    /// A growing run merges pairs: twice the buckets are those of half the size.
    @Test func bucketsOfAGrowingRunAreMergedPairs() {
        let values = (0..<1600).map { Double($0 * 7919 % 1000) }
        let fine = Buckets(values, atMost: 1600), coarse = Buckets(values, atMost: 800)
        for index in 0..<800 {
            #expect(coarse.lowest[index] == min(fine.lowest[2 * index], fine.lowest[2 * index + 1]))
            #expect(coarse.mean[index] == (fine.mean[2 * index] + fine.mean[2 * index + 1]) / 2)
        }
    }

    // MARK: Smoothing

    @Test func aConstantStaysAndGapsStay() {
        #expect(smoothed([2, 2, 2, 2], sigma: 1).allSatisfy { abs($0 - 2) < 1e-12 })
        let gapped = smoothed([1, 1, .nan, 1], sigma: 2)
        #expect(gapped[2].isNaN && abs(gapped[0] - 1) < 1e-12 && abs(gapped[3] - 1) < 1e-12)
        #expect(smoothed([1, 5], sigma: 0.2) == [1, 5])
        // Of a step the middle is the mean.
        let step = smoothed([0, 0, 0, 0.5, 1, 1, 1], sigma: 1)
        #expect(abs(step[3] - 0.5) < 1e-12 && step[2] > 0 && step[2] < 0.5)
    }

    // MARK: Ranges

    @Test func percentilesAreThoseOfNumPy() {
        #expect(percentile([1, 2, 3, 4], 50) == 2.5 && percentile([1, 2, 3, 4], 100) == 4)
        #expect(abs(percentile([10, 20, 30], 1) - 10.2) < 1e-12 && percentile([5], 37) == 5)
    }

    /// The beginning, and a spike in a hundred, set no scale.
    @Test func theSettledRangeIgnoresTheBeginning() {
        var values = [Double](repeating: 0, count: 700).indices.map { 1 + 0.1 * Double($0 % 5) }
        for index in 0..<60 { values[index] = 1000 }
        values[400] = 5000
        let range = AxisRange.settled([Buckets(values)], holdsZero: false)
        #expect(abs(range.lower - (1 - 0.06)) < 1e-9 && abs(range.upper - (1.4 + 0.06)) < 1e-9)
        let withZero = AxisRange.settled([Buckets(values)], holdsZero: true)
        #expect(withZero.lower == 0 && abs(withZero.upper - 1.46) < 1e-9)
        #expect(AxisRange.whole([Buckets(values)], holdsZero: true) == AxisRange(lower: 0, upper: 5000))
    }

    @Test(arguments: [[], [.nan], [3], [0, 0, 0], [-1e300, 1e300], [1, .infinity, 2]] as [[Double]])
    func anyValuesHaveARange(_ values: [Double]) {
        for holdsZero in [false, true] {
            let settled = AxisRange.settled([Buckets(values)], holdsZero: holdsZero)
            #expect(settled.upper > settled.lower, "\(settled)")
            #expect(AxisRange.whole([Buckets(values)], holdsZero: holdsZero).span > 0)
        }
    }

    // MARK: Ticks

    @Test(arguments: [
        (0, 0.66, 5, ["0.0", "0.2", "0.4", "0.6"]), (0.75, 1.25, 5, ["0.8", "0.9", "1.0", "1.1", "1.2"]), (0, 5000, 6, ["0", "1000", "2000", "3000", "4000", "5000"]),
        (-0.55, -0.22, 3, ["−0.5", "−0.4", "−0.3"]), (-1.2, 1.7, 3, ["−1", "0", "1"]), (0, 0.015, 3, ["0.00", "0.01"]), (0, 1, 3, ["0.0", "0.5", "1.0"]),
    ] as [(Double, Double, Int, [String])])
    func ticksAreRoundNumbers(_ low: Double, _ high: Double, _ most: Int, _ expected: [String]) {
        let ticks = Ticks(AxisRange(lower: low, upper: high), atMost: most)
        #expect(ticks.values.map(ticks.text) == expected)
    }

    @Test(arguments: [(0, 1e-12), (-1e12, 1e12), (1e8, 1e8 + 1), (-3, -2.9999)] as [(Double, Double)])
    func ticksLieInside(_ low: Double, _ high: Double) {
        for most in 1...8 {
            let ticks = Ticks(AxisRange(lower: low, upper: high), atMost: most)
            #expect(ticks.values.count <= most)
            #expect(ticks.values.allSatisfy { $0 >= low - (high - low) * 1e-6 && $0 <= high + (high - low) * 1e-6 })
        }
    }

    // MARK: Runs

    private static func history(_ count: Int, seconds: Double = 0.5) -> [IterationMetrics] {
        (1...count).map { iteration in
            var metrics = IterationMetrics()
            metrics.iteration = iteration
            metrics.wassersteinEstimate = Double(iteration)
            metrics.seconds = Double(iteration) * seconds
            if iteration % 100 == 0 { (metrics.heldOutCriticLoss, metrics.trainingCriticLoss) = (-1, -1.5) }
            return metrics
        }
    }

    @Test func whatIsMeasuredNowAndThenStandsWhereItWasMeasured() throws {
        let curves = RunCurves(Self.history(1000))
        let gap = try #require(curves[.heldOutGap])
        #expect(gap.buckets.mean == [Double](repeating: 0.5, count: 10) && gap.recent == 0.5)
        #expect((0..<10).map { gap.iteration($0, of: 1000) } == (1...10).map { Double($0 * 100) })
        // The mean of the last twentieth.
        #expect(curves.recent(.wassersteinEstimate) == 975.5)
        #expect(curves[.nearOne] == nil && curves.norms == nil)
    }

    @Test func axesOfRunsOfDifferentLengths() {
        let runs = [RunCurves(Self.history(1000)), RunCurves(Self.history(500, seconds: 2))]
        let iterations = HorizontalScale(.iterations, runs), seconds = HorizontalScale(.seconds, runs)
        #expect(iterations.extent == 1000 && seconds.extent == 1000)
        #expect(iterations.share(250, of: runs[1]) == 0.25 && abs(seconds.share(250, of: runs[1]) - 0.5) < 1e-9)
        #expect(abs(seconds.share(1000, of: runs[0]) - 0.5) < 1e-9)
        #expect(iterations.marks.first == "1" && iterations.marks.last == "1,000" && seconds.marks.last == "16:40")
        #expect(HorizontalScale(.seconds, [RunCurves(Self.history(10, seconds: 0))]).axis == .iterations)
    }
}
