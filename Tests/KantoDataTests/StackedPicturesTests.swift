import KantoDescriptions
import KantoTensor
import TestSupport
import Testing

@testable import KantoData

/// Pictures as the channels of a sample.
@Suite struct StackedPicturesTests {
    private func digits(stacked height: Int) throws -> (one: any Dataset, stacked: any Dataset) {
        var description = DataDescription(path: "digits")
        let one = try Datasets.open(description)
        description.stacked = height
        return (one, try Datasets.open(description))
    }

    /// Each channel is a picture of the data; the same ones each time, and other ones in each sample.
    @Test func channelsArePictures() throws {
        let (one, stacked) = try digits(stacked: 3)
        #expect(stacked.sampleShape == [8, 8, 3] && stacked.count == 128_000 && stacked.labels == nil)
        #expect(stacked.valueRange?.description == one.valueRange?.description)
        let pictures = try one.samples(Array(0..<one.count))
        let known = Set((0..<one.count).map { Array(pictures[$0 * 64..<($0 + 1) * 64]) })
        let indexes = [0, 1, 2, 127_999, 50_000]
        let samples = try stacked.samples(indexes)
        let channels: [[Float]] = (0..<15).map { (channel: Int) -> [Float] in
            let first = channel / 3 * 192 + channel % 3
            return (0..<64).map { (pixel: Int) -> Float in samples[first + 3 * pixel] }
        }
        #expect(channels.allSatisfy(known.contains))
        #expect(Set(channels).count > 12)
        #expect(try stacked.samples([127_999]) == Array(samples[3 * 192..<4 * 192]))
    }

    /// All channels of a picture stay together.
    @Test func colorsStayTogether() throws {
        let values = (0..<2 * 2 * 2 * 3).map(Float.init)
        let folder = try TemporaryFolder()
        let path = folder.path + "/colors.npy"
        try NPY.write(NumericArray(shape: [2, 2, 2, 3], values), to: path)
        var description = DataDescription(path: path)
        (description.stacked, description.range) = (2, ValueRange(0, 24))
        let stacked = try Datasets.open(description)
        #expect(stacked.sampleShape == [2, 2, 6])
        let sample = try stacked.restored(stacked.samples([7]))
        for pixel in 0..<4 {
            for picture in 0..<2 {
                let colors = Array(sample[pixel * 6 + picture * 3..<pixel * 6 + picture * 3 + 3])
                let first = sample[picture * 3] >= 12 ? Float(12) : 0
                for color in 0..<3 { #expect(abs(colors[color] - (first + Float(pixel * 3 + color))) < 1e-5) }
            }
        }
    }

    /// No picture is in a sample of both parts.
    @Test func heldOutPicturesAreInNoSampleOfTheTraining() throws {
        let (_, stacked) = try digits(stacked: 2)
        let (training, heldOut) = stacked.holdingOut(share: 0.1)
        #expect(training.sampleShape == [8, 8, 2] && heldOut.sampleShape == [8, 8, 2])
        #expect(training.stack?.pictures.count == 1617 && heldOut.stack?.pictures.count == 180)
    }

    @Test func rowsAreNotStacked() throws {
        var description = DataDescription(path: "ring8")
        description.stacked = 3
        let error = #expect(throws: DataError.self) { try Datasets.open(description) }
        #expect(error?.description.contains("ring8: samples of shape [2], which data.stacked cannot stack") == true)
    }
}
