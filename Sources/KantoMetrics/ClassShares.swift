/// How often each class occurs among samples, by a classifier.
public struct ClassShares: Sendable {
    /// How many classes there are.
    public let classCount: Int
    private let labels: [Int]

    /// - Parameter labels: the class of each sample, in 0..<classCount.
    public init(_ labels: [Int], classCount: Int) { (self.labels, self.classCount) = (labels, classCount) }

    /// The share of each class.
    public var shares: [Double] { shares(Array(labels.indices)) }

    private func shares(_ samples: [Int]) -> [Double] {
        var counts = [Int](repeating: 0, count: classCount)
        for sample in samples { counts[labels[sample]] += 1 }
        return counts.map { Double($0) / Double(samples.count) }
    }

    /// The smallest share of a class that real samples have; 0 if one is missing.
    public func smallest(among real: ClassShares, _ bootstrap: Bootstrap) -> Estimate {
        let occurs = real.shares.map { $0 > 0 }
        func smallest(_ samples: [Int]) -> Double { zip(shares(samples), occurs).lazy.filter(\.1).map(\.0).min() ?? .nan }
        return bootstrap.estimate(of: smallest(Array(labels.indices)), [labels.count], within: 0...1) { smallest($0[0]) }
    }

    /// Half the sum of the differences of the shares (total variation): the share of samples that would have to be of another
    /// class.
    public func distance(to real: ClassShares, _ bootstrap: Bootstrap) -> Estimate {
        func distance(_ draws: [[Int]]) -> Double {
            zip(shares(draws[0]), real.shares(draws[1])).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
        }
        let counts = [labels.count, real.labels.count]
        return bootstrap.estimate(of: distance(counts.map { Array(0..<$0) }), counts, within: 0...1, distance)
    }
}
