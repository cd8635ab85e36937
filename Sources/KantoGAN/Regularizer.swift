import KantoCommunication
import KantoDescriptions
import KantoNN
import KantoTensor

/// A term on the norms of the critic's input gradients: at which points, and which function of the norms.
///
/// The trainer multiplies it by a weight λ (γ in some papers), which no formula below contains.
///
/// To add a regularizer that configurations can name, add a row to `RegularizerKinds`; one of your own can be given to a trainer
/// as it is.
public protocol Regularizer: NamedDescription {
    /// Where the input gradient is taken.
    ///
    /// - Parameters:
    ///   - real, fake: [n, …], of one shape.
    ///   - random: for regularizers that draw their points.
    /// - Returns: a constant, [m, …]: nothing of it reaches the generator.
    /// - Throws: `TensorError` if the shapes differ.
    func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor

    /// The penalty, a scalar, from the norms at the points, [m]; differentiable in them.
    func penalty(_ norms: Tensor) throws -> Tensor

    /// The term with its effective coefficient, for people: published code disagrees on halves.
    func formula(weight: Double) -> String

    /// Where the norms are held, for whoever judges a critic by them; nil if they are not held anywhere.
    var heldNorm: HeldNorm? { get }
}

extension Regularizer {
    /// Nowhere.
    public var heldNorm: HeldNorm? { nil }
}

/// Where a penalty k (‖∇D‖ − τ)² holds the norm of the critic's input gradient.
public struct HeldNorm: Sendable, Equatable {
    /// τ.
    public let target: Double
    /// Whether smaller norms cost nothing.
    public let isUpperBound: Bool
    /// k, without the weight λ.
    public let stiffness: Double

    /// See the properties.
    public init(target: Double, isUpperBound: Bool = false, stiffness: Double = 1) {
        (self.target, self.isUpperBound, self.stiffness) = (target, isUpperBound, stiffness)
    }
}

/// E(‖∇D(x̂)‖ − τ)² / τ² between real and generated samples: WGAN-GP (Gulrajani et al. 2017, equation 3), with the target
/// of Karras et al. 2018.
public struct TwoSidedPenalty: Regularizer {
    public static let name = "two-sided"
    public static let keys = [DescriptionKey("target", \TwoSidedPenalty.target, expected: "a positive number") { $0 > 0 }]
    /// τ.
    public var target = 1.0

    public init() {}
    /// - Parameter target: positive.
    public init(target: Double) { self.target = target }

    public func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor {
        try interpolate(real: real, fake: fake, using: &random)
    }

    public func penalty(_ norms: Tensor) throws -> Tensor { try (norms / target - 1).square().mean() }

    public func formula(weight: Double) -> String {
        "\(decimal(weight / (target * target))) E(‖∇D(x̂)‖ - \(decimal(target)))²"
    }

    public var heldNorm: HeldNorm? { HeldNorm(target: target, stiffness: 1 / (target * target)) }
}

/// E max(0, ‖∇D(x̂)‖ − τ)² between real and generated samples: WGAN-LP (Petzka et al. 2018).
public struct OneSidedPenalty: Regularizer {
    public static let name = "one-sided"
    public static let keys = [
        DescriptionKey("target", \OneSidedPenalty.target, in: 0...Double.greatestFiniteMagnitude)
    ]
    /// τ.
    public var target = 1.0

    public init() {}
    /// - Parameter target: the norm up to which gradients cost nothing.
    public init(target: Double) { self.target = target }

    public func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor {
        try interpolate(real: real, fake: fake, using: &random)
    }

    public func penalty(_ norms: Tensor) throws -> Tensor { try (norms - target).relu().square().mean() }

    public func formula(weight: Double) -> String { "\(decimal(weight)) E max(0, ‖∇D(x̂)‖ - \(decimal(target)))²" }

    public var heldNorm: HeldNorm? { HeldNorm(target: target, isUpperBound: true) }
}

/// E(‖∇D(x + αδ)‖ − 1)², δ = ½ std(X) · U[0, 1] an element and α ~ U[0, 1] a sample: DRAGAN (Kodali et al. 2017). The
/// deviation is that of all elements of the batch of real samples.
public struct DRAGANPenalty: Regularizer {
    public static let name = "dragan"

    public init() {}

    public func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor {
        try requireSamples(real, fake, for: "DRAGAN")
        return try withoutGradient {
            let deviation = try Self.deviation(real)
            let noise = try random.uniform(real.shape, in: 0..<1, elementType: real.elementType)
            let weight = try random.uniform(perSample(real), in: 0..<1, elementType: real.elementType)
            return try real + weight * noise * (0.5 * deviation)
        }
    }

    /// Of all elements; where several ranks have rows of the batch, of those of all.
    private static func deviation(_ real: Tensor) throws -> Double {
        guard let communicator = Communicator.current else {
            return try (real - real.mean()).square().mean().squareRoot().item()
        }
        let sums = try communicator.sums(of: [real.sum().item(), Double(real.count)])
        let squares = try communicator.sums(of: [(real - sums[0] / sums[1]).square().sum().item()])
        return (squares[0] / sums[1]).squareRoot()
    }

    public func penalty(_ norms: Tensor) throws -> Tensor { try (norms - 1).square().mean() }

    public func formula(weight: Double) -> String { "\(decimal(weight)) E(‖∇D(x + αδ)‖ - 1)²" }

    public var heldNorm: HeldNorm? { HeldNorm(target: 1) }
}

/// ½ E‖∇D‖² at the real samples (R1), the generated ones (R2), or the sum of both (Mescheder et al. 2018). The sum, with
/// the relativistic loss, is R3GAN's (Huang et al. 2024).
public struct ZeroCenteredPenalty: Regularizer {
    public static let name = "zero-centered"
    public static let keys = [DescriptionKey("samples", \ZeroCenteredPenalty.samples)]
    /// Which samples.
    public enum Samples: String, CaseIterable, DescriptionConvertible { case real, generated, both }
    /// Where the gradient is taken.
    public var samples = Samples.real

    public init() {}
    /// - Parameter samples: where the gradient is taken: R1 at real ones, R2 at generated ones.
    public init(_ samples: Samples) { self.samples = samples }

    public func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor {
        switch samples {
        case .real: return real.detached()
        case .generated: return fake.detached()
        case .both:
            try requireSamples(real, fake, for: "R1 + R2")
            return try withoutGradient { try Tensor.concatenated([real, fake]) }
        }
    }

    /// Over both batches, of one size, the sum of two means is twice the mean.
    public func penalty(_ norms: Tensor) throws -> Tensor { try norms.square().mean() * (samples == .both ? 1 : 0.5) }

    public func formula(weight: Double) -> String {
        let coefficient = decimal(weight / 2)
        return switch samples {
        case .real: "\(coefficient) E‖∇D(x)‖²"
        case .generated: "\(coefficient) E‖∇D(x̃)‖²"
        case .both: "\(coefficient) (E‖∇D(x)‖² + E‖∇D(x̃)‖²)"
        }
    }
}

/// max ‖∇D(x̂)‖² over the points between real and generated samples: the largest slope alone.
public struct MaximumPenalty: Regularizer {
    public static let name = "maximum"

    public init() {}

    public func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor {
        try interpolate(real: real, fake: fake, using: &random)
    }

    /// Differentiable in the largest norm; in the first of them where several are equal.
    public func penalty(_ norms: Tensor) throws -> Tensor {
        let values = norms.doubles
        guard let largest = values.firstIndex(where: \.isNaN) ?? values.firstIndex(of: values.max() ?? 0) else {
            throw TensorError("maximum penalty", "no norms: the largest of nothing")
        }
        return try norms.sliced(largest..<largest + 1).square().sum()
    }

    public func formula(weight: Double) -> String { "\(decimal(weight)) max ‖∇D(x̂)‖²" }
}

/// The regularizers that a configuration can name.
public enum RegularizerKinds: KindFamily {
    /// What every regularizer has beside its own keys.
    public struct Common: Describable {
        /// λ.
        public var weight = 10.0

        public init() {}
        /// - Parameter weight: λ.
        public init(weight: Double) { self.weight = weight }

        public static let keys = [DescriptionKey("weight", \Self.weight, expected: "a number from 0 to 1e9") { 0...1e9 ~= $0 }]
    }
    public static let noun = "regularizer"
    public static let kinds: [any NamedDescription.Type] = [
        TwoSidedPenalty.self, OneSidedPenalty.self, DRAGANPenalty.self, ZeroCenteredPenalty.self, MaximumPenalty.self,
    ]
    public static let standard: (any NamedDescription.Type)? = TwoSidedPenalty.self
}

/// A regularizer of a configuration and its weight: `{"name": "one-sided", "weight": 10}`.
public typealias RegularizerDescription = Choice<RegularizerKinds>

extension RegularizerDescription {
    /// Describes a regularizer.
    ///
    /// - Parameter weight: λ.
    public init(_ regularizer: any Regularizer, weight: Double = 10) {
        self.init(kind: regularizer, common: RegularizerKinds.Common(weight: weight))
    }
    /// The regularizer that is described.
    public var regularizer: any Regularizer { kind as! any Regularizer }
    /// λ.
    public var weight: Double {
        get { common.weight }
        set { common.weight = newValue }
    }
}

extension Regularizer where Self == TwoSidedPenalty {
    /// WGAN-GP's.
    public static func twoSided(target: Double = 1) -> Self { TwoSidedPenalty(target: target) }
}

extension Regularizer where Self == OneSidedPenalty {
    /// WGAN-LP's.
    public static func oneSided(target: Double = 1) -> Self { OneSidedPenalty(target: target) }
}

extension Regularizer where Self == DRAGANPenalty {
    /// DRAGAN's.
    public static var dragan: Self { DRAGANPenalty() }
}

extension Regularizer where Self == ZeroCenteredPenalty {
    /// R1 (Mescheder et al. 2018, equation 9).
    public static var r1: Self { ZeroCenteredPenalty(.real) }
    /// R2 (Mescheder et al. 2018, equation 10).
    public static var r2: Self { ZeroCenteredPenalty(.generated) }
    /// R3GAN's.
    public static var r1AndR2: Self { ZeroCenteredPenalty(.both) }
}

extension Regularizer where Self == MaximumPenalty {
    /// The largest slope's.
    public static var maximum: Self { MaximumPenalty() }
}

/// Points on the lines between real and generated samples: x̂ = ε x + (1 − ε) x̃ (Gulrajani et al. 2017, Algorithm 1).
///
/// - Parameter epsilon: one coefficient a sample, [n], in [0, 1].
/// - Returns: a constant of the samples' shape: nothing of it reaches the generator.
public func interpolate(real: Tensor, fake: Tensor, epsilon: Tensor) throws -> Tensor {
    try requireSamples(real, fake, for: "interpolate")
    guard epsilon.shape == [real.shape[0]] else {
        throw TensorError("interpolate", "coefficients of shape \(epsilon.shape), expected one a sample: [\(real.shape[0])]")
    }
    return try withoutGradient { try fake + epsilon.reshaped(perSample(real)) * (real - fake) }
}

/// `interpolate` with one ε ~ U[0, 1) a sample, whatever the samples' rank.
private func interpolate(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor {
    try requireSamples(real, fake, for: "interpolate")
    let epsilon = try random.uniform([real.shape[0]], elementType: real.elementType)
    return try interpolate(real: real, fake: fake, epsilon: epsilon)
}

/// The shape of one number a sample that combines with the samples.
private func perSample(_ samples: Tensor) -> [Int] { [samples.shape[0]] + Array(repeating: 1, count: samples.rank - 1) }

func requireSamples(_ real: Tensor, _ fake: Tensor, for operation: String) throws {
    guard real.shape == fake.shape else {
        throw TensorError(operation, "real samples of shape \(real.shape), generated ones of \(fake.shape)")
    }
    guard let count = real.shape.first, count > 0 else {
        throw TensorError(operation, "samples of shape \(real.shape): an empty batch; expected [n, …] with n of at least 1")
    }
}
