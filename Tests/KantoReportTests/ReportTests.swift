import Foundation
import KantoData
import KantoRuns
import TestSupport
import Testing

@testable import KantoReport

@Suite struct ReportTests {
    private func expectWhole(_ html: String, _ location: SourceLocation = #_sourceLocation) {
        let page = StrictHTML(html)
        #expect(page.faults.isEmpty, "\(page.faults.prefix(5))", sourceLocation: location)
        // Nothing is loaded, and the browser is told so.
        #expect(page.addresses.allSatisfy { $0.hasPrefix("data:image/png;base64,") }, sourceLocation: location)
        #expect(html.contains("default-src 'none'; img-src data:"), sourceLocation: location)
        for reference in ["http://", "https://", "url(", "@import", "<link", "NaN", "nan", "inf\""] {
            #expect(!html.replacing("http-equiv", with: "").contains(reference), "\(reference)", sourceLocation: location)
        }
    }

    @Test func theNumbersAreThoseOfTheLog() throws {
        let run = try MadeRun(1000)
        let html = try run.html()
        expectWhole(html)
        let recent = run.history.suffix(50)
        let estimate = recent.map(\.wassersteinEstimate).reduce(0, +) / 50
        #expect(html.contains("<dt>Wasserstein estimate</dt><dd>\(NumberText.short(estimate))<span>"))
        // The same number at the top and at the curve.
        #expect(html.contains("<span class=\"v0\">\(NumberText.short(estimate))</span>"))
        let peak = run.history.map(\.wassersteinEstimate).max()!
        #expect(html.contains("from \(NumberText.short(peak)) at its peak"))
        #expect(html.contains("▲ \(NumberText.short(peak)) at iteration"))
        // Of five bins around 1 all are within 10%.
        #expect(html.contains("100% within 10%") && html.contains("<dd>0:20<span>20.0 ms an iteration</span>"))
        #expect(html.contains("3,200") || html.contains("16,000"))

        let data = try pageData(of: html)
        let panels = try #require(data["panels"] as? [[String: Any]])
        #expect(panels.map { $0["id"] as? String } == ["wasserstein-estimate", "gradient-norm-mean", "gradient-norm-within", "penalty", "critic-loss", "generator-loss"])
        let means = try #require((panels[0]["series"] as? [[String: Any]])?[0]["mean"] as? [Double])
        #expect(means.count == 500)
        for (index, mean) in means.enumerated() {
            let values = run.history[2 * index..<2 * index + 2].map(\.wassersteinEstimate)
            #expect(abs(mean - (values[0] + values[1]) / 2) < 1e-3)
        }
        let histograms = try #require((panels[1]["series"] as? [[String: Any]])?[0]["hist"] as? [[Int]])
        #expect(histograms.count == 125 && histograms.allSatisfy { $0 == [38, 200, 200, 200, 200, 200] })
    }

    @Test func aRunWithoutHistogramsHasNoHeatStrip() throws {
        let html = try MadeRun(400, hasHistograms: false).html()
        expectWhole(html)
        #expect(!html.contains("<svg class=\"cells\"") && !html.contains("gradient-norm-within") && html.contains("id=\"p-gradient-norm-mean\""))
    }

    @Test(arguments: [0, 1, 2, 40]) func aRunThatHasJustBegun(_ count: Int) throws {
        let html = try MadeRun(count).html()
        expectWhole(html)
        #expect(html.contains("Too early to tell"))
        _ = try pageData(of: html)
    }

    /// What is not finite leaves a gap in the curves, and JSON and SVG do not get to see it.
    @Test func whatIsNotFiniteIsPassedOver() throws {
        let run = try MadeRun(
            400,
            change: { iteration, metrics in
                if (100..<110).contains(iteration) { metrics.penalty = .nan }
                if iteration == 400 { metrics.criticLoss = .nan }
            })
        let html = try run.html()
        expectWhole(html)
        #expect(html.contains("Stopped: no finite critic loss at iteration 400") && html.contains("class=\"verdict bad\""))
        let panels = try #require(try pageData(of: html)["panels"] as? [[String: Any]])
        let penalty = try #require(panels.first { $0["id"] as? String == "penalty" })
        let means = try #require((penalty["series"] as? [[String: Any]])?[0]["mean"] as? [Any])
        #expect(means.count { $0 is NSNull } == 10)
        // The line is broken in two.
        let line = try #require(html.range(of: "id=\"p-penalty\"").map { html[$0.upperBound...] })
        let path = try #require(line.range(of: "class=\"line s0\" d=\"").map { line[$0.upperBound...].prefix { $0 != "\"" } })
        #expect(path.count { $0 == "M" } == 2)
    }

    /// Names, configurations and messages cannot become markup.
    @Test func everythingIsEscaped() throws {
        let run = try MadeRun(
            20, name: "<img src=x onerror=alert(1)>&\"'", configure: { $0.data.path = "/nowhere/<script>alert(2)</script>" })
        let html = try run.html()
        expectWhole(html)
        #expect(!html.contains("<img src=x") && !html.contains("<script>alert"))
        #expect(html.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;"))
        let data = try pageData(of: html)
        #expect((data["runs"] as? [[String: Any]])?[0]["name"] as? String == "<img src=x onerror=alert(1)>&\"'")
    }

    @Test func severalRunsShareTheirAxes() throws {
        let folder = try TemporaryFolder()
        let first = try MadeRun(1000, name: "first", in: folder)
        let second = try MadeRun(
            600, name: "second", in: folder, configure: { $0.training.criticSteps = 2 },
            change: { iteration, metrics in
                metrics.wassersteinEstimate += 0.2
                metrics.seconds = Double(iteration) / 20
            })
        let runs = try [first.path, second.path].map { try RecordedRun(folder: $0) }
        for axis in HorizontalAxis.allCases {
            let html = Report(runs, along: axis).html
            expectWhole(html)
            #expect(html.contains("They differ in critic steps, 5 and 2") && html.contains("<tr class=\"diff\"><th scope=\"row\">critic steps"))
            #expect(html.contains("first ends with the lower Wasserstein estimate"))
            #expect(html.contains("value=\"\(axis.rawValue)\" checked"))
            // 1,000 iterations of 1/50 s, 600 of 1/20 s.
            let end = axis == .iterations ? "1,000" : "0:30"
            #expect(html.contains("<span class=\"end\" style=\"left:100%\">\(end)</span>"))
        }
        // Runs of one name are told apart.
        let other = try MadeRun(20, name: "first")
        let html = try Report([RecordedRun(folder: first.path), RecordedRun(folder: other.path)]).html
        #expect(html.contains(first.path) && html.contains(other.path))
    }

    /// A page does not grow with the length of its run.
    @Test func aLongRunTakesNoMoreThanAShortOne() throws {
        let short = try MadeRun(1600).html().utf8.count, long = try MadeRun(6000).html().utf8.count
        #expect(long < 300 << 10 && abs(long - short) < 60 << 10, "\(short) and \(long) bytes")
    }

    @Test func statesOfARun() throws {
        #expect(try MadeRun(20).html().contains("ended after 20 of 5,000 iterations"))
        #expect(try MadeRun(20, configure: { $0.training.iterations = 20 }).html().contains("20 iterations, finished"))
        #expect(throws: DataError.self) { try RecordedRun(folder: "/nowhere") }
    }

    @Test func commandsCanBePasted() throws {
        let html = try MadeRun(20, name: "my run").html()
        #expect(html.contains("my</span> <span>run&#39;"))
        #expect(CommandsSection.quoted("it's") == #"'it'\''s'"# && CommandsSection.quoted("runs/digits-1") == "runs/digits-1")
    }
}
