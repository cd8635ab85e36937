import KantoData
import KantoGAN
import KantoRuns

/// One self-contained HTML page about one run, or several on the same axes.
public struct Report {
    private let page: Page

    /// The most runs on one page: each has a color of its own.
    public static let mostRuns = PageRun.colors.count

    /// - Precondition: one run to `mostRuns`.
    public init(_ runs: [RecordedRun], along axis: HorizontalAxis = .iterations) {
        precondition(1...Self.mostRuns ~= runs.count, "a report of \(runs.count) runs")
        var names: [String: Int] = [:]
        for run in runs { names[run.name, default: 0] += 1 }
        page = Page(
            runs: runs.enumerated().map { index, run in
                // Runs of one name in several folders are told apart by their paths.
                PageRun(
                    index: index, name: names[run.name]! > 1 ? run.folder : run.name, record: run, curves: RunCurves(run.history))
            }, axis: axis)
    }

    /// The page.
    public var html: String { page.html }

    /// - Throws: `DataError` of kind `.cannotWrite`; the old content then stands.
    public func write(to path: String) throws(DataError) { try AtomicFile.write(Array(html.utf8), to: path) }
}

/// Keeps up the report of a run in its folder, `report.html`, while it trains.
///
///     let report = LiveReport(of: run)
///     run.onSnapshot = { try report.write($0) }
public final class LiveReport {
    private let run: RecordedRun
    private let folder: String

    /// The report's name in a run's folder.
    public static let fileName = "report.html"

    public init(of run: Run) {
        folder = run.folder
        self.run = RecordedRun(training: run.folder, run.configuration)
    }

    /// Measures the critic, keeps that beside the picture of the samples, and writes the report.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public func write(_ snapshot: Run.Snapshot) throws {
        if let view = try CriticView(snapshot) {
            try view.write(to: CriticView.path(ofSnapshot: snapshot.name, ofRun: folder))
        }
        let isOver = snapshot.name == Run.Snapshot.final || snapshot.name == Run.Snapshot.interrupted
        let isComplete = snapshot.name == Run.Snapshot.final
        try write(snapshot.history, state: isComplete ? .finished : isOver ? .interrupted : .running)
    }

    /// Writes the report of a run that cannot go on.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, or if the run's log cannot be read.
    public func writeFailed() throws { try write(LoggedMetrics(ofRun: folder).history, state: .interrupted) }

    private func write(_ history: [IterationMetrics], state: RecordedRun.State) throws {
        try run.update(history, state: state)
        try Report([run]).write(to: "\(folder)/\(Self.fileName)")
    }
}
