import KantoNN
import KantoTensor

/// A critic: from samples [n, …] to scores [n, 1]. A layer is one.
public typealias Critic = (Tensor) throws -> Tensor

/// What the critic's input gradient says at some points.
public struct GradientPenalty: Sendable {
    /// The regularizer's penalty, without λ, a scalar; differentiable in the critic's parameters if `gradientPenalty` made it.
    public let value: Tensor
    /// The norm of each point's input gradient, [m].
    public let norms: Tensor
    /// ∇D(x̂), of the points' shape.
    public let inputGradient: Tensor
    /// The scores of the points, [m, 1].
    public let scores: Tensor
}

/// The gradient penalty by double backward; as a rule the two-sided one of WGAN-GP.
///
/// The norm is that of each sample over all its elements. Where it is 0 its derivative is taken as 0.
///
/// - Parameters:
///   - points: [m, …], as a rule from `interpolate` or from the regularizer.
///   - regularizer: the function of the norms.
///   - allowsSampleMixing: a critic with batch normalization, say, is warned of, not refused.
/// - Throws: `TensorError` if there are no points, or the critic does not give one score a sample or mixes samples.
public func gradientPenalty(
    _ critic: Critic, at points: Tensor, _ regularizer: some Regularizer = .twoSided(), allowsSampleMixing: Bool = false
) throws -> GradientPenalty {
    try gradientPenalty(critic, at: points, regularizer, PenalizedPass(allowsSampleMixing: allowsSampleMixing))
}

/// - Parameters:
///   - pass: under what the critic's layers are called; nil if nothing is asked of them.
///   - shared: whose points these are, where several ranks have some; the norms are then those of all.
func gradientPenalty(
    _ critic: Critic, at points: Tensor, _ regularizer: some Regularizer, _ pass: PenalizedPass?, shared: SharedBatch? = nil
) throws -> GradientPenalty {
    guard let count = points.shape.first, count > 0 else {
        throw TensorError(
            "gradient penalty", "points of shape \(points.shape): an empty batch; expected [m, …] with m of at least 1")
    }
    let points = points.tracked()
    let scores = try PenalizedPass.$current.withValue(pass) { try critic(points) }
    try requireScores(scores, count)
    let slope = try gradient(of: scores, withRespectTo: points)
    let norms = try shared.whole(slope.sampleNorm())
    return GradientPenalty(
        value: try regularizer.penalty(norms), norms: norms.detached(),
        inputGradient: slope.detached(), scores: scores.detached())
}

/// The gradient penalty of a layer; see that of a closure. A layer that mixes samples is named with its place.
///
/// - Parameter classes: of the points, [m, classes], for a layer that is told them.
/// - Throws: `TensorError` also if a layer stores parameters that it does not list.
public func gradientPenalty(
    _ critic: any Layer, at points: Tensor, classes: Tensor? = nil, _ regularizer: some Regularizer = .twoSided(),
    allowsSampleMixing: Bool = false
) throws -> GradientPenalty {
    let pass = try auditCritic(critic, allowsSampleMixing: allowsSampleMixing)
    return try gradientPenalty({ try critic.output($0, classes: classes) }, at: points, regularizer, pass)
}

/// A critic that gives a sample several scores, or several samples one, has no input gradient of each sample.
func requireScores(_ scores: Tensor, _ count: Int) throws {
    guard scores.shape == [count, 1] || scores.shape == [count] else {
        throw TensorError(
            "critic", "scores of shape \(scores.shape) for \(count) samples, expected one a sample: [\(count), 1] or [\(count)]")
    }
}
