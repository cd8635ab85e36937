import KantoDescriptions
import KantoNN
import KantoTensor

/// What a critic and a generator play for: a function of the critic's scores, [n, 1] or [n], without a penalty.
///
/// To add a loss that configurations can name, add a row to `LossKinds`; one of your own can be given to a trainer as it is.
public protocol AdversarialLoss: NamedDescription {
    /// The critic's loss, a scalar; the scores of both batches are in the order of the samples.
    func critic(real: Tensor, fake: Tensor) throws -> Tensor

    /// The generator's loss, a scalar.
    ///
    /// - Parameters:
    ///   - fake: scores of generated samples.
    ///   - real: scores of as many real samples; asked for by a loss that compares them only.
    func generator(fake: Tensor, real: () throws -> Tensor) throws -> Tensor
}

/// Critic: E[D(x̃)] − E[D(x)] + drift · E[D(x)²]; generator: −E[D(x̃)] (Arjovsky et al. 2017). The drift term keeps the
/// scores near 0 (Karras et al. 2018, with a weight of 1e-3).
public struct WassersteinLoss: AdversarialLoss {
    public static let name = "wasserstein"
    public static let keys = [DescriptionKey("drift", \WassersteinLoss.drift, in: 0...Double.greatestFiniteMagnitude)]
    /// The weight of the mean squared score of real samples, which keeps scores near 0 (Karras et al. 2018); 0 for none.
    public var drift = 0.0

    public init() {}
    /// - Parameter drift: the weight of the mean squared score of real samples.
    public init(drift: Double) { self.drift = drift }

    public func critic(real: Tensor, fake: Tensor) throws -> Tensor {
        let loss = try fake.mean() - real.mean()
        return drift == 0 ? loss : try loss + real.square().mean() * drift
    }

    public func generator(fake: Tensor, real: () throws -> Tensor) throws -> Tensor { try -fake.mean() }
}

/// Critic: E max(0, 1 − D(x)) + E max(0, 1 + D(x̃)); generator: −E[D(x̃)] (Lim and Ye 2017).
public struct HingeLoss: AdversarialLoss {
    public static let name = "hinge"

    public init() {}

    public func critic(real: Tensor, fake: Tensor) throws -> Tensor { try (1 - real).relu().mean() + (1 + fake).relu().mean() }

    public func generator(fake: Tensor, real: () throws -> Tensor) throws -> Tensor { try -fake.mean() }
}

/// Critic: E softplus(−D(x)) + E softplus(D(x̃)); generator: E softplus(−D(x̃)) (Goodfellow et al. 2014).
public struct NonSaturatingLoss: AdversarialLoss {
    public static let name = "non-saturating"

    public init() {}

    public func critic(real: Tensor, fake: Tensor) throws -> Tensor { try (-real).softplus().mean() + fake.softplus().mean() }

    public func generator(fake: Tensor, real: () throws -> Tensor) throws -> Tensor { try (-fake).softplus().mean() }
}

/// Critic: E softplus(−(D(x) − D(x̃))); generator: E softplus(−(D(x̃) − D(x))), each generated sample against a real one
/// (Jolicoeur-Martineau 2018): the loss of R3GAN (Huang et al. 2024).
public struct RelativisticLoss: AdversarialLoss {
    public static let name = "relativistic"

    public init() {}

    public func critic(real: Tensor, fake: Tensor) throws -> Tensor { try (fake - real).softplus().mean() }

    public func generator(fake: Tensor, real: () throws -> Tensor) throws -> Tensor { try (real() - fake).softplus().mean() }
}

/// The losses that a configuration can name.
public enum LossKinds: KindFamily {
    public static let noun = "loss"
    public static let kinds: [any NamedDescription.Type] = [
        WassersteinLoss.self, HingeLoss.self, NonSaturatingLoss.self, RelativisticLoss.self,
    ]
}

/// A loss of a configuration: `"hinge"`, or `{"name": "wasserstein", "drift": 1e-3}`.
public typealias LossDescription = Choice<LossKinds>

extension LossDescription {
    /// Describes a loss.
    public init(_ loss: any AdversarialLoss) { self.init(kind: loss) }
    /// The loss that is described.
    public var loss: any AdversarialLoss { kind as! any AdversarialLoss }
}
