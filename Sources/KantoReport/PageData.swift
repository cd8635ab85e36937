import KantoDescriptions
import KantoRuns

/// What the page's script draws again: the curves, and the samples of all times, as one JSON object.
struct PageData {
    let runs: [PageRun]
    let curves: CurvesSection
    let samples: SamplesSection

    /// Fit to stand in a script element: no `<` in it.
    var json: String {
        let all = runs.map(\.curves)
        var text = PathText()
        func field(_ name: String, _ value: Double) {
            text.append(",\"\(name)\":")
            text.append(value, decimals: 6)
        }
        text.append("{\"id\":\(jsonQuoted(runs.map(\.record.folder).joined(separator: " ")))")
        text.append(",\"running\":\(runs.contains { $0.record.state == .running })")
        field("n", HorizontalScale.extent(.iterations, all))
        if HorizontalScale.hasSeconds(all) { field("t", HorizontalScale.extent(.seconds, all)) }
        field("sigma", standardSmoothing)
        field("bins", Double(NormHistory.binCount))
        field("binw", NormHistory.binWidth)
        text.append(",\"its\":[\(samples.iterations.map(String.init).joined(separator: ","))]")
        text.append(",\"runs\":[")
        for (place, run) in runs.enumerated() { append(run, isFirst: place == 0, to: &text) }
        text.append("],\"panels\":[")
        for (place, panel) in curves.panels.enumerated() { append(panel, isFirst: place == 0, to: &text) }
        text.append("]}")
        return text.text.replacing("<", with: "\\u003c")
    }

    private func append(_ run: PageRun, isFirst: Bool, to text: inout PathText) {
        let curves = run.curves
        text.append(
            "\(isFirst ? "" : ",")\n{\"name\":\(jsonQuoted(run.name)),\"cls\":\"\(run.color)\",\"n\":\(curves.iterationCount),"
                + "\"b\":\(curves.bucketSize)")
        if let norms = curves.norms { text.append(",\"c\":\(norms.columnSize)") }
        append("t", curves.seconds, digits: 6, to: &text)
        text.append(",\"frames\":[")
        for (place, frame) in run.film.frames.enumerated() {
            text.append("\(place == 0 ? "" : ",")\n{\"i\":\(frame.iteration)")
            let isLast = place == run.film.frames.count - 1
            // The last frame stands in the page already.
            if let sheet = frame.sheet, !isLast { text.append(",\"src\":\"\(sheet.source)\"") }
            if let plane = frame.plane, !isLast {
                text.append(",\"points\":\"\(plane.points)\",\"ways\":\"\(plane.lines)\",\"arrows\":\"\(plane.arrows)\"")
                if let surface = plane.surface { text.append(",\"surface\":\"\(surface)\"") }
            }
            text.append("}")
        }
        text.append("]}")
    }

    private func append(_ panel: CurvePanel, isFirst: Bool, to text: inout PathText) {
        let quantity = panel.quantity
        text.append("\(isFirst ? "" : ",")\n{\"id\":\"\(panel.identifier)\",\"name\":\"\(quantity.name)\"")
        text.append(",\"pct\":\(quantity.isShare),\"heat\":\(panel.isHeat),\"zero\":\(quantity.holdsZero)")
        if quantity == .gradientNorm, let target = panel.targetNorm { append("target", [target], to: &text) }
        append("range", [panel.range.lower, panel.range.upper], to: &text)
        append("whole", [panel.whole.lower, panel.whole.upper], to: &text)
        let least = panel.runs.map { $0.curves[quantity]!.extremes.least.value }.min() ?? 0
        let largest = panel.runs.map { $0.curves[quantity]!.extremes.largest.value }.max() ?? 1
        append("ends", [least, largest], to: &text)
        text.append(",\"series\":[")
        for (place, run) in panel.runs.enumerated() {
            let curve = run.curves[quantity]!, buckets = curve.buckets
            text.append("\(place == 0 ? "" : ",")\n{\"run\":\(run.index),\"o\":")
            text.append(curve.offset, decimals: 1)
            text.append(",\"b\":")
            text.append(curve.step, decimals: 3)
            if panel.hasBand {
                append("lo", buckets.lowest, to: &text)
                append("hi", buckets.highest, to: &text)
            }
            append("mean", buckets.mean, to: &text)
            if panel.isHeat { append(run.curves.norms!, to: &text) }
            text.append("}")
        }
        text.append("]}")
    }

    /// Of each column the first bin that holds any, and the thousandths of that and the following ones.
    private func append(_ norms: NormHistory, to text: inout PathText) {
        text.append(",\"hist\":[")
        for (place, column) in norms.columns.enumerated() {
            if place > 0 { text.append(",") }
            text.append("[")
            let total = column.reduce(0, +)
            if let first = column.firstIndex(where: { $0 > 0 }), let last = column.lastIndex(where: { $0 > 0 }) {
                text.append(first)
                for count in column[first...last] {
                    text.append(",")
                    text.append((count * 2000 + total) / (2 * total))
                }
            }
            text.append("]")
        }
        text.append("]")
    }

    private func append(_ name: String, _ values: [Double], digits: Int = 4, to text: inout PathText) {
        text.append(",\"\(name)\":[")
        for (place, value) in values.enumerated() {
            if place > 0 { text.append(",") }
            text.appendSignificant(value, digits: digits)
        }
        text.append("]")
    }
}
