import ArgumentParser
import Kanto
import KantoData

struct MetricsCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Write what a run has measured as CSV.",
        discussion: """
            A row an iteration, under the names of metrics.jsonl. What is measured at sample intervals only, such as the loss on held-out \
            samples, and what was no finite number is an empty cell. A run that still trains can be read, too.
            """)

    @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory)
    var run: String

    @Flag(help: "With the histogram of gradient norms: 80 columns more, for [0, 0.025) up to [1.975, ∞).")
    var histogram = false

    @Option(help: ArgumentHelp("Where it goes. (default: standard output)", valueName: "file"), completion: .file())
    var out: String?

    mutating func execute() throws {
        try checkRun(run)
        let table = try MetricsTable(ofRun: run, withLists: histogram)
        guard let out else { return table.forEachLine { print($0) } }
        var text = ""
        table.forEachLine { text += $0 + "\n" }
        try AtomicFile.write(Array(text.utf8), to: out)
        print("wrote \(out)")
    }
}
