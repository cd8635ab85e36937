import TestSupport
import Testing

@testable import KantoData

@Suite struct IDXTests {
    static let small: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]

    @Test func readsSizesAndBytes() throws {
        let array = try IDXArray(bytes: Self.small, name: "small")
        #expect(array.shape == [2, 3])
        #expect(array.values == [1, 2, 3, 4, 5, 6])
    }

    @Test func readsASizeZero() throws {
        #expect(try IDXArray(bytes: [0, 0, 8, 1, 0, 0, 0, 0], name: "none").shape == [0])
    }

    @Test(arguments: small.indices) func refusesTruncation(length: Int) {
        let error = dataError { _ = try IDXArray(bytes: Array(Self.small[..<length]), name: "cut") }
        #expect(error?.kind == .badInput)
        #expect(error?.description.hasPrefix("cut: byte \(length): ") == true)
    }

    @Test(
        arguments: [
            ([0x1f, 0x8b, 8, 0], "byte 0", "gunzip file"),
            ([1, 0, 8, 1, 0, 0, 0, 0], "byte 0", "found 1 0"),
            ([0, 0, 0x0d, 1, 0, 0, 0, 0], "byte 2", "float32"),
            ([0, 0, 7, 1, 0, 0, 0, 0], "byte 2", "unknown"),
            ([0, 0, 8, 0], "byte 3", "found 0"),
            ([0, 0, 8, 9], "byte 3", "found 9"),
            (small + [7], "byte 18", "expected 18 bytes"),
            ([0, 0, 8, 3] + [UInt8](repeating: 0xff, count: 12), "byte 4", "more than any file holds"),
            ([0, 0, 8, 2] + [UInt8](repeating: 0x7f, count: 8), "byte 4", "more than any file holds"),
        ] as [([UInt8], String, String)])
    func refuses(bytes: [UInt8], place: String, reason: String) {
        let error = dataError { _ = try IDXArray(bytes: bytes, name: "file") }
        #expect(error?.kind == .badInput)
        #expect(error?.description.contains("file: \(place): ") == true)
        #expect(error?.description.contains(reason) == true)
    }

    @Test func refusesWhatIsNoFile() throws {
        try withTemporaryFolder { folder in
            let missing = dataError { _ = try IDXArray(contentsOf: "\(folder)/missing") }
            #expect(missing?.kind == .missingInput)
            #expect(missing?.description.contains("\(folder)/missing: cannot be opened: No such file") == true)
            let isFolder = dataError { _ = try IDXArray(contentsOf: folder) }
            #expect(isFolder?.kind == .missingInput)
            #expect(isFolder?.description.contains("is a folder") == true)
            let device = dataError { _ = try IDXArray(contentsOf: "/dev/zero") }
            #expect(device?.description.contains("not a regular file") == true)
        }
    }
}

@Suite struct ImageSetTests {
    @Test func digitsAreInThePackage() throws {
        let digits = try ImageSet.digits()
        #expect([digits.count, digits.height, digits.width, digits.channels] == [1797, 8, 8, 1])
        #expect(digits.pixels.count == 1797 * 64)
        #expect(digits.pixels.min() == 0)
        #expect(digits.pixels.max() == 1)
        // The first row of the first picture, as published: 0 0 5 13 9 1 0 0, a zero.
        let firstRow: [Float] = [0, 0, 5, 13, 9, 1, 0, 0]
        #expect(digits.pixels.prefix(8).map { $0 * 16 } == firstRow)
        let labels = try #require(digits.labels)
        #expect(Array(labels.prefix(10)) == Array(0...9))
        let counts = (0..<10).map { digit in labels.count { $0 == digit } }
        #expect(counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    }

    static let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255]
    static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 7, 9]

    @Test(arguments: ["train-images-idx3-ubyte", "train-images.idx3-ubyte", "t10k-images-idx3-ubyte"])
    func readsAFolderOrAFile(name: String) throws {
        try withTemporaryFolder { folder in
            try put(Self.images, "\(folder)/\(name)")
            #expect(try ImageSet(idxAt: folder).labels == nil)
            try put(
                Self.labels, "\(folder)/\(name.replacing("images", with: "labels").replacing("idx3", with: "idx1"))")
            let expected = ImageSet(
                count: 2, height: 1, width: 2, channels: 1, pixels: [0, 0.2, 0.4, 1], labels: [7, 9])
            #expect(try ImageSet(idxAt: folder) == expected)
            #expect(try ImageSet(idxAt: "\(folder)/\(name)") == expected)
        }
    }

    /// Some archives unpack into folders of the files' own names.
    @Test func foldersOfAFilesNameAreNoFiles() throws {
        try withTemporaryFolder { folder in
            try createDirectories("\(folder)/train-images-idx3-ubyte")
            try createDirectories("\(folder)/train-labels.idx1-ubyte")
            try put([], "\(folder)/train-images-idx3-ubyte/train-images-idx3-ubyte")
            try put(Self.images, "\(folder)/train-images.idx3-ubyte")
            let images = try ImageSet(idxAt: folder)
            #expect(images.count == 2 && images.labels == nil)
        }
    }

    /// Values that were never scaled to bytes.
    @Test func picturesThatAreNearlyBlackAreTold() throws {
        Said.listen()
        try withTemporaryFolder { folder in
            try put(Self.images, "\(folder)/bright")
            var dark = Self.images
            dark.replaceSubrange(16..., with: [0, 3, 16, 9])
            try put(dark, "\(folder)/dark")
            for _ in 0..<2 {
                _ = try ImageSet(idxAt: "\(folder)/bright")
                _ = try ImageSet(idxAt: "\(folder)/dark")
            }
            let said = Said.lines(with: folder)
            #expect(said.count == 1 && said[0].contains("warning: \(folder)/dark"), "\(said)")
            #expect(said[0].contains("the largest value is 16 of 255"))
        }
    }

    @Test func trainingPicturesComeFirst() throws {
        try withTemporaryFolder { folder in
            try put(Self.images, "\(folder)/train-images-idx3-ubyte")
            try put([], "\(folder)/t10k-images-idx3-ubyte")
            #expect(try ImageSet(idxAt: folder).count == 2)
        }
    }

    @Test func readsColors() throws {
        try withTemporaryFolder { folder in
            try put([0, 0, 8, 4] + [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 255, 0, 51], "\(folder)/colors")
            #expect(
                try ImageSet(idxAt: "\(folder)/colors")
                    == ImageSet(count: 1, height: 1, width: 1, channels: 3, pixels: [1, 0, 0.2]))
        }
    }

    @Test func refusesWhatIsNotOnePicturesFile() throws {
        try withTemporaryFolder { folder in
            let empty = dataError { _ = try ImageSet(idxAt: folder) }
            #expect(empty?.kind == .missingInput)
            #expect(empty?.description.contains("train-images-idx3-ubyte") == true)

            try put([0x1f, 0x8b], "\(folder)/train-images-idx3-ubyte.gz")
            let compressed = dataError { _ = try ImageSet(idxAt: folder) }
            #expect(compressed?.description.contains("gunzip \(folder)/train-images-idx3-ubyte.gz") == true)

            try put(Self.images, "\(folder)/a-images-idx3-ubyte")
            try put(Self.images, "\(folder)/b-images-idx3-ubyte")
            let two = dataError { _ = try ImageSet(idxAt: folder) }
            #expect(two?.description.contains("a-images-idx3-ubyte, b-images-idx3-ubyte") == true)

            try put(Self.labels, "\(folder)/labels")
            #expect(dataError { _ = try ImageSet(idxAt: "\(folder)/labels") }?.kind == .badInput)

            try put([0, 0, 8, 1, 0, 0, 0, 1, 7], "\(folder)/a-labels-idx1-ubyte")
            let short = dataError { _ = try ImageSet(idxAt: "\(folder)/a-images-idx3-ubyte") }
            #expect(short?.description.contains("expected 2 labels") == true)
        }
    }
}
