import KantoTensor

/// A term on the norms of the critic's input gradients: which function of a norm, and at which points.
public enum Regularizer: Sendable, Hashable {
    /// (‖∇D(x̂)‖ − target)² between real and generated samples: WGAN-GP (Gulrajani et al. 2017, equation 3).
    case twoSided(target: Double = 1)
    /// max(0, ‖∇D(x̂)‖ − target)² between real and generated samples: WGAN-LP (Petzka et al. 2018).
    case oneSided(target: Double = 1)
    /// ‖∇D(x)‖² / 2 at the real samples: R1 (Mescheder et al. 2018).
    case r1

    /// Where the input gradient is taken; a constant of the samples' shape.
    func points(real: Tensor, fake: Tensor, epsilon: Tensor) throws -> Tensor {
        switch self {
        case .twoSided, .oneSided: try interpolate(real: real, fake: fake, epsilon: epsilon)
        case .r1: real.detached()
        }
    }

    /// Each sample's penalty, [n], from the norms, [n].
    func penalties(_ norms: Tensor) throws -> Tensor {
        switch self {
        case .twoSided(let target): try (norms - target).square()
        case .oneSided(let target): try (norms - target).relu().square()
        case .r1: try norms.square() * 0.5
        }
    }
}
