import KantoNN
import KantoTensor

/// A critic: from samples [n, …] to scores [n, 1]. A layer is one.
public typealias Critic = (Tensor) throws -> Tensor

/// Points on the lines between real and generated samples: x̂ = ε x + (1 − ε) x̃ (Gulrajani et al. 2017, Algorithm 1).
///
/// - Parameter epsilon: one coefficient a sample, [n], in [0, 1].
/// - Returns: a constant of the samples' shape: nothing of it reaches the generator.
public func interpolate(real: Tensor, fake: Tensor, epsilon: Tensor) throws -> Tensor {
    guard real.shape == fake.shape else {
        throw TensorError("interpolate", "real samples of shape \(real.shape), generated ones of \(fake.shape)")
    }
    guard epsilon.shape == [real.shape[0]] else {
        throw TensorError("interpolate", "coefficients of shape \(epsilon.shape), expected one a sample: [\(real.shape[0])]")
    }
    return try withoutGradient {
        let weight = try epsilon.reshaped([real.shape[0]] + Array(repeating: 1, count: real.rank - 1))
        return try fake + weight * (real - fake)
    }
}

/// What the critic's input gradient says at some points.
public struct GradientPenalty: Sendable {
    /// The mean of the samples' penalties, without λ; differentiable in the critic's parameters.
    public let value: Tensor
    /// The norm of each sample's input gradient, [n].
    public let norms: Tensor
    /// ∇D(x̂), of the points' shape.
    public let inputGradient: Tensor
    /// The scores of the points, [n, 1].
    public let scores: Tensor
}

/// The gradient penalty by double backward; as a rule the two-sided one of WGAN-GP.
///
/// The norm is that of each sample over all its elements. Where it is 0 its derivative is taken as 0.
///
/// - Parameters:
///   - points: [n, …], as a rule from `interpolate`.
///   - regularizer: the function of the norms.
public func gradientPenalty(
    _ critic: Critic, at points: Tensor, _ regularizer: Regularizer = .twoSided()
) throws -> GradientPenalty {
    let points = points.tracked()
    let scores = try critic(points)
    let slope = try gradient(of: scores, withRespectTo: points)
    let norms = try slope.sampleNorm()
    return GradientPenalty(
        value: try regularizer.penalties(norms).mean(), norms: norms.detached(),
        inputGradient: slope.detached(), scores: scores.detached())
}
