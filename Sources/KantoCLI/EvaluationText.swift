import Kanto
import KantoKernels

/// An evaluation as a table for people, of at most 80 columns.
struct EvaluationText {
    private let evaluation: Evaluation

    init(_ evaluation: Evaluation) { self.evaluation = evaluation }

    /// The longest name of a metric that is shown whole.
    private static let nameWidth = 34
    /// Columns of a table and classes that are shown; JSON has all.
    private static let mostRows = 12

    /// - Parameter width: of the terminal.
    func lines(width: Int) -> [String] {
        let width = max(40, min(width, 80))
        var lines = heading.map { paragraph("", $0, width: width) }
        if let classifier = evaluation.classifier {
            lines.append(
                "features of a classifier\(classifier.isNew ? ", trained now," : "") that is right on "
                    + "\(fixed(100 * classifier.accuracy, 1))% of other pictures")
        }
        lines += table().map { line in
            // A group's heading is a row with a name alone.
            var line = line
            while line.last == " " { line.removeLast() }
            return line
        }
        if let classifier = evaluation.classifier { lines += ["", shares(classifier, width)] }
        let notes = evaluation.notes + (hiddenColumns > 0 ? ["\(hiddenColumns) more columns are in --json"] : [])
        if !notes.isEmpty { lines.append("") }
        lines += notes.map { paragraph("note: ", $0, width: width) }
        return lines
    }

    private var heading: [String] {
        let iteration = evaluation.iteration.map { ", iteration \($0)" } ?? ""
        let reference = evaluation.heldOut ?? "\(evaluation.data), a part of the training's"
        return [
            printable("\(evaluation.run): checkpoint '\(evaluation.checkpoint)'\(iteration)"),
            printable("\(evaluation.count) generated samples against \(evaluation.count) of \(reference)"),
        ]
    }

    private func table() -> [String] {
        var rows = [["METRIC", "VALUE", "95% INTERVAL", "REAL", "GOOD IS"]]
        for group in Evaluation.Group.allCases {
            let measurements = shown(evaluation.measurements.filter { $0.group == group })
            guard !measurements.isEmpty else { continue }
            rows.append([title(of: group), "", "", "", ""])
            rows += measurements.map(row)
        }
        let columns = (0..<5).map { column in rows.map { $0[column].count }.max()! }
        return [""]
            + rows.map { row in
                // Numbers stand at the right of their column.
                row.enumerated().map { column, text in
                    let gap = String(repeating: " ", count: columns[column] - text.count)
                    return 1...3 ~= column ? gap + text : text + gap
                }.joined(separator: "  ")
            }
    }

    private func shown(_ measurements: [Evaluation.Measurement]) -> [Evaluation.Measurement] {
        guard measurements.first?.group == .columns, hiddenColumns > 0 else { return measurements }
        let columns = measurements.filter(Self.isColumn).sorted { $0.generated.value > $1.generated.value }
        let worst = Set(columns.prefix(Self.mostRows).map(\.name))
        return measurements.filter { !Self.isColumn($0) || worst.contains($0.name) }
    }

    private var hiddenColumns: Int { max(0, evaluation.measurements.count(where: Self.isColumn) - Self.mostRows) }

    private static func isColumn(_ measurement: Evaluation.Measurement) -> Bool { measurement.name.hasPrefix("column_w1.") }

    private func title(of group: Evaluation.Group) -> String {
        switch group {
        case .modes: "Modes"
        case .values: "Distance of the samples"
        case .features: evaluation.classifier == nil ? "Neighborhoods" : "Neighborhoods of features"
        case .classes: "Classes"
        case .pictures: "Pictures by resolution"
        case .columns: "Columns"
        case .critic: "Critic"
        case .memory: "Overfitting"
        }
    }

    private func row(_ measurement: Evaluation.Measurement) -> [String] {
        let (generated, real) = (measurement.generated, measurement.real)
        let decimals = decimals(of: measurement)
        func number(_ value: Double) -> String { value.isNaN ? "none" : fixed(value, decimals) }
        let interval =
            generated.value.isNaN
            ? "" : "\(number(generated.interval.lowerBound)) to \(number(generated.interval.upperBound))"
        var name = "  " + printable(measurement.title)
        if name.count > Self.nameWidth { name = name.prefix(Self.nameWidth - 1) + "…" }
        return [name, number(generated.value), interval, real.map { number($0.value) } ?? "", measurement.goal.rawValue]
    }

    /// Three digits of the larger of both numbers; whole ones of what is counted.
    private func decimals(of measurement: Evaluation.Measurement) -> Int {
        if measurement.name == "modes" { return 0 }
        let largest = max(abs(measurement.generated.value), abs(measurement.real?.value ?? 0))
        var (decimals, bound) = (3, 1.0)
        while decimals > 0, largest >= 10 * bound { (decimals, bound) = (decimals - 1, bound * 10) }
        while decimals < 6, largest > 0, largest < bound / 10 { (decimals, bound) = (decimals + 1, bound / 10) }
        return decimals
    }

    private func shares(_ classifier: Evaluation.ClassifierSummary, _ width: Int) -> String {
        func percent(_ share: Double) -> String { fixed(100 * share, 1) }
        // The rarest first, against the real share, where there are too many to show.
        let places = classifier.classes.indices
        let shown =
            places.count <= Self.mostRows
            ? Array(places)
            : Array(places.sorted { classifier.generatedShares[$0] < classifier.generatedShares[$1] }.prefix(Self.mostRows))
        let texts = shown.map {
            "\(printable(classifier.classes[$0])) \(percent(classifier.generatedShares[$0])) (\(percent(classifier.realShares[$0])))"
        }
        let what = places.count <= Self.mostRows ? "classes, % (real): " : "rarest classes, % (real): "
        return paragraph(what, texts.joined(separator: ", "), width: width)
    }
}
