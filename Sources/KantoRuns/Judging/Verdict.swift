import KantoGAN
import KantoKernels

/// Whether a run is good, and whether it gets better still: in words, with the numbers that say so.
///
/// It goes by the Wasserstein estimate, which follows the quality of the samples (Arjovsky et al. 2017, figure 3) as long as the
/// critic is sound: the norm of its gradient is where the penalty holds it, and it scores samples that it was not trained on as it
/// scores the others. So these are judged first. Then the last fifth of the run is held against the fifth before it.
public struct Verdict: Sendable, Equatable {
    /// What is found. Of several things that are true of a run it is the one that stands first here, but for `stopped` and
    /// `diverging`, which are said of a run of any length.
    public enum Kind: Sendable, Hashable {
        /// There are fewer than 300 iterations.
        case tooEarly
        /// Something that was measured is not a finite number.
        case stopped
        /// The critic's slope grows without end; see `TrainingFailure`.
        case diverging
        /// The mean gradient norm is not where the penalty holds it: the estimate means little.
        case criticOffTarget
        /// The critic knows its training samples by heart: what it tells apart there it does not on held-out ones.
        case criticOverfits
        /// The estimate falls.
        case improving
        /// The estimate rises.
        case rising(since: Int)
        /// The estimate no longer falls, and the samples lack modes of the data.
        case modeMissing
        /// It falls surely, but by less than a twentieth from a fifth of the run to the next.
        case almostFlat(since: Int)
        /// It does not change beyond its noise, or by less than a twentieth.
        case flat(since: Int)

        /// Of what is found, whatever the iteration: `almost_flat`.
        public var name: String {
            switch self {
            case .tooEarly: "too_early"
            case .stopped: "stopped"
            case .diverging: "diverging"
            case .criticOffTarget: "critic_off_target"
            case .criticOverfits: "critic_overfits"
            case .improving: "improving"
            case .rising: "rising"
            case .modeMissing: "mode_missing"
            case .almostFlat: "almost_flat"
            case .flat: "flat"
            }
        }
    }

    /// How good it is.
    public enum Grade: String, Sendable {
        case good, warning, bad, neutral
    }

    /// What is found.
    public let kind: Kind
    /// For a person who hurries: `Flat since iteration 2,300`.
    public let headline: String
    /// The numbers, in one sentence.
    public let evidence: String

    /// Of the kind.
    public var grade: Grade {
        switch kind {
        case .improving: .good
        case .criticOffTarget, .criticOverfits, .rising, .modeMissing: .warning
        case .stopped, .diverging: .bad
        case .tooEarly, .almostFlat, .flat: .neutral
        }
    }

    /// What is known of a run beside its metrics.
    public struct Context: Sendable {
        /// By whose target the gradient norm is judged.
        public var regularizer = RegularizerDescription(TwoSidedPenalty())
        /// Whose scores the estimate is the difference of.
        public var loss = LossDescription(WassersteinLoss())
        /// How many modes of the data the samples have, and how many there are; nil for what the metrics say of them.
        public var modes: (covered: Int, all: Int)?

        /// A run with the defaults of a training.
        public init() {}

        /// - Parameter modes: see the property.
        public init(_ configuration: TrainingConfiguration, modes: (covered: Int, all: Int)? = nil) {
            (regularizer, loss, self.modes) = (configuration.regularizer, configuration.loss, modes)
        }
    }

    /// Iterations that a verdict wants.
    public static let leastIterations = 300

    /// - Parameter history: of all iterations, in their order.
    public init(_ history: some BidirectionalCollection<IterationMetrics>, _ context: Context = Context()) {
        self = Judgment(history: Array(history), context: context).verdict
    }

    init(_ kind: Kind, _ headline: String, _ evidence: String) {
        (self.kind, self.headline, self.evidence) = (kind, headline, evidence)
    }
}
