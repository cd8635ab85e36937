import KantoTensor

/// Whether a generator repeats what it was trained on: how far its samples are from the nearest training sample, against how
/// far other real samples are.
///
/// Real samples that were not trained on are the yardstick; where there are none, training samples, each to its nearest other.
public struct NearestReal: Sendable {
    /// The training sample nearest to each generated one.
    public let neighbors: [Int]
    /// The distance of each generated sample to its nearest training sample.
    public let distances: [Float]
    /// The same of real samples.
    public let yardstick: [Float]

    /// Generated samples nearer than this quantile of the yardstick are called copies.
    public static let copyQuantile = 0.01

    /// - Parameters:
    ///   - generated: [n, …].
    ///   - training: [m, …], those that were trained on.
    ///   - heldOut: [k, …], real samples that were not; nil for none.
    /// - Throws: `TensorError` if widths differ or there are fewer than two training samples.
    public init(generated: Tensor, training: Tensor, heldOut: Tensor?) throws {
        let toTraining = try SquaredDistances(to: training)
        let nearest = try toTraining.from(generated).nearest()
        (neighbors, distances) = (nearest.map(\.index), nearest.map { $0.squaredDistance.squareRoot() })
        if let heldOut {
            yardstick = try toTraining.from(heldOut).nearest().map { $0.squaredDistance.squareRoot() }
        } else {
            yardstick = try SquaredDistances.toNeighbor(1, within: training).map { $0.squareRoot() }
        }
    }

    /// The median distance of generated samples over that of real ones. Far below 1, training samples are repeated.
    public func ratio(_ bootstrap: Bootstrap) -> Estimate {
        func median(_ values: [Float], _ places: [Int]) -> Double { quantile(0.5, ofSorted: places.map { values[$0] }.sorted()) }
        func ratio(_ draws: [[Int]]) -> Double { median(distances, draws[0]) / median(yardstick, draws[1]) }
        let counts = [distances.count, yardstick.count]
        return bootstrap.estimate(of: ratio(counts.map { Array(0..<$0) }), counts, draws: 200, within: 0 ... .infinity, ratio)
    }

    /// The share of generated samples that are nearer to a training sample than 99 of 100 real ones are.
    public func copies(_ bootstrap: Bootstrap) -> Estimate {
        let bound = Float(quantile(Self.copyQuantile, ofSorted: yardstick.sorted()))
        return bootstrap.estimate([distances.map { $0 < bound ? 1 : 0 }], within: 0...1)
    }
}
