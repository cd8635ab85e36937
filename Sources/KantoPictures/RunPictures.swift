import KantoData
import KantoGAN
import KantoRuns

extension Run.Snapshot {
    /// Draws the samples and the curves into the run's folder: `samples/NAME.png` and `losses.png`. Pictures of 1 or 3 channels
    /// and points of a plane can be drawn; other samples are left to `kanto sample`.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, also if this build has no libpng (see `PNG.isAvailable`).
    public func drawPictures() throws(DataError) {
        if let drawing = SamplePicture(sampleShape: Array(samples.shape.dropFirst())) {
            let picture = drawing.picture(of: samples, beside: real, brightness: units.brightness, columns: Self.columnCount)
            try PNG.write(picture, to: "\(folder)/samples/\(name).png")
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
