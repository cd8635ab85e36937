import KantoData
import KantoRuns

/// A run as a page shows it.
struct PageRun {
    /// From 0, in the page's order.
    let index: Int
    let name: String
    let record: RecordedRun
    let curves: RunCurves

    /// The class of its color.
    var color: String { Self.colors[index] }
    static let colors = ["a", "b", "c", "d", "e", "f"]

    var configuration: RunConfiguration { record.configuration }
    var film: SampleFilm { record.film }

    /// Where the penalty holds the critic's gradient norm; nil without such a penalty.
    var targetNorm: Double? {
        let regularizer = configuration.training.regularizer
        return regularizer.weight > 0 ? regularizer.regularizer.heldNorm?.target : nil
    }

    /// Critic's images a second: the batch, the critic's steps and the iterations a second.
    var imagesPerSecond: Double {
        let training = configuration.training
        return Double(training.batchSize * training.criticSteps * curves.iterationCount) / curves.duration
    }
}
