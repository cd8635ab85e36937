import KantoRuns

/// The samples of all runs through time: pictures beside real ones, or points of a plane over the critic.
struct SamplesSection {
    let runs: [PageRun]

    /// The iterations that the slider stops at: those of all runs.
    var iterations: [Int] { Set(runs.flatMap { $0.film.frames.map(\.iteration) }).sorted() }

    private var isPlane: Bool { runs.contains { $0.film.frames.contains { $0.plane != nil } } }
    private var alone: PageRun? { runs.count == 1 ? runs[0] : nil }

    var html: String {
        guard runs.contains(where: { !$0.film.frames.isEmpty }) else { return notShown }
        let note = isPlane ? "Uncurated: the same noise vectors at every iteration." : picturesNote
        let real = alone.map(realFigure) ?? ""
        let figures = runs.map(figure).joined() + real
        return "<section><h2>Samples</h2><p>\(note)</p><div class=\"pair\(isPlane ? "" : " pics")\">\(figures)</div>\(slider)"
            + (isPlane ? planeNote : alone.map { strips($0) + neighbors($0) } ?? "") + "</section>"
    }

    private var notShown: String {
        let shape = runs[0].configuration.networks.sampleShape
        let reason =
            runs[0].film.faults.first.map(escaped)
            ?? (shape.count == 1 && shape != [2]
                ? "Rows of \(shape[0]) numbers are not drawn; <code>kanto sample</code> writes them as a table."
                : "None were written yet.")
        return "<section><h2>Samples</h2><p>\(reason)</p></section>"
    }

    private var picturesNote: String {
        let count = runs[0].film.latest?.count ?? 64
        let classes = runs[0].configuration.networks.conditioning?.classes ?? []
        let rows = classes.isEmpty ? "" : " A row a class: \(escaped(classes.prefix(16).joined(separator: ", ")))."
        let earlier = runs.contains { $0.film.frames.first?.sheet?.height != $0.film.frames.last?.sheet?.height }
        return "Uncurated: the same \(count) noise vectors at every iteration.\(rows)"
            + (earlier ? " Earlier iterations show the first \(SampleFilm.picturesOfEarlierFrames) of them." : "")
    }

    private func caption(_ title: String, _ note: String, color: String = "") -> String {
        "<figcaption><h3 class=\"\(color)\">\(title)</h3><span class=\"small soft\">\(note)</span></figcaption>"
    }

    private func figure(_ run: PageRun) -> String {
        let name = alone == nil ? escaped(run.name) : isPlane ? "Generated, over the critic" : "Generated"
        guard let frame = run.film.frames.last else {
            return "<figure>\(caption(name, "none yet"))</figure>"
        }
        let iteration = NumberText.whole(frame.iteration)
        let head = caption(
            name, "iteration <span class=\"frame-it\">\(iteration)</span>", color: alone == nil ? run.color : "")
        if let plane = frame.plane { return "<figure>\(head)\(cloud(plane, of: run, iteration))</figure>" }
        guard let sheet = frame.sheet else { return "" }
        let count = run.film.latest?.count ?? 64
        let alternative = "\(count) generated pictures, iteration \(iteration)"
        return "<figure>\(head)\(picture(sheet, identifier: "sheet\(run.index)", alternative: alternative))</figure>"
    }

    /// Shown in its own size or, where it is small, in twice that.
    private func picture(_ sheet: SampleSheet, identifier: String? = nil, alternative: String) -> String {
        "<img class=\"sheet\(sheet.width > 280 ? " one" : "")\" \(identifier.map { "id=\"\($0)\" " } ?? "")width=\"\(sheet.width)\" "
            + "height=\"\(sheet.height)\" style=\"--w:\(sheet.width)px;aspect-ratio:\(sheet.width)/\(sheet.height)\" "
            + "src=\"\(sheet.source)\" alt=\"\(alternative)\">"
    }

    private func realFigure(_ run: PageRun) -> String {
        let title = "Real"
        guard let real = run.record.real else {
            let fault = escaped(run.record.dataFault ?? "The data are not read.")
            return "<figure>\(caption(title, ""))<p class=\"small soft\">\(fault)</p></figure>"
        }
        if isPlane {
            let reach = run.film.frames.last?.plane?.reach ?? 1
            let points = PlanePicture.dots(real.samples(CriticView.Plane.pointCount), reach: reach)
            return "<figure>\(caption(title, "\(CriticView.Plane.pointCount) of the data"))"
                + box("<path class=\"dots soft\" d=\"\(points)\"/>", label: "\(CriticView.Plane.pointCount) real points")
                + "</figure>"
        }
        let shown = run.film.latest?.count ?? 64
        guard let tiles = run.record.realTiles, let sheet = try? SampleSheet(Self.spread(tiles, shown)) else { return "" }
        let count = real.count.map { "\(min(shown, tiles.count)) of \(NumberText.whole($0)), evenly picked" } ?? ""
        return "<figure>\(caption(title, count))"
            + picture(sheet, alternative: "\(min(shown, tiles.count)) real pictures of the training data") + "</figure>"
    }

    /// So many of the tiles, evenly picked.
    private static func spread(_ tiles: SampleTiles, _ wanted: Int) -> SampleTiles {
        let count = min(wanted, tiles.count)
        let pixels = (0..<count).flatMap { place -> ArraySlice<UInt8> in
            let start = place * tiles.count / count * tiles.size
            return tiles.pixels[start..<start + tiles.size]
        }
        return SampleTiles(height: tiles.height, width: tiles.width, channels: tiles.channels, pixels: pixels)
    }

    private var slider: String {
        let iterations = iterations
        guard iterations.count > 1 else { return "" }
        return "<div class=\"filmctl jsonly\"><label for=\"film\" class=\"small soft\">Iteration</label>"
            + "<input type=\"range\" id=\"film\" min=\"0\" max=\"\(iterations.count - 1)\" value=\"\(iterations.count - 1)\" step=\"1\">"
            + "<output id=\"film-out\" for=\"film\" class=\"num\">\(NumberText.whole(iterations.last!))</output></div>"
    }

    // MARK: Points

    private func box(_ content: String, label: String) -> String {
        "<svg class=\"cloud\" viewBox=\"0 0 1000 1000\" role=\"img\" aria-label=\"\(label)\">\(content)</svg>"
    }

    private func cloud(_ plane: PlanePicture, of run: PageRun, _ iteration: String) -> String {
        let surface =
            plane.surface.map { "<image id=\"surface\(run.index)\" width=\"1000\" height=\"1000\" href=\"\($0)\"/>" } ?? ""
        return box(
            surface + "<path class=\"ways\" id=\"ways\(run.index)\" d=\"\(plane.lines)\"/>"
                + "<path class=\"dots \(run.color)\" id=\"points\(run.index)\" d=\"\(plane.points)\"/>"
                + "<path class=\"arrows\" id=\"arrows\(run.index)\" d=\"\(plane.arrows)\"/>"
                + "<path class=\"arrows\" d=\"M30 970v-12v6h\(Int(PlanePicture.unit))v-6v12\"/>",
            label: "Generated points over the critic's scores at iteration \(iteration)")
    }

    private var planeNote: String {
        let reach = NumberText.short(runs.compactMap { $0.film.frames.last?.plane?.reach }.first ?? 1)
        return "<p class=\"small soft under\">From −\(reach) to \(reach) on each axis, as training has the points. The shading "
            + "has ten steps between the critic’s 2nd and 98th percentile on this square: darker in light mode, lighter in dark mode, "
            + "where it scores higher. Thin lines lead from generated to real points; the arrows on them are the critic’s input gradient, and that of "
            + "norm 1 is as long as the bar in the corner.</p>"
    }

    // MARK: Pictures through time, and what they are like

    private static let mostStrips = 15

    private func strips(_ run: PageRun) -> String {
        let all = run.film.frames.filter { $0.strip != nil }
        guard all.count > 2 else { return "" }
        let count = min(all.count, Self.mostStrips)
        let shown = (0..<count).map { all[($0 * (all.count - 1)) / (count - 1)] }
        let figures = shown.map { frame -> String in
            let (strip, iteration) = (frame.strip!, NumberText.whole(frame.iteration))
            return "<figure style=\"--w:\(strip.width)px\"><figcaption>\(iteration)</figcaption>"
                + "<img width=\"\(strip.width)\" height=\"\(strip.height)\" src=\"\(strip.source)\" alt=\"Four samples at iteration \(iteration)\"></figure>"
        }
        return "<div class=\"sub\"><h3>Four of them through time</h3><div class=\"frames\">\(figures.joined())</div></div>"
    }

    private func neighbors(_ run: PageRun) -> String {
        guard let tiles = run.film.latest, let real = run.record.realTiles, let neighbors = run.record.neighbors,
            real.size == tiles.size, let found = try? neighbors.nearest(to: tiles)
        else { return "" }
        let distances = found.map(\.distance).sorted()
        let copies = distances.count { $0 < neighbors.nearlyCopied }
        let sign = copies <= max(2, found.count / 32) ? "no sign of copying" : "<b>look for copies</b>"
        let pairs = (0..<min(16, tiles.count)).compactMap { index -> String? in
            let neighbor = found[index]
            guard let sample = try? SampleSheet(tiles.tiles(index..<index + 1), columns: 1, gap: 0).source,
                let nearest = try? SampleSheet(real.tiles(neighbor.index..<neighbor.index + 1), columns: 1, gap: 0).source
            else { return nil }
            let distance = NumberText.short(neighbor.distance)
            return "<figure><img src=\"\(sample)\" width=\"64\" height=\"64\" alt=\"Sample \(index + 1)\">"
                + "<img src=\"\(nearest)\" width=\"64\" height=\"64\" alt=\"its nearest real picture, at distance \(distance)\">"
                + "<figcaption>\(distance)</figcaption></figure>"
        }
        let all = run.record.real?.count ?? 0
        let among = all > real.count ? " (of \(NumberText.whole(real.count)) that were looked at)" : ""
        return "<div class=\"sub\"><h3>Nearest real neighbors</h3><p>The first 16 samples above, the real picture nearest to "
            + "each\(among) below, and their distance. Samples lie at a median distance of \(NumberText.short(percentile(distances, 50))), real "
            + "pictures at \(NumberText.short(neighbors.usual)) from each other; \(copies) of \(found.count) samples are nearer than 99% "
            + "of real pairs: \(sign).</p><div class=\"near\">\(pairs.joined())</div></div>"
    }
}
