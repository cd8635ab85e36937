import KantoNN
import KantoTensor

/// Holds a critic against what a penalty on the gradient at each sample needs.
///
/// - Parameter allowsSampleMixing: a layer that mixes samples is warned of, not refused.
/// - Returns: under what the critic's layers are called.
/// - Throws: `TensorError`, which names the layer that mixes the samples of a batch, or a layer's property with parameters that
///   it does not list.
func auditCritic(_ critic: any Layer, allowsSampleMixing: Bool) throws -> PenalizedPass {
    let layers = try PlacedLayer(critic, network: "critic").all()
    // The innermost: what holds a layer that mixes samples mixes them too.
    let mixing = layers.last(where: \.layer.mixesSamples)
    if let mixing { try PenalizedPass.report(mixing: "\(mixing)", isAllowed: allowsSampleMixing) }
    let kinked = layers.first(where: { $0.layer is ELU || $0.layer is SELU })
    if let kinked { PenalizedPass.warn(kinked: "\(kinked)") }
    return PenalizedPass(allowsSampleMixing: allowsSampleMixing, isMixingKnown: mixing != nil, isKinkKnown: kinked != nil)
}
