import KantoData

/// How samples of a plane keep to the modes of their data: the protocol of PacGAN (Lin et al. 2018, section 4.1).
///
/// A sample belongs to the nearest mode and is of high quality within three deviations of it. A perfect sampler has 98.9% of
/// such. They alone reward modes that have collapsed to points, so the spread is measured beside them.
public struct ModeMetrics: Sendable {
    /// How many modes there are.
    public let modeCount: Int
    /// The nearest mode of each sample.
    public let modes: [Int]
    /// Of each sample, from the nearest mode, over the deviation of the modes.
    public let distances: [Double]

    /// Within so many deviations a sample is of high quality.
    public static let highQualityDistance = 3.0

    /// - Parameters:
    ///   - samples: pairs of coordinates, one behind the other, in the units of the mixture.
    ///   - mixture: of the data.
    public init(_ samples: [Float], of mixture: NormalMixture) {
        modeCount = mixture.centers.count
        var (modes, distances): ([Int], [Double]) = ([], [])
        for place in stride(from: 0, to: samples.count - 1, by: 2) {
            let (x, y) = (Double(samples[place]), Double(samples[place + 1]))
            var (nearest, least) = (0, Double.infinity)
            for (mode, center) in mixture.centers.enumerated() {
                let square = (x - center.x) * (x - center.x) + (y - center.y) * (y - center.y)
                if square < least { (nearest, least) = (mode, square) }
            }
            modes.append(nearest)
            distances.append(least.squareRoot() / mixture.deviation)
        }
        (self.modes, self.distances) = (modes, distances)
    }

    private var all: [Int] { Array(modes.indices) }

    /// Modes with at least one sample of high quality.
    public var coveredCount: Int { coveredCount(all) }
    /// The share of samples of high quality.
    public var highQualityShare: Double { highQualityShare(all) }
    /// The deviation of the samples of high quality over that of the modes: the root of half their mean squared distance. A
    /// perfect sampler, cut off at three deviations, has 0.974.
    public var relativeDeviation: Double { relativeDeviation(all) }
    /// The divergence of Kullback and Leibler from even shares to the shares of the modes, in nats. A perfect sampler of n
    /// samples has (K − 1) / 2n in the mean.
    public var reverseDivergence: Double { reverseDivergence(all) }

    /// With intervals, in the order of the properties.
    public func estimates(_ bootstrap: Bootstrap) -> [Estimate] {
        func estimate(_ bounds: ClosedRange<Double>, _ statistic: ([Int]) -> Double) -> Estimate {
            bootstrap.estimate(of: statistic(all), [modes.count], within: bounds) { statistic($0[0]) }
        }
        return [
            estimate(0...Double(modeCount)) { Double(coveredCount($0)) }, estimate(0...1, highQualityShare),
            estimate(0...Self.highQualityDistance, relativeDeviation), estimate(0 ... .infinity, reverseDivergence),
        ]
    }

    private func isOfHighQuality(_ sample: Int) -> Bool { distances[sample] < Self.highQualityDistance }

    private func coveredCount(_ samples: [Int]) -> Int {
        var isCovered = [Bool](repeating: false, count: modeCount)
        for sample in samples where isOfHighQuality(sample) { isCovered[modes[sample]] = true }
        return isCovered.count { $0 }
    }

    private func highQualityShare(_ samples: [Int]) -> Double {
        Double(samples.count(where: isOfHighQuality)) / Double(samples.count)
    }

    /// NaN where no sample is of high quality.
    private func relativeDeviation(_ samples: [Int]) -> Double {
        var (sum, count) = (0.0, 0)
        for sample in samples where isOfHighQuality(sample) {
            sum += distances[sample] * distances[sample]
            count += 1
        }
        return (sum / 2 / Double(count)).squareRoot()
    }

    private func reverseDivergence(_ samples: [Int]) -> Double {
        var counts = [Int](repeating: 0, count: modeCount)
        for sample in samples { counts[modes[sample]] += 1 }
        return divergence(fromEvenSharesOf: counts)
    }
}
