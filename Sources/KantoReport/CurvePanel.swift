import KantoDescriptions

/// One strip of curves: a plot over the common axis, and what it says on the right.
struct CurvePanel {
    let quantity: Quantity
    let range: AxisRange
    let whole: AxisRange
    /// Whether cells show the spread of the norms; otherwise a band shows each bucket's lowest and highest value.
    let isHeat: Bool
    let scale: HorizontalScale
    /// The runs that have the quantity.
    let runs: [PageRun]
    /// Whether the page shows one run only.
    let isAlone: Bool

    /// Nil if no run has logged the quantity.
    init?(_ quantity: Quantity, of all: [PageRun], _ scale: HorizontalScale) {
        let having = all.filter { $0.curves[quantity] != nil }
        guard !having.isEmpty else { return nil }
        let heat = quantity == .gradientNorm ? having.filter { $0.curves.norms != nil } : []
        isHeat = !heat.isEmpty
        runs = isHeat ? heat : having
        isAlone = all.count == 1
        (self.quantity, self.scale) = (quantity, scale)
        if quantity.isShare {
            range = AxisRange(lower: 0, upper: 1)
            whole = range
        } else if isHeat {
            let histories = heat.map { $0.curves.norms! }
            range = NormHistory.settled(histories)
            whole = NormHistory.whole(histories)
        } else {
            let series = having.map { $0.curves[quantity]!.buckets }
            range = AxisRange.settled(series, holdsZero: quantity.holdsZero)
            whole = AxisRange.whole(series, holdsZero: quantity.holdsZero)
        }
    }

    /// The element's name in the page.
    var identifier: String { String(quantity.rawValue.map { $0 == "_" ? "-" : $0 }) }
    var hasBand: Bool { !isHeat && !quantity.isShare }

    private var height: Int { isHeat && runs.count > 1 ? 125 * runs.count : quantity.height }

    var html: String {
        let labels = runs.map(label).joined(separator: "; ")
        let content = isHeat ? "<div class=\"stack\">\(heatPlots)</div>" : plot(paths(of: runs), label: labels)
        return "<div class=\"panel\(isHeat ? " hasmarg" : "")\" id=\"p-\(identifier)\">\(content)"
            + "<div class=\"read\(isAlone ? "" : " multi")\"><h3>\(quantity.name)</h3>\(runs.map(readOut).joined())"
            + "<p class=\"r\">\(quantity.note)\(openBin)\(isAlone ? clippings : "") <span class=\"scale\"></span></p></div></div>"
    }

    // MARK: Plots

    private func plot(_ paths: String, label: String) -> String {
        "<div class=\"plot\" style=\"height:\(height)px\">\(grid)\(svg(paths, label: label))\(target)\(clipMarks)\(nameTags)"
            + "<div class=\"cur\" hidden></div></div>"
    }

    private var heatPlots: String {
        runs.map { run in
            let norms = run.curves.norms!
            let strip = HeatStrip(history: norms)
            return "<div class=\"plot h\(run.index) \(run.color)\" style=\"height:\(height / runs.count)px\">\(grid)"
                + strip.cells(range, width: scale.columns(norms, of: run.curves))
                + svg(line(of: run), label: label(run)) + strip.bars(range, index: run.index, color: run.color)
                + target + "<div class=\"cur\" hidden></div></div>"
        }.joined()
    }

    private func svg(_ body: String, label: String) -> String {
        "<svg viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"\(escaped(label))\">\(body)</svg>"
    }

    private var grid: String {
        let ticks = Ticks(range, atMost: height / (isHeat ? runs.count : 1) > 120 ? 5 : 3)
        return ticks.values.map { value in
            let top = NumberText.signed(range.position(of: value), 2).replacing("−", with: "-")
            let text = quantity.isShare ? NumberText.percent(value) : ticks.text(value)
            return "<div class=\"g\(abs(value) < range.span * 1e-9 ? " zero" : "")\" style=\"top:\(top)%\"></div>"
                + "<span class=\"y\" style=\"top:\(top)%\">\(text)</span>"
        }.joined()
    }

    private func points(_ values: [Double], of run: PageRun) -> [PathText.Point?] {
        let curve = run.curves[quantity]!
        return values.enumerated().map { index, value in
            guard value.isFinite else { return nil }
            let place = curve.iteration(index, of: run.curves.iterationCount)
            return PathText.Point(x: scale.share(place, of: run.curves) * 1000, y: range.position(of: value))
        }
    }

    private func line(of run: PageRun) -> String {
        var path = PathText()
        path.appendLine(points(run.curves[quantity]!.smooth, of: run))
        let index = run.index
        return "<path class=\"halo s\(index)\" d=\"\(path.text)\"/>"
            + "<path class=\"line\(isHeat ? " heatline" : "") s\(index)\" d=\"\(path.text)\"/>"
    }

    private func paths(of runs: [PageRun]) -> String {
        runs.map { run in
            var band = PathText()
            if hasBand {
                let buckets = run.curves[quantity]!.buckets
                band.appendBand(points(buckets.lowest, of: run), points(buckets.highest, of: run))
            }
            return "<g class=\"\(run.color)\">"
                + (band.isEmpty ? "" : "<path class=\"band s\(run.index)\" d=\"\(band.text)\"/>") + "\(line(of: run))</g>"
        }.joined()
    }

    /// Of all runs, where they have the same.
    var targetNorm: Double? {
        let targets = Set(runs.map(\.targetNorm))
        return targets.count == 1 ? targets.first! : nil
    }

    private var target: String {
        guard quantity == .gradientNorm, let target = targetNorm else { return "" }
        let top = NumberText.signed(range.position(of: target), 2).replacing("−", with: "-")
        return "<div class=\"g target\" style=\"top:\(top)%\"></div>"
            + "<span class=\"tag target\" style=\"top:calc(\(top)% + 5px);right:6px\">target \(decimal(target))</span>"
    }

    // MARK: What the settled range cuts off is said, never hidden

    private struct Clipping {
        let run: PageRun
        let isAbove: Bool
        let value: Double
        let iteration: Int
    }

    private var clipped: [Clipping] {
        guard hasBand else { return [] }
        return runs.flatMap { run -> [Clipping] in
            let (least, largest) = run.curves[quantity]!.extremes
            var found: [Clipping] = []
            if largest.value > range.upper + 0.3 * range.span {
                found.append(Clipping(run: run, isAbove: true, value: largest.value, iteration: largest.iteration))
            }
            if least.value < range.lower - 0.3 * range.span {
                found.append(Clipping(run: run, isAbove: false, value: least.value, iteration: least.iteration))
            }
            return found
        }
    }

    private var clipMarks: String {
        clipped.map { clipping in
            let left = scale.share(Double(clipping.iteration), of: clipping.run.curves) * 100
            return "<i class=\"clip \(clipping.isAbove ? "up" : "dn") \(clipping.run.color)\" data-run=\"\(clipping.run.index)\""
                + " data-at=\"\(clipping.iteration)\" style=\"left:\(NumberText.signed(left, 2))%\"></i>"
        }.joined()
    }

    private var clippings: String {
        clipped.map { clipping in
            " <span class=\"clip\">\(clipping.isAbove ? "▲" : "▼") \(NumberText.short(clipping.value)) at iteration "
                + "\(NumberText.whole(clipping.iteration))</span>"
        }.joined()
    }

    /// Where many norms are beyond the histograms, the topmost row is said to hold them.
    private var openBin: String {
        guard isHeat else { return "" }
        let last = NormHistory.binCount - 1
        let isFull = runs.contains { run in
            let late = run.curves.norms!.late
            return 20 * late[last] > late.reduce(0, +)
        }
        return isFull ? " The topmost row: \(decimal(NormHistory.binWidth * Double(last))) and more." : ""
    }

    // MARK: Words

    /// The runs' names at the ends of the lines of the first panel.
    private var nameTags: String {
        guard quantity == .wassersteinEstimate, runs.count > 1 else { return "" }
        let order = runs.sorted { $0.curves.recent(quantity) > $1.curves.recent(quantity) }
        return order.enumerated().map { place, run in
            let top = NumberText.signed(max(0, min(92, range.position(of: run.curves.recent(quantity)))), 1)
            // The highest stands above its line, the others below theirs.
            let shift = place == 0 ? -36 : 22 * place
            return "<b class=\"tag clip \(run.color)\" style=\"right:6px;top:calc(\(top)% + \(shift)px)\">"
                + "\(escaped(run.name))</b>"
        }.joined()
    }

    private func text(_ value: Double) -> String { quantity.isShare ? NumberText.percent(value) : NumberText.short(value) }

    private func label(_ run: PageRun) -> String {
        let line = run.curves[quantity]!.smooth.filter(\.isFinite)
        let (start, end) = (text(line.first ?? .nan), text(line.last ?? .nan))
        return "\(quantity.name), \(run.name): from \(start) at the start to \(end) at iteration "
            + NumberText.whole(run.curves.iterationCount)
    }

    private func readOut(_ run: PageRun) -> String {
        let curve = run.curves[quantity]!
        var rest = ""
        if isHeat, let near = run.curves[.nearOne] { rest = "\(NumberText.percent(near.recent)) within 10%" }
        if hasBand {
            let count = max(1, curve.buckets.mean.count / 10)
            let low = curve.buckets.lowest.suffix(count).filter(\.isFinite).min() ?? .nan
            let high = curve.buckets.highest.suffix(count).filter(\.isFinite).max() ?? .nan
            rest = "\(NumberText.short(low)) to \(NumberText.short(high))\(isAlone ? " in the last tenth" : "")"
        }
        return "<div class=\"rv\"><p class=\"v \(run.color)\"><span class=\"v\(run.index)\">\(text(curve.recent))</span></p>"
            + (rest.isEmpty ? "" : "<p class=\"r r\(run.index)\">\(rest)</p>") + "</div>"
    }
}
