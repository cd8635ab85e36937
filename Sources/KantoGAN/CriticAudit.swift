import KantoKernels
import KantoNN
import KantoTensor

/// A layer and where it stands in a network, as parameters' paths say it: `2.main.0`.
struct PlacedLayer: CustomStringConvertible {
    let layer: any Layer
    let path: String

    init(_ network: any Layer) { self.init(network, path: "") }

    private init(_ layer: any Layer, path: String) {
        self.layer = layer
        self.path = path
    }

    /// The layers that it is made of; none if it is made of no others.
    var parts: [PlacedLayer] {
        func part(_ layer: any Layer, _ name: String) -> PlacedLayer {
            PlacedLayer(layer, path: path.isEmpty ? name : "\(path).\(name)")
        }
        return switch layer {
        case let layer as Sequential: layer.layers.enumerated().map { part($1, "\($0)") }
        case let layer as Residual: [part(layer.main, "main"), part(layer.shortcut, "shortcut")]
        default: []
        }
    }

    /// It and all that it is made of.
    var all: [PlacedLayer] { [self] + parts.flatMap(\.all) }

    /// For errors.
    var description: String { path.isEmpty ? "the critic (\(type(of: layer)))" : "layer \(path) (\(type(of: layer)))" }
}

/// Holds a critic against what a penalty on the gradient at each sample needs.
///
/// - Parameter allowsSampleMixing: a layer that mixes samples is warned of, not refused.
/// - Throws: `TensorError`, which names the layer that mixes the samples of a batch.
func auditCritic(_ critic: any Layer, allowsSampleMixing: Bool) throws {
    let layers = PlacedLayer(critic).all
    // The innermost: what holds a layer that mixes samples mixes them too.
    if let mixing = layers.last(where: \.layer.mixesSamples) {
        let reason =
            "\(mixing) mixes the samples of a batch: the gradient at one sample depends on the others, and its norm, which the "
            + "penalty is on, is not the critic's slope there. Take LayerNorm or InstanceNorm"
        guard allowsSampleMixing else {
            throw TensorError("critic", reason + ", or allow it on purpose with allowsSampleMixing")
        }
        Diagnostics.warnOnce("critic: " + reason, key: "critic mixes samples: \(mixing)")
    }
    if let kinked = layers.first(where: { $0.layer is ELU || $0.layer is SELU }) {
        Diagnostics.warnOnce(
            "critic: \(kinked) has a second derivative that jumps at 0, with which the gradient penalty failed (Gulrajani et al. "
                + "2017, appendix D). SmoothELU, softplus(2x + 2) / 2 - 1, is close to it and smooth",
            key: "critic has a kink: \(kinked)")
    }
}
