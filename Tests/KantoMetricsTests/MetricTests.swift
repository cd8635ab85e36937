import Foundation
import KantoData
import KantoMetrics
import KantoTensor
import Testing

/// What each metric says of samples whose answer is known.
@Suite struct MetricTests {
    private let bootstrap = Bootstrap(seed: 1)

    /// Centers of a ring, some samples on each at known places.
    @Test func modesOfARing() {
        let centers: [NormalMixture.Center] = [.init(x: 0, y: 0), .init(x: 10, y: 0), .init(x: 0, y: 10), .init(x: 10, y: 10)]
        let mixture = NormalMixture(centers: centers, deviation: 0.5)
        // Two on the first mode at one deviation, one on the second at two, one far off the third.
        let found = ModeMetrics([0.5, 0, 0, 0.5, 11, 0, 0, 14], of: mixture)
        #expect(found.modes == [0, 0, 1, 2])
        #expect(found.coveredCount == 2)
        #expect(found.highQualityShare == 0.75)
        // Half of the mean of 1, 1 and 4.
        #expect(abs(found.relativeDeviation - 1) < 1e-12)
        // Shares of a half and two quarters against quarters: ½ log 2.
        #expect(abs(found.reverseDivergence - 0.34657359027997264) < 1e-12)
        let collapsed = ModeMetrics([0, 0, 0, 0], of: mixture)
        #expect(collapsed.relativeDeviation == 0 && abs(collapsed.reverseDivergence - 1.3862943611198906) < 1e-12)
        let far = ModeMetrics([100, 100], of: mixture)
        #expect(far.coveredCount == 0 && far.relativeDeviation.isNaN && far.estimates(bootstrap)[2].value.isNaN)
    }

    @Test func modesOfStackedPictures() {
        // Of two pictures of three classes: (0, 1) twice, (2, 2) and (1, 0).
        let found = StackedModes([0, 1, 2, 2, 0, 1, 1, 0], height: 2, classCount: 3)
        #expect(found.modeCount == 9 && found.modes == [1, 8, 1, 3] && found.coveredCount == 3)
        // Shares of a half and two quarters against ninths.
        #expect(abs(found.reverseDivergence - (0.5 * log(4.5) + 0.5 * log(2.25))) < 1e-12)
        let estimates = found.estimates(bootstrap)
        #expect(estimates.covered.value == 3 && estimates.divergence.value == found.reverseDivergence)
        #expect(StackedModes.modeCount(height: 3, classCount: 10) == 1000)
        #expect(StackedModes.modeCount(height: 16, classCount: 4096) == .max)
    }

    /// A true sampler of the ring: the deviation and the high quality of a normal distribution that is cut at three deviations.
    @Test func modesOfATrueSampler() throws {
        let data = try Datasets.open(DataDescription(path: "ring8"))
        let samples = try data.units.restored(data.samples(Array(0..<20_000)))
        let found = ModeMetrics(samples, of: try #require(data.mixture))
        #expect(found.coveredCount == 8)
        #expect(abs(found.highQualityShare - 0.98889) < 0.003)
        #expect(abs(found.relativeDeviation - 0.9744) < 0.01)
        #expect(found.reverseDivergence < 3 * 7 / 40_000.0)
        #expect(try Datasets.open(DataDescription(path: "grid25")).mixture?.centers.count == 25)
        #expect(try Datasets.open(DataDescription(path: "swissroll")).mixture == nil)
    }

    /// The potentials prove that no assignment costs less.
    @Test func assignmentIsOptimal() throws {
        let costs = try Samples.costs()
        let found = try Assignment(costs: costs)
        #expect(Set(found.columns).count == 60)
        for row in 0..<60 {
            for column in 0..<60 {
                let slack = costs[row * 60 + column] - found.rowPotentials[row] - found.columnPotentials[column]
                #expect(slack > -1e-9 && (found.columns[row] != column || slack < 1e-9))
            }
        }
        #expect(throws: TensorError.self) { try Assignment(costs: [1, 2, 3]) }
        #expect(throws: TensorError.self) { try Assignment(costs: [1, 2, .nan, 3]) }
        #expect(try Assignment(costs: []).columns == [])
        // Ties.
        #expect(Set(try Assignment(costs: Array(repeating: 1, count: 25)).columns).count == 5)
    }

    /// A set that is moved by a vector is as far away as that is long.
    @Test func transportOfAShift() throws {
        let points = try Samples.points()
        let moved = try points + Tensor([3, 4], shape: [1, 2])
        for order in [1, 2] {
            let found = try TransportDistance(order: order, between: points, and: moved)
            #expect(abs(found.value - 5) < 1e-4)
            #expect(found.estimate(bootstrap).interval.contains(5))
        }
        #expect(throws: TensorError.self) { try TransportDistance(order: 1, between: points, and: points.sliced(0..<5)) }
    }

    /// Matrix products and sums of differences say the same, also where all lies far from the origin.
    @Test func distances() throws {
        let (a, b) = try (Samples.wide() + 100, Samples.others() + 100)
        let (x, y) = (a.doubles, b.doubles)
        try SquaredDistances(from: a, to: b).forEachRow { row, distances in
            for other in stride(from: 0, to: distances.count, by: 7) {
                var expected = 0.0
                for column in 0..<12 {
                    let difference = x[row * 12 + column] - y[other * 12 + column]
                    expected += difference * difference
                }
                #expect(abs(Double(distances[other]) - expected) < 1e-4)
            }
        }
        #expect(throws: TensorError.self) { try SquaredDistances(from: a, to: Samples.points()) }
        #expect(throws: TensorError.self) { try NeighborhoodMetrics(real: a.sliced(0..<5), generated: b) }
    }

    /// A generator that repeats is told from one that does not.
    @Test func copies() throws {
        let all = try Samples.numbers(20, 400, 8)
        let (training, other, fresh) = try (all.sliced(0..<200), all.sliced(200..<300), all.sliced(300..<400))
        let copied = try NearestReal(generated: training.sliced(50..<150), training: training, heldOut: other)
        #expect(copied.neighbors == Array(50..<150))
        #expect(copied.copies(bootstrap).value == 1 && copied.ratio(bootstrap).value < 0.01)
        let honest = try NearestReal(generated: fresh, training: training, heldOut: other)
        #expect(honest.copies(bootstrap).value < 0.05 && abs(honest.ratio(bootstrap).value - 1) < 0.1)
        let without = try NearestReal(generated: fresh, training: training, heldOut: nil)
        #expect(without.yardstick.count == 200 && without.yardstick.allSatisfy { $0 > 0.1 })
    }

    @Test func classShares() {
        let real = ClassShares([0, 0, 1, 1, 2, 2], classCount: 4)
        let found = ClassShares([0, 0, 0, 1, 1, 1], classCount: 4)
        #expect(found.shares == [0.5, 0.5, 0, 0])
        // Class 3 is in neither.
        #expect(found.smallest(among: real, bootstrap).value == 0)
        #expect(real.smallest(among: real, bootstrap).value == 1 / 3.0)
        #expect(abs(found.distance(to: real, bootstrap).value - 1 / 3.0) < 1e-12)
        #expect(found.distance(to: found, bootstrap).value == 0)
    }

    @Test func levelsOfEqualPictures() throws {
        let pictures = try Samples.pictures()
        let levels = try SlicedWasserstein(between: pictures, and: pictures, seed: 3).levels
        #expect(levels.map(\.height) == [33, 17] && levels.map(\.width) == [40, 20])
        // Other patches of the same pictures.
        let other = try SlicedWasserstein(between: pictures, and: Samples.noise(), seed: 3).levels
        for (same, other) in zip(levels, other) { #expect(same.value < 0.75 * other.value && same.estimate(bootstrap).interval.lowerBound >= 0, "\(same.value) \(other.value)") }
        #expect(!SlicedWasserstein.suits([6, 8, 1]) && SlicedWasserstein.suits([8, 8, 1]) && !SlicedWasserstein.suits([64]))
        #expect(throws: TensorError.self) { try SlicedWasserstein(between: pictures, and: Samples.wide(), seed: 1) }
    }

    @Test func frechetDistanceOfAShift() throws {
        let features = try Samples.features()
        #expect(try FrechetDistance(real: features, generated: features).value < 1e-9)
        let moved = try FrechetDistance(real: features, generated: features + 0.5)
        #expect(abs(moved.value - 4) < 1e-4)
        // A feature that is the sum of others, and one that never changes.
        let (first, second) = try (features.sliced(0..<1, axis: 1), features.sliced(1..<2, axis: 1))
        let degenerate = try Tensor.concatenated([first, second, first + second, first * 0], axis: 1)
        let pair = try Tensor.concatenated([first, second], axis: 1)
        let drawn = try Samples.drawnFeatures().sliced(0..<2, axis: 1)
        let drawnSum = try drawn.sum(axes: [1], keepsAxes: true)
        let drawnAll = try Tensor.concatenated([drawn, drawnSum, drawnSum * 0], axis: 1)
        #expect(try FrechetDistance(real: degenerate, generated: degenerate).value < 1e-6)
        #expect(try FrechetDistance(real: degenerate, generated: drawnAll).value > FrechetDistance(real: pair, generated: drawn).value)
        // Fewer samples than features.
        #expect(try FrechetDistance(real: features, generated: features.sliced(0..<4)).value.isFinite)
        #expect(throws: TensorError.self) { try FrechetDistance(real: features, generated: Samples.wide()) }
    }
}

@Suite struct BootstrapTests {
    /// The interval of a mean is that of the central limit theorem, and it is centered on the value.
    @Test func mean() throws {
        let terms = try Samples.numbers(30, 500, 1).doubles
        let center = terms.reduce(0, +) / 500
        var squares = 0.0
        for term in terms { squares += (term - center) * (term - center) }
        let deviation = (squares / 499).squareRoot()
        let found = Bootstrap(seed: 7).estimate([terms])
        #expect(abs(found.value - center) < 1e-12)
        let half = 1.96 * deviation / 500.0.squareRoot()
        #expect(abs(found.interval.lowerBound - (center - half)) < 0.1 * half)
        #expect(abs(found.interval.upperBound - (center + half)) < 0.1 * half)
        #expect(Bootstrap(seed: 7).estimate([terms]) == found)
        #expect(Bootstrap(seed: 8).estimate([terms]) != found)
    }

    /// 95 of 100 intervals hold what they are to hold.
    @Test func coverage() throws {
        let all = try Samples.numbers(40, 200, 100).doubles
        let held = (0..<200).count { set in
            Bootstrap(seed: UInt64(set)).estimate([Array(all[set * 100..<(set + 1) * 100])]).interval.contains(-0.5 / 65536 * 4)
        }
        #expect(180...199 ~= held, "\(held)")
    }

    @Test func bounds() {
        let found = Bootstrap(seed: 1).estimate([[1, 1, 1, 0]], within: 0...1)
        #expect(found.value == 0.75 && found.interval.upperBound <= 1)
        #expect(Bootstrap(seed: 1).estimate([[1, 1]], within: 0...1).interval == 1...1)
    }
}
