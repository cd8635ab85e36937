import KantoDescriptions
import KantoKernels
import KantoTensor

// Functions of each element; shapes stay. The derivative at a kink is that of the side named.

/// max(x, 0). Its derivative at 0 is 0.
public struct ReLU: ActivationLayer, DescribedLayer {
    public static let name = "relu"
    public init() {}
    public var activation: Activation { .relu }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.relu() }
}

/// x where it is positive, slope · x elsewhere (Maas, Hannun and Ng 2013). Its derivative at 0 is the slope.
public struct LeakyReLU: ActivationLayer, DescribedLayer {
    public static let name = "leaky_relu"
    public static let keys = [DescriptionKey("slope", \LeakyReLU.slope, in: 0...Double.greatestFiniteMagnitude)]
    /// The slope below zero.
    public internal(set) var slope = 0.2
    public init() {}
    /// - Parameter slope: below zero; not negative.
    public init(_ slope: Double) { self.slope = slope }
    public func summary(for input: [Int]) -> String { "\(slope)" }
    public var activation: Activation { .leakyReLU(slope: slope) }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.leakyReLU(slope: slope) }
}

/// The hyperbolic tangent.
public struct Tanh: ActivationLayer, DescribedLayer {
    public static let name = "tanh"
    public init() {}
    public var activation: Activation { .tanh }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.tanh() }
}

/// 1 / (1 + e⁻ˣ).
public struct Sigmoid: ActivationLayer, DescribedLayer {
    public static let name = "sigmoid"
    public init() {}
    public var activation: Activation { .sigmoid }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.sigmoid() }
}

/// log(1 + eˣ).
public struct Softplus: DescribedLayer {
    public static let name = "softplus"
    public init() {}
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.softplus() }
}

/// x / (1 + e⁻ˣ) (Hendrycks and Gimpel 2016; Elfwing, Uchibe and Doya 2018).
public struct SiLU: DescribedLayer {
    public static let name = "silu"
    public init() {}
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input * input.sigmoid() }
}

/// x Φ(x) = x (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel 2016), exact.
public struct GELU: DescribedLayer {
    public static let name = "gelu"
    public init() {}

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        let half = try input * 0.5
        return try half.multiplied(by: (input * 0.5.squareRoot()).erf(), adding: half)
    }
}

/// x where it is positive, α (eˣ − 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016).
///
/// Its second derivative jumps at 0: in a critic the gradient penalty failed with it (Gulrajani et al. 2017, appendix D).
public struct ELU: DescribedLayer {
    public static let name = "elu"
    public static let keys = [DescriptionKey("alpha", \ELU.alpha, in: 0...Double.greatestFiniteMagnitude)]
    /// The limit at −∞ is −alpha.
    public internal(set) var alpha = 1.0
    public init() {}
    /// - Parameter alpha: the limit at −∞ is −alpha.
    public init(alpha: Double) { self.alpha = alpha }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        PenalizedPass.current?.admit(kinked: self)
        return try exponentialLinear(input, scale: 1, alpha: alpha)
    }
}

/// softplus(2x + 2) / 2 − 1: close to an ELU and smooth, for critics under a gradient penalty (Gulrajani et al. 2017,
/// appendix D).
public struct SmoothELU: DescribedLayer {
    public static let name = "smooth_elu"
    public init() {}
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try (input * 2 + 2).softplus() * 0.5 - 1 }
}

/// λ times an ELU of α, which keep activations of mean 0 and variance 1 so (Klambauer et al. 2017, equation 2). Its second
/// derivative jumps at 0, as that of `ELU`.
public struct SELU: DescribedLayer {
    public static let name = "selu"
    public init() {}

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        PenalizedPass.current?.admit(kinked: self)
        return try exponentialLinear(input, scale: 1.0507009873554804934193349852946, alpha: 1.6732632423543772848170429916717)
    }
}

/// scale · x where x is positive, scale · α (eˣ − 1) elsewhere; the derivative at 0 is scale · α.
private func exponentialLinear(_ input: Tensor, scale: Double, alpha: Double) throws -> Tensor {
    let type = input.elementType
    // The smaller of equal numbers passes the gradient to the first, relu() passes none at 0.
    let below = try Tensor.minimum(input, .scalar(0, elementType: type)).expMinusOne()
    let above = try scale == 1 ? input.relu() : input.relu() * scale
    return try below.multiplied(by: .scalar(scale * alpha, elementType: type), adding: above)
}
