import KantoRuns

/// The curves of all runs over one axis.
struct CurvesSection {
    let runs: [PageRun]
    let scale: HorizontalScale
    let panels: [CurvePanel]

    init(_ runs: [PageRun], along axis: HorizontalAxis) {
        self.runs = runs
        let scale = HorizontalScale(axis, runs.map(\.curves))
        self.scale = scale
        panels = Quantity.allCases.compactMap { CurvePanel($0, of: runs, scale) }
    }

    var html: String {
        guard !panels.isEmpty else {
            return "<section><h2>Curves</h2><p>No iteration is logged yet.</p></section>"
        }
        let count = runs.map(\.curves.iterationCount).max()!
        let sizes = Set(runs.map(\.curves.bucketSize))
        let band = sizes.count == 1 && sizes.first! > 1 ? "Band: lowest and highest of \(sizes.first!) iterations. " : ""
        let marks = scale.marks
        let inner = marks.inner.map { "<span style=\"left:\(NumberText.signed($0.share * 100, 2))%\">\($0.text)</span>" }.joined()
        return "<section><h2>Curves</h2><p>Line: smoothed mean. \(band)The settled scale ignores the first tenth of the run.</p>"
            + tools
            + "<div class=\"chart\" role=\"group\" aria-label=\"Curves over \(NumberText.whole(count)) iterations\">"
            + "<input class=\"vh\" type=\"range\" id=\"cursor\" min=\"1\" max=\"\(count)\" value=\"\(count)\" "
            + "aria-label=\"Place read out of the curves\">" + panels.map(\.html).joined()
            + "<div class=\"panel axis\"><div class=\"x\" aria-hidden=\"true\"><span>\(marks.first)</span>\(inner)"
            + "<span class=\"end\" style=\"left:100%\">\(marks.last)</span><span class=\"now\" hidden></span></div></div></div>"
            + "<p class=\"hint small soft jsonly\">Point at a curve to read all of them; click, then ← → to move, Shift for larger "
            + "steps, Esc to leave. A click also shows the samples of that time.</p></section>"
    }

    private var tools: String {
        let scales = choice("Vertical scale", name: "scale", ["settled", "whole", "log"], chosen: "settled")
        let hasSeconds = HorizontalScale.hasSeconds(runs.map(\.curves))
        let axes = HorizontalAxis.allCases.map(\.rawValue)
        return "<div class=\"tools\">\(scales)"
            + (hasSeconds ? choice("Along", name: "axis", axes, chosen: scale.axis.rawValue) : "")
            + "<label class=\"sl\">Smoothing <input type=\"range\" id=\"smooth\" min=\"0\" max=\"6\" value=\"3\" "
            + "aria-describedby=\"smooth-out\"><output id=\"smooth-out\" for=\"smooth\"></output></label></div>"
    }

    private func choice(_ title: String, name: String, _ values: [String], chosen: String) -> String {
        let buttons = values.map { value in
            "<label><input type=\"radio\" name=\"\(name)\" value=\"\(value)\"\(value == chosen ? " checked" : "")>"
                + "<span>\(value)</span></label>"
        }
        return "<fieldset class=\"seg\"><legend>\(title)</legend>\(buttons.joined())</fieldset>"
    }
}
