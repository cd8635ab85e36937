import KantoRuns

/// What can be done with a run next.
struct CommandsSection {
    let run: PageRun

    var html: String {
        let folder = Self.quoted(run.record.folder)
        let training = run.configuration.training
        let next =
            run.record.state == .finished
            ? "kanto train --resume \(folder) --iterations \(2 * max(1, training.iterations))" : "kanto train --resume \(folder)"
        let extensionOfSamples = run.configuration.networks.sampleShape.count == 3 ? "png" : "csv"
        let rows = [
            ("Go on from here", next),
            ("Draw 256 samples", "kanto sample \(folder) --count 256 --out samples.\(extensionOfSamples)"),
            ("Repeat it", "kanto train \(Self.quoted(run.record.folder + "/config.json"))"),
            ("Compare it with another", "kanto report \(folder) OTHER-RUN"),
        ]
        let items = rows.filter { $0.0 != "Go on from here" || run.record.state != .running }.map { title, command in
            let words = command.split(separator: " ").map { "<span>\(escaped(String($0)))</span>" }.joined(separator: " ")
            return "<span class=\"soft\">\(title)</span><code><span class=\"t\">\(words)</span></code>"
        }
        return "<section><h2>Go on</h2><div class=\"cmd\">\(items.joined())</div></section>"
    }

    /// As a shell takes it: in quotes where it would otherwise be more than one word, or something else.
    static func quoted(_ word: String) -> String {
        let others = "0123456789/._-+,:=@%".unicodeScalars
        let isPlain = word.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || others.contains($0) }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
    }
}
