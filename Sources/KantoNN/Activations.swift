import KantoKernels
import KantoTensor

/// max(x, 0).
public struct ReLU: ActivationLayer {
    public init() {}
    public var activation: Activation { .relu }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.relu() }
}

/// x where it is positive, slope · x elsewhere.
public struct LeakyReLU: ActivationLayer {
    public let slope: Double
    public init(_ slope: Double = 0.2) { self.slope = slope }
    public var activation: Activation { .leakyReLU(slope: slope) }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.leakyReLU(slope: slope) }
}

/// The hyperbolic tangent.
public struct Tanh: ActivationLayer {
    public init() {}
    public var activation: Activation { .tanh }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.tanh() }
}

/// 1 / (1 + e⁻ˣ).
public struct Sigmoid: ActivationLayer {
    public init() {}
    public var activation: Activation { .sigmoid }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.sigmoid() }
}
