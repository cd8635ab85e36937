import KantoData
import KantoKernels
import KantoPictures

/// The pictures of `kanto bench --plot`.
struct BenchPlot {
    private let rows: [BenchRow]
    private let backends: [String]

    /// - Parameter rows: those without limits, because the machine was busy, are not drawn.
    init(_ rows: [BenchRow]) {
        self.rows = rows.filter { $0.timings != nil && !$0.isBusy }
        var backends: [String] = []
        for row in rows where !backends.contains(row.backend) { backends.append(row.backend) }
        self.backends = backends
    }

    /// Writes the bars to FILE.png and, if floating-point operations are counted, the roofline to FILE-roofline.png.
    func write(to path: String) throws {
        try PNG.write(bars.picture(), to: path)
        guard rows.contains(where: { $0.gflops != nil }) else { return }
        try PNG.write(roofline.picture(), to: path.dropLast(4) + "-roofline.png")
    }

    private var bars: BarChart {
        var groups: [BarChart.Group] = []
        for row in rows {
            let label = "\(row.problem)" + (Set(rows.map(\.threadCount)).count > 1 ? ", \(row.threadCount) threads" : "")
            if groups.last?.label != label { groups.append(BarChart.Group(label, bars: [])) }
            let rate =
                row.isMemoryBound
                ? "\(fixed(row.gigabytesPerSecond!, 1)) GB/s" : "\(fixed(row.gflops!, 1)) GFLOP/s"
            groups[groups.count - 1].bars.append(
                BarChart.Bar(series: series(row), value: 100 * (row.share ?? .nan), label: rate))
        }
        return BarChart(
            title: "Kernels against the machine's limits", seriesNames: backends, groups: groups,
            axisTitle: "percent of the limit: multiply-adds, or memory where it bounds", limit: 100)
    }

    private var roofline: RooflineChart {
        let points = rows.compactMap { row in
            row.gflops.map { RooflineChart.Point(series: series(row), intensity: row.intensity, rate: $0) }
        }
        let best = rows.max { $0.multiplyAddLimit < $1.multiplyAddLimit }!
        return RooflineChart(
            title: "Roofline", seriesNames: backends, points: points, operationLimit: best.multiplyAddLimit,
            memoryLimit: best.memoryLimit)
    }

    private func series(_ row: BenchRow) -> Int { backends.firstIndex(of: row.backend)! }
}
