import ArgumentParser
import Kanto
import KantoReport

struct ReportCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write a page that shows how a run went, or several side by side.",
        discussion: """
            One HTML file that loads nothing: the verdict and six numbers, samples beside real data and through time, the real samples \
            nearest to them, the critic between them, the curves, the configuration and how to go on. It needs no script and no \
            network. A run's own report, report.html in its folder, is kept up by 'kanto train'; this command makes it again, also of \
            runs of earlier versions and of runs that were killed.

            Several runs share their axes, so that their curves can be compared; each has a color of its own.
            """)

    @Argument(
        help: ArgumentHelp("The folders of runs, \(Report.mostRuns) at most.", valueName: "run"), completion: .directory)
    var runs: [String]

    @Option(
        help: ArgumentHelp(
            "Where the page goes, as .html. (default: report.html in the run's folder; of several runs, in this one)",
            valueName: "file"), completion: .file(extensions: ["html"]))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "What the curves run along before anybody chooses: \(HorizontalAxis.allCases.map(\.rawValue).joined(separator: " or ")).",
            valueName: "axis"), completion: .list(HorizontalAxis.allCases.map(\.rawValue)))
    var along = HorizontalAxis.iterations

    mutating func execute() throws {
        guard runs.count <= Report.mostRuns else {
            throw Failure.usage("\(runs.count) runs: expected \(Report.mostRuns) at most, each in a color of its own")
        }
        if let out, !out.hasSuffix(".html") { throw Failure.usage("--out \(out): expected a name that ends in .html") }
        let recorded = try runs.map { folder in
            // With a slash at its end a folder is the same one.
            let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
            try checkRun(folder)
            return try RecordedRun(folder: folder)
        }
        let path = out ?? (recorded.count == 1 ? "\(recorded[0].folder)/\(LiveReport.fileName)" : LiveReport.fileName)
        try Report(recorded, along: along).write(to: path)
        print("wrote \(path)")
    }
}

extension HorizontalAxis: ExpressibleByArgument {}
