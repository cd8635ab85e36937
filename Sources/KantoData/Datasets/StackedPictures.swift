import KantoDescriptions
import KantoTensor

/// Pictures of a dataset, several drawn by lot, as the channels of one sample. Of three digits there are a thousand combinations:
/// enough modes to see which ones a generator leaves out (stacked MNIST: Metz et al. 2017, section 3.3.1; Lin et al. 2018,
/// section 4.2).
public struct StackedPictures: Dataset {
    /// What the pictures are drawn from.
    public let pictures: any Dataset
    /// How many of them are a sample; the channels of the first come first.
    public let height: Int

    /// As many as a published set of this kind has.
    private static let sampleCount = 128_000

    /// - Throws: `DataError` if the samples are no pictures.
    init(_ pictures: any Dataset, height: Int, path: String) throws(DataError) {
        guard pictures.sampleShape.count == 3 else {
            throw DataError(
                .badInput,
                "\(path): samples of shape \(pictures.sampleShape), which data.stacked cannot stack; expected pictures, "
                    + "[height, width, channels]")
        }
        self.init(stacking: pictures, height: height)
    }

    /// - Precondition: the samples are pictures.
    init(stacking pictures: any Dataset, height: Int) { (self.pictures, self.height) = (pictures, height) }

    public var count: Int { Self.sampleCount }
    public var sampleShape: [Int] {
        let shape = pictures.sampleShape
        return [shape[0], shape[1], height * shape[2]]
    }
    public var valueRange: ValueRange? { pictures.valueRange }
    public var notes: [String] { pictures.notes }
    // One map for all channels of a picture, or one each: they repeat from picture to picture.
    public var units: SampleUnits { pictures.units }
    public var stack: StackedPictures? { self }

    /// Of the pictures, or each held-out sample would hold some of the training's.
    public func holdingOut(share: Double) -> (training: any Dataset, heldOut: any Dataset) {
        let (training, heldOut) = pictures.holdingOut(share: share)
        return (Self(stacking: training, height: height), Self(stacking: heldOut, height: height))
    }

    public func read(_ indexes: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        checkRequest(indexes, buffer)
        // The same pictures in a sample whatever a run's seed is: they are data.
        let drawn = indexes.flatMap { index in
            var random = Random(seed: 0, stream: UInt64(index))
            return (0..<height).map { _ in Int.random(in: 0..<pictures.count, using: &random) }
        }
        let values = try pictures.samples(drawn)
        let channels = pictures.sampleShape[2], pixelCount = pictures.sampleSize / channels
        var place = 0
        for sample in 0..<indexes.count {
            for pixel in 0..<pixelCount {
                for picture in sample * height..<(sample + 1) * height {
                    for channel in 0..<channels {
                        buffer[place] = values[(picture * pixelCount + pixel) * channels + channel]
                        place += 1
                    }
                }
            }
        }
    }
}
