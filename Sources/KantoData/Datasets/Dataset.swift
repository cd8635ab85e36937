/// Samples to train on: pictures or rows of numbers.
///
/// What a sample's values mean is the dataset's affair: `read` gives them as training uses them, and `restored` gives what a
/// generator made back in the data's own units. To add a format, add a file with a type of this protocol and a row to
/// `DatasetFormat.all`.
public protocol Dataset: Sendable {
    /// How many samples there are. The generated sets have no end; theirs is a number that a pass over them takes.
    var count: Int { get }
    /// [height, width, channels] of a picture, [n] of a row of numbers.
    var sampleShape: [Int] { get }
    /// The class of each sample, or nil.
    var labels: [Int]? { get }
    /// The name of class 0, 1 and so on, where the data have names.
    var classNames: [String]? { get }
    /// The names of the numbers in a row, where the data have names.
    var featureNames: [String]? { get }
    /// What all values that `read` gives lie in; nil for rows that are standardized.
    var valueRange: ValueRange? { get }
    /// What the samples are drawn from, where that is a mixture whose modes are known.
    var mixture: NormalMixture? { get }
    /// Whether samples are drawn as they are asked for: another seed gives others, and no two are the same.
    var isEndless: Bool { get }
    /// Of which pictures, and how many, a sample is a stack; nil where it is none.
    var stack: StackedPictures? { get }
    /// What somebody who trains on it should know, such as a range that looks wrong; a line each.
    var notes: [String] { get }

    /// Reads samples into a buffer, [indexes.count] + sampleShape. Several threads may read at once. What is read depends
    /// on the indexes alone.
    ///
    /// - Precondition: the indexes lie in 0..<count, and the buffer is as large as they need.
    /// - Throws: `DataError` if a file cannot be read or its content is not what it should be.
    func read(_ indexes: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws

    /// What the values that `read` gives mean in the data's own units.
    var units: SampleUnits { get }

    /// The part of the data to train on and the part that is held out: drawn by lot, and the same ones each time, whatever a run's
    /// seed is.
    ///
    /// - Parameter share: of the samples that is held out, between 0 and 1; at least one sample is, and at least one is not.
    func holdingOut(share: Double) -> (training: any Dataset, heldOut: any Dataset)
}

extension Dataset {
    /// None.
    public var labels: [Int]? { nil }
    /// None.
    public var classNames: [String]? { nil }
    /// None.
    public var featureNames: [String]? { nil }
    /// None.
    public var mixture: NormalMixture? { nil }
    /// No.
    public var isEndless: Bool { false }
    /// None.
    public var stack: StackedPictures? { nil }
    /// None.
    public var notes: [String] { [] }

    /// Samples as training has them, [any number] + sampleShape, in the data's own units.
    public func restored(_ samples: [Float]) -> [Float] { units.restored(samples) }

    /// How many numbers a sample has.
    public var sampleSize: Int { sampleShape.reduce(1, *) }

    /// Reads samples into an array, [indexes.count] + sampleShape.
    ///
    /// - Throws: as `read(_:into:)` does.
    public func samples(_ indexes: [Int]) throws -> [Float] {
        let count = indexes.count * sampleSize
        try requireMemory(count * MemoryLayout<Float>.stride)
        return try [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            try read(indexes[...], into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            filled = count
        }
    }

    /// The same in the units that training on other data has.
    ///
    /// - Throws: as `read(_:into:)` does.
    package func samples(_ indexes: [Int], inUnitsOf training: any Dataset) throws -> [Float] {
        let (values, own, wanted) = (try samples(indexes), units, training.units)
        if own.multipliers == wanted.multipliers, own.offsets == wanted.offsets { return values }
        return wanted.applied(own.restored(values))
    }

    /// Mirrors one picture, left to right, in place. Whoever draws the batches decides which ones, so that a run can be
    /// repeated; a row of numbers stays as it is.
    public func flipHorizontally(_ sample: UnsafeMutableBufferPointer<Float>) {
        let shape = sampleShape
        guard shape.count == 3 else { return }
        precondition(sample.count == sampleSize, "\(sample.count) numbers are not a sample of shape \(shape)")
        let (width, channels) = (shape[1], shape[2])
        for row in 0..<shape[0] {
            let start = row * width * channels
            for x in 0..<width / 2 {
                for channel in 0..<channels {
                    sample.swapAt(start + x * channels + channel, start + (width - 1 - x) * channels + channel)
                }
            }
        }
    }

    /// Stops a program that asks for what is not there.
    func checkRequest(_ indexes: ArraySlice<Int>, _ buffer: UnsafeMutableBufferPointer<Float>) {
        precondition(
            buffer.count == indexes.count * sampleSize, "the buffer is not as large as \(indexes.count) samples of \(sampleShape)"
        )
        precondition(indexes.allSatisfy { 0..<count ~= $0 }, "there are \(count) samples; an index is outside")
    }
}
