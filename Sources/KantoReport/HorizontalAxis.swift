/// What the curves run along.
public enum HorizontalAxis: String, CaseIterable, Sendable {
    case iterations
    case seconds
}

/// The horizontal axis of all panels of a page.
struct HorizontalScale {
    let axis: HorizontalAxis
    /// Its end: that of the longest run.
    let extent: Double

    /// Runs whose logs do not say how long they took have iterations only.
    init(_ axis: HorizontalAxis, _ runs: [RunCurves]) {
        let hasSeconds = Self.hasSeconds(runs)
        self.axis = hasSeconds ? axis : .iterations
        extent = Self.extent(self.axis, runs)
    }

    static func hasSeconds(_ runs: [RunCurves]) -> Bool { runs.allSatisfy { !$0.seconds.isEmpty } }

    static func extent(_ axis: HorizontalAxis, _ runs: [RunCurves]) -> Double {
        switch axis {
        case .iterations: Double(runs.map(\.iterationCount).max() ?? 1)
        case .seconds: runs.map(\.duration).max() ?? 1
        }
    }

    /// Where an iteration of a run stands, from 0 to 1.
    func share(_ iteration: Double, of run: RunCurves) -> Double {
        switch axis {
        case .iterations: min(1, iteration / extent)
        case .seconds: min(1, run.seconds(at: iteration) / extent)
        }
    }

    /// What the plot spans, in columns of a run's histograms.
    func columns(_ norms: NormHistory, of run: RunCurves) -> Double {
        let end = share(Double(run.iterationCount), of: run)
        return Double(run.iterationCount) / Double(norms.columnSize) / max(end, 1e-9)
    }

    /// The line below the panels: what it says and where, from 0 to 1.
    var marks: (first: String, inner: [(share: Double, text: String)], last: String) {
        func text(_ value: Double) -> String { axis == .iterations ? NumberText.whole(value) : NumberText.clock(value) }
        let values: [Double]
        switch axis {
        case .iterations: values = Ticks(AxisRange(lower: 0, upper: extent), atMost: 6).values.filter { $0.rounded() == $0 }
        case .seconds:
            let steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400].map(Double.init)
            let step = steps.first { extent / $0 <= 6 } ?? (extent / 6).rounded(.up)
            values = Array(stride(from: step, through: extent, by: step))
        }
        let inner = values.filter { $0 > 0 && $0 < extent * 0.94 }.map { ($0 / extent, text($0)) }
        return (axis == .iterations ? "1" : "0:00", inner, text(extent))
    }
}
