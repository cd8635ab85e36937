import KantoGAN
import KantoMetrics
import KantoTensor

/// How far generated samples are from real ones: the sliced Wasserstein distance of order 1 (Bonneel et al. 2015), over whole
/// samples. Both are projected on random directions; along each the distance is the mean difference of the sorted projections.
///
/// It needs no network and suits samples of any shape. The real samples, the noise and the directions are the same each time, so
/// that the distances of a run can be compared with each other.
struct SampleDistance {
    private let real: KeptSamples
    private let directions: Tensor
    private let noise: Tensor
    private let projectedReal: [[Float]]

    private static let directionCount = 256

    /// - Parameter real: the samples to be near to.
    init(to real: KeptSamples, _ configuration: RunConfiguration) throws {
        self.real = real
        let count = real.samples.shape[0]
        var random = Random(seed: configuration.training.seed, stream: RandomStream.heldOut.rawValue << 32 | 0xFFFF_FFFF)
        noise = try random.normal([count, configuration.networks.latentSize])
        directions = try randomDirections(Self.directionCount, width: real.samples.count / count, using: &random)
        projectedReal = try Self.sortedProjections(of: real.samples, on: directions)
    }

    /// - Parameter generator: gives as many samples as there are vectors of noise; the classes are those of the real samples.
    func value(_ generator: (_ noise: Tensor, _ labels: [Int]?) throws -> Tensor) throws -> Double {
        let projected = try Self.sortedProjections(of: generator(noise, real.labels), on: directions)
        var sum = 0.0
        for (values, realValues) in zip(projected, projectedReal) {
            for (value, realValue) in zip(values, realValues) { sum += Double(abs(value - realValue)) }
        }
        return sum / Double(Self.directionCount * real.samples.shape[0])
    }

    private static func sortedProjections(of samples: Tensor, on directions: Tensor) throws -> [[Float]] {
        let rows = try samples.reshaped([samples.shape[0], samples.count / samples.shape[0]])
        let projections = try directions.matmul(rows, transposeOther: true)
        return try (0..<directionCount).map { try projections.sliced($0..<$0 + 1).floats.sorted() }
    }
}
