import KantoData
import KantoGAN
import KantoRuns

extension Run.Snapshot {
    /// Draws the samples and the curves into the run's folder: `samples/NAME.png` and `losses.png`.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, also if this build has no libpng (see `PNG.isAvailable`).
    public func drawPictures() throws(DataError) {
        try PNG.write(
            ImageGrid.picture(of: samples.floats, shape: samples.shape, columns: 8), to: "\(folder)/samples/\(name).png")
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
