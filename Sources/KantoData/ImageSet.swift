import KantoKernels

/// Images of one size, with labels where there are some.
public struct ImageSet: Equatable, Sendable {
    /// How many pictures.
    public let count: Int
    /// Of each picture, in pixels.
    public let height: Int
    /// Of each picture, in pixels.
    public let width: Int
    /// 1 for gray, 3 for red, green, blue.
    public let channels: Int
    /// [count, height, width, channels], from 0 to 1 unless the dataset has them otherwise.
    public let pixels: [Float]
    /// One a picture; nil where there are none.
    public let labels: [Int]?

    /// - Precondition: the pixels fill the shape, and there are as many labels as pictures.
    public init(count: Int, height: Int, width: Int, channels: Int, pixels: [Float], labels: [Int]? = nil) {
        precondition(
            elementCount(of: [count, height, width, channels]) == pixels.count, "pixels do not fill the shape")
        precondition(labels.map { $0.count == count } ?? true, "there is not one label a picture")
        self.count = count
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
        self.labels = labels
    }

    /// All pictures of a dataset, in memory.
    ///
    /// - Throws: `DataError` if its samples are no pictures, or a file cannot be read; `KernelError.memory` if the system refuses as
    ///   much memory as they take.
    public init(_ dataset: any Dataset) throws {
        let shape = dataset.sampleShape
        guard shape.count == 3 else {
            throw DataError(.badInput, "samples of shape \(shape), expected pictures: [height, width, channels]")
        }
        self.init(
            count: dataset.count, height: shape[0], width: shape[1], channels: shape[2],
            pixels: try dataset.samples(Array(0..<dataset.count)), labels: dataset.labels)
    }

    /// The handwritten digits that ship with Kanto: 1,797 pictures of 8x8.
    ///
    /// Source: "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998, CC BY 4.0,
    /// https://doi.org/10.24432/C50P49
    ///
    /// - Throws: `KernelError.memory` if the system refuses as much as they take.
    public static func digits() throws -> ImageSet { try ImageSet(Datasets.open(DataDescription(path: "digits"))) }
}
