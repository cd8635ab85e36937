import KantoDescriptions
import KantoGAN

/// When a run ends before it has had all of its iterations. It is looked at at each sample interval.
public enum StopCondition: String, CaseIterable, DescriptionConvertible {
    /// After its last iteration.
    case never
    /// When it is flat, and has been so or almost for a while: by the verdict of now, and by those of nine and of eight tenths of
    /// the run.
    case flat

    /// The fewest iterations after which a run is ended. The estimate rests at its peak, too, before it falls.
    private static let leastIterations = 1000

    /// Whether a run is to be ended. It is a matter of its metrics alone, so that a run that goes on ends where it would have.
    ///
    /// - Parameter history: of all iterations so far.
    func isMet(by history: [IterationMetrics], _ context: Verdict.Context) -> Bool {
        guard self == .flat, history.count >= Self.leastIterations else { return false }
        return [10, 9, 8].allSatisfy { tenths in
            switch Verdict(history.prefix(history.count * tenths / 10), context).kind {
            case .flat: true
            case .almostFlat: tenths < 10
            default: false
            }
        }
    }
}
