import KantoDigits
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
    /// [count, height, width, channels], from 0 to 1.
    public let pixels: [Float]
    /// One a picture; nil where there are none.
    public let labels: [UInt8]?

    /// - Precondition: the pixels fill the shape, and there are as many labels as pictures.
    public init(count: Int, height: Int, width: Int, channels: Int, pixels: [Float], labels: [UInt8]? = nil) {
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

    /// The handwritten digits that ship with Kanto: 1,797 pictures of 8x8.
    ///
    /// Source: "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998, CC BY 4.0,
    /// https://doi.org/10.24432/C50P49
    ///
    /// - Throws: `KernelError.memory` if the system refuses as much as they take.
    public static func digits() throws -> ImageSet {
        let images = UnsafeBufferPointer(start: kanto_digits_images_start(), count: kanto_digits_images_size)
        let labels = UnsafeBufferPointer(start: kanto_digits_labels_start(), count: kanto_digits_labels_size)
        return try ImageSet(
            images: IDXArray(bytes: Array(images), name: "the digits' images"), imagesName: "the digits' images",
            labels: IDXArray(bytes: Array(labels), name: "the digits' labels"), labelsName: "the digits' labels",
            maximum: 16)
    }

    /// Reads pictures in the IDX format, such as MNIST's: a file, or a folder with a file named
    /// `train-images-idx3-ubyte` or else exactly one `…images-idx3-ubyte`. Bytes of 0...255 become 0...1. Labels are read
    /// from the file beside it whose name says `labels-idx1` instead of `images-idx3`, if there is one.
    ///
    /// - Throws: `DataError` as `IDXArray` does, also if there are other sizes than those of pictures or not one label a picture;
    ///   `KernelError.memory` if the system refuses as much memory as they take.
    public init(idxAt path: String) throws {
        let imagesPath = isFolder(path) ? try Self.imagesFile(in: path) : path
        let images = try IDXArray(contentsOf: imagesPath)

        let folder = parentFolder(of: imagesPath)
        let name = String(imagesPath.split(separator: "/").last ?? "")
        let labelsName = name.replacing("images", with: "labels").replacing("idx3", with: "idx1")
        let labelsPath = "\(folder)/\(labelsName)"
        let labels = labelsName != name && isRegularFile(labelsPath) ? try IDXArray(contentsOf: labelsPath) : nil
        try self.init(
            images: images, imagesName: imagesPath, labels: labels, labelsName: labelsPath, maximum: 255)
        // Values that were not scaled to bytes, 0 to 1 or 0 to 16 say, train a generator of black pictures.
        if let brightest = images.values.max(), brightest < 64 {
            Diagnostics.warnOnce(
                "\(imagesPath): its pictures are nearly black: the largest value is \(brightest) of 255; scale them so that "
                    + "white is 255, if that is not meant", key: "dark pictures \(imagesPath)")
        }
    }

    private init(images: IDXArray, imagesName: String, labels: IDXArray?, labelsName: String, maximum: Float) throws {
        var shape = images.shape
        if shape.count == 3 { shape.append(1) }
        guard shape.count == 4, shape.allSatisfy({ $0 > 0 }) else {
            throw DataError.bad(
                imagesName, at: 3,
                "expected pictures, of sizes [count, height, width] or [count, height, width, channels], none of them zero; "
                    + "found \(images.shape)")
        }
        if let labels, labels.shape != [shape[0]] {
            throw DataError.bad(
                labelsName, at: 4, "expected \(shape[0]) labels, one a picture; found sizes \(labels.shape)")
        }
        try requireMemory(images.values.count * MemoryLayout<Float>.stride)
        let scaled = (0...255).map { Float($0) / maximum }
        self.init(
            count: shape[0], height: shape[1], width: shape[2], channels: shape[3],
            pixels: images.values.map { scaled[Int($0)] }, labels: labels?.values)
    }

    private static func imagesFile(in folder: String) throws -> String {
        // Some archives unpack into folders of the files' own names.
        let all = try namesInFolder(folder).filter { isRegularFile("\(folder)/\($0)") }
        let names = all.filter { $0.hasSuffix("idx3-ubyte") && $0.contains("images") }
        if let training = names.first(where: { $0.hasPrefix("train-images") }) { return "\(folder)/\(training)" }
        if names.count == 1 { return "\(folder)/\(names[0])" }
        if names.isEmpty {
            let compressed = all.first { $0.hasSuffix("idx3-ubyte.gz") }
            let hint = compressed.map { "; found \($0), which is compressed: gunzip \(folder)/\($0)" } ?? ""
            throw DataError(.missingInput, "\(folder): holds no file named train-images-idx3-ubyte\(hint)")
        }
        throw DataError(
            .missingInput,
            "\(folder): holds \(names.joined(separator: ", ")); say which by giving the file instead of its folder")
    }
}
