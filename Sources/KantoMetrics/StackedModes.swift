/// How many of the combinations of classes occur in stacked pictures, and how evenly (Metz et al. 2017, section 3.3.1; Lin et al.
/// 2018, section 4.2): with three digits a sample there are 1,000 modes. A classifier tells each picture's class.
public struct StackedModes: Sendable {
    /// How many combinations there are.
    public let modeCount: Int
    /// The combination of each sample.
    public let modes: [Int]

    /// How many samples the publications draw.
    public static let sampleCount = 25_600
    /// Each computes two numbers of all samples.
    private static let drawCount = 200

    /// - Parameters:
    ///   - labels: the classes of the pictures of the first sample, in 0..<classCount, then those of the next.
    ///   - height: how many pictures are a sample.
    /// - Precondition: there is memory for a number for each combination.
    public init(_ labels: [Int], height: Int, classCount: Int) {
        modeCount = Self.modeCount(height: height, classCount: classCount)
        modes = stride(from: 0, to: labels.count - height + 1, by: height).map { start in
            labels[start..<start + height].reduce(0) { $0 * classCount + $1 }
        }
    }

    /// How many combinations there are of the classes of so many pictures; `Int.max` where no number holds them.
    public static func modeCount(height: Int, classCount: Int) -> Int {
        (0..<height).reduce(1) { count, _ in
            let (product, overflows) = count.multipliedReportingOverflow(by: classCount)
            return overflows ? .max : product
        }
    }

    /// Combinations that occur.
    public var coveredCount: Int { Self.covered(counts(Array(modes.indices))) }
    /// The divergence of Kullback and Leibler from even shares to the shares of the combinations, in nats. Of n even samples it is
    /// (modes − 1) / 2n in the mean.
    public var reverseDivergence: Double { divergence(fromEvenSharesOf: counts(Array(modes.indices))) }

    /// With intervals.
    public func estimates(_ bootstrap: Bootstrap) -> (covered: Estimate, divergence: Estimate) {
        func estimate(_ value: Double, _ bounds: ClosedRange<Double>, _ statistic: ([Int]) -> Double) -> Estimate {
            bootstrap.estimate(of: value, [modes.count], draws: Self.drawCount, within: bounds) { statistic(counts($0[0])) }
        }
        return (
            estimate(Double(coveredCount), 0...Double(modeCount)) { Double(Self.covered($0)) },
            estimate(reverseDivergence, 0 ... .infinity) { divergence(fromEvenSharesOf: $0) }
        )
    }

    private func counts(_ samples: [Int]) -> [Int] {
        var counts = [Int](repeating: 0, count: modeCount)
        for sample in samples { counts[modes[sample]] += 1 }
        return counts
    }

    private static func covered(_ counts: [Int]) -> Int { counts.count { $0 > 0 } }
}
