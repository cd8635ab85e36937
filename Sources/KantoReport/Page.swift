import KantoKernels
import KantoRuns

/// A whole page: complete without scripts, and it loads nothing.
struct Page {
    let runs: [PageRun]
    let axis: HorizontalAxis

    var html: String {
        let curves = CurvesSection(runs, along: axis), samples = SamplesSection(runs: runs)
        let title = PageHeader.list(runs.map { escaped($0.name) })
        let data = PageData(runs: runs, curves: curves, samples: samples).json
        let parts = [
            PageHeader(runs: runs).html, samples.html, CriticSection(runs: runs).html, curves.html,
            ConfigurationSection(runs: runs).html, runs.count == 1 ? CommandsSection(run: runs[0]).html : "", footer,
        ]
        return """
            <!doctype html><html lang="en"><head><meta charset="utf-8">\
            <meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">\
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
            script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
            <title>\(title) · kanto</title><style>\(pageStyle)</style></head><body><main>
            \(parts.joined(separator: "\n"))
            </main><script type="application/json" id="data">\(data)</script><script>\(pageScript)</script></body></html>

            """
    }

    private var footer: String {
        let counts = Set(runs.map { "\($0.curves.iterationCount)" }).count == 1
        let run = runs[0].curves
        let buckets =
            counts && run.iterationCount > 0
            ? "\(NumberText.whole(run.iterationCount)) iterations in \((run.iterationCount + run.bucketSize - 1) / run.bucketSize) buckets of "
                + "\(run.bucketSize): the" : "Buckets have as many iterations as the"
        let near = "the smallest power of two that leaves at most \(Buckets.most)"
        return """
            <footer class="small soft"><p>Written by kanto \(Kernels.version). This file is complete in itself and loads nothing.</p>\
            <details><summary>How the curves are made</summary><ul>\
            <li>\(buckets)\(near.dropFirst(3)). Each keeps its lowest, highest and mean value, so no spike is lost.</li>\
            <li>The line is a Gaussian average, σ = \(NumberText.percent(standardSmoothing)) of the run, centered, cut at the ends.</li>\
            <li>The settled scale spans the 1st to 99th percentile of the buckets’ extremes after the first tenth, plus 15%; what falls \
            outside is named at the edge.</li>\
            <li>Gradient norms: bins of \(NormHistory.binWidth) from 0 to \(Int(NormHistory.binWidth * Double(NormHistory.binCount))), the \
            last one open; eight opacities, by the square root of the share.</li>\
            <li>Numbers at the top average the last \(NumberText.percent(RunCurves.recentShare)) of the run.</li>\
            <li>Share of the limit: ten forward passes of the critic for each of its samples, over the time, against what the machine’s \
            multiply-adds can do.</li></ul></details></footer>
            """
    }
}
