import KantoKernels
import KantoTensor

/// A pass of a critic under a penalty on its gradient at each sample. A layer that does not fit says so when it is called, so
/// that one which no list of layers names, because a layer or a closure makes it on the way, does not pass either.
package struct PenalizedPass: Sendable {
    @TaskLocal package static var current: PenalizedPass?

    /// What a look at the critic's layers has warned of already.
    private let isMixingKnown: Bool
    private let isKinkKnown: Bool
    private let allowsSampleMixing: Bool

    /// - Parameter allowsSampleMixing: a layer that mixes samples is warned of, not refused.
    package init(allowsSampleMixing: Bool, isMixingKnown: Bool = false, isKinkKnown: Bool = false) {
        self.allowsSampleMixing = allowsSampleMixing
        self.isMixingKnown = isMixingKnown
        self.isKinkKnown = isKinkKnown
    }

    /// - Throws: `TensorError` if mixing is not allowed.
    func admit(mixing layer: some Layer) throws {
        if isMixingKnown { return }
        try Self.report(mixing: "\(type(of: layer))", isAllowed: allowsSampleMixing)
    }

    func admit(kinked layer: some Layer) {
        if !isKinkKnown { Self.warn(kinked: "\(type(of: layer))") }
    }

    /// - Parameter layer: for people.
    /// - Throws: `TensorError` if mixing is not allowed.
    package static func report(mixing layer: String, isAllowed: Bool) throws {
        let reason =
            "\(layer) mixes the samples of a batch: the gradient at one sample depends on the others, and its norm, which the "
            + "penalty is on, is not the critic's slope there. Take LayerNorm or InstanceNorm"
        guard isAllowed else { throw TensorError("critic", reason + ", or allow it on purpose with allowsSampleMixing") }
        Diagnostics.warnOnce("critic: " + reason, key: "critic mixes samples: \(layer)")
    }

    /// - Parameter layer: for people.
    package static func warn(kinked layer: String) {
        Diagnostics.warnOnce(
            "critic: \(layer) has a second derivative that jumps at 0, with which the gradient penalty failed (Gulrajani et al. "
                + "2017, appendix D). SmoothELU, softplus(2x + 2) / 2 - 1, is close to it and smooth",
            key: "critic has a kink: \(layer)")
    }
}
