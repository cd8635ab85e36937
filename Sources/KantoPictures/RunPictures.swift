import KantoData
import KantoGAN
import KantoRuns

extension Run.Snapshot {
    /// Draws the samples into the run's folder, as `samples/NAME.png`, with real ones beside them. Pictures of 1 or 3 channels and
    /// points of a plane can be drawn; other samples are left to `kanto sample`.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`, also if this build has no libpng (see `PNG.isAvailable`).
    public func drawPictures() throws(DataError) {
        guard let drawing = SamplePicture(sampleShape: Array(samples.shape.dropFirst())) else { return }
        let picture = drawing.picture(of: samples, beside: real, brightness: units.brightness, columns: Self.columnCount)
        try PNG.write(picture, to: "\(folder)/samples/\(name).png")
    }
}
