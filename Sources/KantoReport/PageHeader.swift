import Glibc
import KantoDescriptions
import KantoRuns

/// The verdict and the numbers of a run, or what several runs differ in.
struct PageHeader {
    let runs: [PageRun]

    var html: String { "<header>\(runs.count == 1 ? alone(runs[0]) : beside)</header>" }

    // MARK: One run

    private func alone(_ run: PageRun) -> String {
        let verdict = run.record.verdict
        let items = numbers(of: run).map { "<div><dt>\($0.title)</dt><dd>\($0.value)<span>\($0.note)</span></dd></div>" }
        return "<div class=\"run\"><h1>\(escaped(run.name))</h1><span class=\"soft\">\(escaped(run.record.summary))</span>"
            + "<span class=\"soft\">\(state(of: run))</span></div>"
            + "<p class=\"verdict\(Self.tone(verdict))\">\(Self.icon(verdict))\(escaped(verdict.headline))</p>"
            + "<p class=\"reason\">\(Self.emphasized(escaped(verdict.evidence)))\(closing(run, verdict))</p>"
            + "<dl class=\"keys\">\(items.joined())</dl>"
    }

    private func state(of run: PageRun) -> String {
        let count = NumberText.whole(run.curves.iterationCount), total = NumberText.whole(run.configuration.training.iterations)
        let date = run.record.lastWritten.map { ", \(Self.date($0))" } ?? ""
        return switch run.record.state {
        case .running: "training, \(count) of \(total) iterations"
        case .finished: "\(count) iterations, finished\(date)"
        case .interrupted: "ended after \(count) of \(total) iterations\(date)"
        }
    }

    /// What to make of a run that does not move any more.
    private func closing(_ run: PageRun, _ verdict: Verdict) -> String {
        guard run.record.state == .finished else { return "" }
        return switch verdict.kind {
        case .flat, .almostFlat: " More iterations will change little; judge by the samples."
        default: ""
        }
    }

    private func numbers(of run: PageRun) -> [(title: String, value: String, note: String)] {
        let curves = run.curves
        let seconds = curves.duration, count = Double(curves.iterationCount), rate = count / seconds
        let peak = curves[.wassersteinEstimate]?.extremes.largest.value ?? .nan
        let near = curves[.nearOne].map { "\(NumberText.percent($0.recent)) within 10%" }
        let notes = [run.targetNorm.map { "target \(decimal($0))" }, near].compactMap(\.self)
        let training = run.configuration.training
        let left = seconds / count * (Double(training.iterations) - count)
        let (share, shareNote) = shareOfLimit(run)
        return [
            (
                "Wasserstein estimate", NumberText.short(curves.recent(.wassersteinEstimate)),
                "from \(NumberText.short(peak)) at its peak"
            ),
            ("Mean gradient norm", NumberText.short(curves.recent(.gradientNorm)), notes.joined(separator: "; ")),
            ("Penalty", NumberText.short(curves.recent(.penalty)), "weight \(decimal(training.regularizer.weight))"),
            (
                "Samples a second", NumberText.whole(run.imagesPerSecond),
                "\(rate >= 10 ? NumberText.whole(rate) : NumberText.short(rate)) iterations/s"
            ),
            (
                "Time", NumberText.clock(seconds),
                run.record.state == .running
                    ? "about \(NumberText.clock(left)) left" : "\(NumberText.short(seconds / count * 1000)) ms an iteration"
            ),
            ("Share of the limit", share, shareNote),
        ]
    }

    /// Ten forward passes of the critic for each of its samples, against what the machine's multiply-adds can do, as
    /// `kanto bench steps` has it.
    private func shareOfLimit(_ run: PageRun) -> (value: String, note: String) {
        guard let limit = run.configuration.machine?.multiplyAddRate, limit > 0, let work = run.record.forwardWork else {
            return (NumberText.missing, "not measured for this run")
        }
        let share = run.imagesPerSecond * 10 * work / limit
        guard share.isFinite else { return (NumberText.missing, "of \(NumberText.whole(limit)) GFLOP/s") }
        let width = NumberText.percent(min(1, share))
        let bar = "<i class=\"bar\"><i style=\"width:\(width)\"></i></i>"
        return (NumberText.percent(share), "of \(NumberText.whole(limit)) GFLOP/s\(bar)")
    }

    // MARK: Several runs

    private var beside: String {
        let names = runs.map { escaped($0.name) }
        let differences = ConfigurationSection.differences(of: runs.map(\.configuration))
        let told = differences.prefix(3).map { difference in
            "\(escaped(difference.name)), \(Self.list(difference.values.map(escaped)))"
        }
        let headline = told.isEmpty ? "The same configuration" : "They differ in \(told.joined(separator: "; "))"
        let order = runs.filter { $0.curves.recent(.wassersteinEstimate).isFinite }.sorted {
            $0.curves.recent(.wassersteinEstimate) < $1.curves.recent(.wassersteinEstimate)
        }
        var reason = ""
        if order.count > 1 {
            let ends = order.map { NumberText.short($0.curves.recent(.wassersteinEstimate)) }
            reason =
                "\(escaped(order[0].name)) ends with the lower Wasserstein estimate, <b>\(ends[0])</b> against <b>\(ends[1])</b>. "
                + "A weaker critic also gives a lower estimate: compare the samples too."
        }
        let heads = ["Wasserstein", "Gradient norm", "Within 10%", "Penalty", "Samples/s", "Time"]
        return "<div class=\"run\"><h1>\(Self.list(names))</h1>"
            + "<span class=\"soft\">\(escaped(runs[0].record.summary))</span></div>"
            + "<p class=\"verdict\">\(headline)</p><p class=\"reason\">\(reason)</p>"
            + "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The runs in numbers\"><table><thead><tr>"
            + "<th scope=\"col\">Run</th>\(heads.map { "<th class=\"r\" scope=\"col\">\($0)</th>" }.joined())"
            + "<th class=\"last\" scope=\"col\">Verdict</th></tr></thead><tbody>\(runs.map(row).joined())</tbody></table></div>"
    }

    private func row(_ run: PageRun) -> String {
        let curves = run.curves, verdict = run.record.verdict
        let cells = [
            NumberText.short(curves.recent(.wassersteinEstimate)), NumberText.short(curves.recent(.gradientNorm)),
            curves[.nearOne].map { NumberText.percent($0.recent) } ?? NumberText.missing,
            NumberText.short(curves.recent(.penalty)), NumberText.whole(run.imagesPerSecond), NumberText.clock(curves.duration),
        ]
        return "<tr><th scope=\"row\"><b class=\"\(run.color)\">━ \(escaped(run.name))</b></th>"
            + cells.map { "<td class=\"r\">\($0)</td>" }.joined()
            + "<td class=\"last\(Self.tone(verdict))\">\(escaped(verdict.headline))</td></tr>"
    }

    // MARK: Words

    /// `a, b and c`
    static func list(_ words: [String]) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + words.last!
    }

    /// Numbers in a sentence stand out.
    static func emphasized(_ sentence: String) -> String {
        sentence.split(separator: " ", omittingEmptySubsequences: false).map { word -> String in
            let number = word.prefix { $0.isNumber || ".,%−-".contains($0) }
            let trailing = number.reversed().prefix { ".,".contains($0) }.count
            let end = number.dropLast(trailing)
            return end.contains { $0.isNumber } && (end.contains(".") || end.contains("%"))
                ? "<b>\(end)</b>\(word.dropFirst(end.count))" : String(word)
        }.joined(separator: " ")
    }

    /// `29 Nov 2026, 15:13`, by the clock of this place.
    private static func date(_ time: time_t) -> String {
        var (time, parts) = (time, tm())
        guard localtime_r(&time, &parts) != nil else { return "" }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return "\(parts.tm_mday) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900), \(two(parts.tm_hour)):\(two(parts.tm_min))"
    }

    private static func tone(_ verdict: Verdict) -> String {
        switch verdict.grade {
        case .good: " good"
        case .warning: " warn"
        case .bad: " bad"
        case .neutral: ""
        }
    }

    private static func icon(_ verdict: Verdict) -> String {
        let path =
            switch verdict.kind {
            case .improving: "M3 5l8 8 4-4 6 8M21 11v6h-6"
            case .flat, .almostFlat: "M3 12h18M15 6l6 6-6 6"
            case .tooEarly: "M5 12h.01M12 12h.01M19 12h.01"
            case .rising, .criticOffTarget, .criticOverfits: "M3 18l8-8 4 4 6-9M21 11V5h-6"
            case .modeMissing: "M12 3a9 9 0 1 0 .01 0M12 8v5M12 16.5h.01"
            case .stopped, .diverging: "M5 5l14 14M19 5L5 19"
            }
        return "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2.2\" stroke-linecap=\"round\" "
            + "stroke-linejoin=\"round\" aria-hidden=\"true\"><path d=\"\(path)\"/></svg>"
    }
}
