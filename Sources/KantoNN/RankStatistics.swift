import KantoCommunication
import KantoTensor

/// Mean and variance over the rows of all ranks, by sums, and what is normalized by them: made of differentiable ops, so that
/// gradients of any order reach the rows of every rank.
struct RankStatistics {
    /// With the axes of extent 1.
    let mean, variance: Tensor
    /// Elements behind each statistic.
    let number: Double
    /// x − mean.
    private let deviation: Tensor

    /// - Throws: `TensorError` if there is one element a statistic, `RankError`.
    init(of input: Tensor, axes: [Int], by communicator: Communicator) throws {
        let own = Double(axes.reduce(1) { $0 * input.shape[$1] })
        number = try communicator.sums(of: [own])[0]
        guard number > 1 else {
            throw TensorError("batch normalization", "one element a statistic on all ranks; its normalized value is always 0")
        }
        mean = try input.sum(axes: axes, keepsAxes: true).allReduced(by: communicator) / number
        deviation = try input - mean
        // In two passes: nothing cancels.
        variance = try deviation.square().sum(axes: axes, keepsAxes: true).allReduced(by: communicator) / number
    }

    /// (x − mean) / √(variance + ε).
    func normalized(epsilon: Double) throws -> Tensor { try deviation * (variance + epsilon).squareRoot().reciprocal() }
}
