import KantoNN
import KantoTensor

/// The critic's loss on a batch, and its parameters' gradients, by double backward on the recorded graph.
public struct CriticGradients: Sendable {
    /// E[D(x̃)] − E[D(x)] + λ · penalty.
    public let loss: Double
    public let scores: (real: Tensor, fake: Tensor)
    public let penalty: GradientPenalty
    /// In the order of the critic's parameters.
    public let gradients: [Tensor]

    /// - Parameters:
    ///   - real, fake: [n, …]; constants here.
    ///   - epsilon: [n], see `interpolate`.
    ///   - penaltyWeight: λ.
    public init(
        _ critic: any Layer, real: Tensor, fake: Tensor, epsilon: Tensor, penaltyWeight: Double = 10,
        regularizer: Regularizer = .twoSided()
    ) throws {
        let count = real.shape[0]
        let points = try regularizer.points(real: real, fake: fake, epsilon: epsilon)
        let penalty = try gradientPenalty({ try critic($0) }, at: points, regularizer)
        // One pass over both batches: the kernels see twice the rows.
        let scores = try critic(Tensor.concatenated([real.detached(), fake.detached()]))
        let (realScores, fakeScores) = try (scores.sliced(0..<count), scores.sliced(count..<2 * count))
        let loss = try wassersteinCriticLoss(real: realScores, fake: fakeScores) + penalty.value * penaltyWeight

        self.loss = try loss.item()
        self.scores = (realScores.detached(), fakeScores.detached())
        self.penalty = penalty
        gradients = try KantoTensor.gradients(
            of: loss, withRespectTo: critic.parameters.map(\.value), isDifferentiable: false)
    }
}
