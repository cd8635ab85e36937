import KantoGAN
import KantoTensor

/// The norms of the critic's input gradient on the lines between real and generated samples, where a gradient penalty holds them
/// (Gulrajani et al. 2017, section 4), and off these, where nothing does: between two real samples, and between two generated ones.
/// An optimal critic has norm 1 on the lines (Proposition 1 there) and nowhere more.
struct CriticNorms {
    /// At a point of each line.
    let onLines: [Double]
    /// At a point between each sample and the next; nil for networks that are told classes, of which two samples have two.
    let betweenReal, betweenGenerated: [Double]?

    /// More say no more: the interval of a thousand is narrow.
    private static let mostPoints = 1000

    /// - Parameters:
    ///   - real: as many samples as `generated`, of the same classes.
    ///   - seed: of the places on the lines.
    init(_ trainer: Trainer, real: Tensor, generated: Tensor, labels: [Int]?, seed: UInt64) throws {
        let count = min(Self.mostPoints, real.shape[0])
        var random = Random(seed: seed, stream: RandomStream.samples.rawValue << 32 | 1)
        func norms(_ from: Tensor, _ to: Tensor) throws -> [Double] {
            let points = try interpolate(real: from, fake: to, epsilon: random.uniform([count]))
            return try trainer.gradientNorms(at: points, labels: labels.map { Array($0.prefix(count)) })
        }
        func next(_ samples: Tensor) throws -> Tensor { try samples.gathered((0..<count).map { ($0 + 1) % count }) }
        let (real, generated) = (try real.sliced(0..<count), try generated.sliced(0..<count))
        onLines = try norms(real, generated)
        betweenReal = labels == nil ? try norms(real, next(real)) : nil
        betweenGenerated = labels == nil ? try norms(generated, next(generated)) : nil
    }
}
