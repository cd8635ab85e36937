/// The critic's score along the lines from generated to real samples, beside the line of slope 1.
struct CriticSection {
    let runs: [PageRun]

    var html: String {
        let shown = runs.compactMap { run in
            run.film.latestView.flatMap { view in Profile(of: view).map { (run, view, $0) } }
        }
        guard !shown.isEmpty else { return "" }
        let plots = shown.map { run, view, profile in figure(run, view, profile) }.joined()
        return "<section><h2>The critic between the samples</h2><p>Its score along straight lines from a generated sample to a "
            + "real one, as the gradient penalty takes them, in units of the line’s length. Along the pairs that optimal transport "
            + "couples the best critic has slope 1, the dashed line; between other pairs it rises less.</p>"
            + "<div class=\"ways\(shown.count > 1 ? " several" : "")\">\(plots)</div></section>"
    }

    private struct Profile {
        /// (D(x̂) − D(x̃)) / ‖x − x̃‖, one row a line.
        let lines: [[Double]]
        let mean: [Double]
        /// Of the mean line, from its start to its end.
        var slope: Double { mean[CriticView.steps - 1] }

        /// Nil if no line has a length and finite scores.
        init?(of view: CriticView) {
            let lines = zip(view.lines, view.distances).compactMap { line, distance -> [Double]? in
                let values = line.map { Double($0) / Double(distance) }
                return distance > 0 && values.allSatisfy { $0.isFinite } ? values : nil
            }
            guard !lines.isEmpty else { return nil }
            self.lines = lines
            mean = (0..<CriticView.steps).map { step in lines.reduce(0) { $0 + $1[step] } / Double(lines.count) }
        }
    }

    private func figure(_ run: PageRun, _ view: CriticView, _ profile: Profile) -> String {
        let all = profile.lines.joined()
        let range = AxisRange(lower: min(0, all.min()!) - 0.06, upper: max(1, all.max()!) + 0.06)
        let steps = Double(CriticView.steps - 1)
        func path(_ values: [Double]) -> String {
            var path = PathText()
            path.appendLine(values.enumerated().map { PathText.Point(x: Double($0) / steps * 1000, y: range.position(of: $1)) })
            return path.text
        }
        let ticks = Ticks(range, atMost: 5)
        let grid = ticks.values.map { value in
            let top = NumberText.signed(range.position(of: value), 2).replacing("−", with: "-")
            return "<div class=\"g\(abs(value) < range.span * 1e-9 ? " zero" : "")\" style=\"top:\(top)%\"></div>"
                + "<span class=\"y\" style=\"top:\(top)%\">\(ticks.text(value))</span>"
        }.joined()
        let mean = profile.slope
        let distance = view.distances.reduce(0, +) / Float(max(1, view.distances.count))
        let words = "the mean line rises by \(NumberText.short(mean)) of its length"
        let name = runs.count > 1 ? "<h3 class=\"\(run.color)\">\(escaped(run.name))</h3>" : "<h3>Mean slope</h3>"
        return "<div class=\"panel way\"><div class=\"plot\">\(grid)"
            + "<svg viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Score along \(profile.lines.count) "
            + "lines: \(words)\"><g class=\"\(run.color)\"><path class=\"thin\" d=\"\(profile.lines.map(path).joined())\"/>"
            + "<path class=\"ideal\" d=\"\(path((0..<CriticView.steps).map { Double($0) / steps }))\"/>"
            + "<path class=\"halo\" d=\"\(path(profile.mean))\"/><path class=\"line\" d=\"\(path(profile.mean))\"/></g></svg></div>"
            + "<div class=\"read\">\(name)<div class=\"rv\"><p class=\"v \(run.color)\">\(NumberText.short(mean))</p></div>"
            + "<p class=\"r\">\(profile.lines.count) lines of mean length \(NumberText.short(Double(distance))), iteration "
            + "\(NumberText.whole(view.iteration)). Thick: their mean.</p></div>"
            + "<div class=\"x\" aria-hidden=\"true\"><span>generated</span><span class=\"end\" style=\"left:100%\">real</span></div></div>"
    }
}
