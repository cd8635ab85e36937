import KantoTensor

/// E[D(x̃)] − E[D(x)]: the critic's loss without its penalty, and minus the Wasserstein estimate.
///
/// - Parameters: scores, [n, 1] or [n].
public func wassersteinCriticLoss(real: Tensor, fake: Tensor) throws -> Tensor { try fake.mean() - real.mean() }

/// −E[D(x̃)]: the generator's loss.
public func wassersteinGeneratorLoss(fake: Tensor) throws -> Tensor { try -fake.mean() }
