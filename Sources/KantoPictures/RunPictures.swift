import KantoData
import KantoGAN
import KantoRuns

extension Run.Snapshot {
    /// Draws the samples and the curves into the run's folder: `samples/NAME.png` and `losses.png`. Pictures of 1 or 3 channels
    /// and points of a plane can be drawn; other samples are left to `kanto sample`.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, also if this build has no libpng (see `PNG.isAvailable`).
    public func drawPictures() throws(DataError) {
        let path = "\(folder)/samples/\(name).png"
        let range = configuration.data.scaledTo
        switch samples.shape.dropFirst() {
        case [2]: try PNG.write(PointCloud.picture([("data", real.floats), ("generated", samples.floats)]), to: path)
        case let shape where shape.count == 3 && [1, 3].contains(shape.last):
            let grid = ImageGrid.picture(
                of: samples.floats, shape: samples.shape, range: Float(range.lower)...Float(range.upper), columns: 8)
            try PNG.write(grid, to: path)
        default: break
        }
        try PNG.write(curves.picture(), to: "\(folder)/losses.png")
    }

    private var curves: Chart {
        func series(_ name: String, _ value: (IterationMetrics) -> Double) -> Chart.Series {
            Chart.Series(name, x: history.map { Double($0.iteration) }, y: history.map(value))
        }
        return Chart(
            title: "\(configuration.preset ?? folder), seed \(configuration.training.seed)",
            panels: [
                Chart.Panel(
                    "losses",
                    series: [
                        series("Wasserstein estimate", \.wassersteinEstimate), series("critic loss", \.criticLoss),
                        series("generator loss", \.generatorLoss),
                    ]),
                Chart.Panel("mean gradient norm", series: [series("mean gradient norm", \.meanGradientNorm)], reference: 1),
                Chart.Panel("gradient penalty", series: [series("penalty", \.penalty)]),
            ],
            smoothing: max(1, history.count / 50))
    }
}
