import Testing

@testable import KantoData

@Suite struct IDXTests {
    static let small: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]

    static func header(_ bytes: [UInt8], name: String) throws -> IDXHeader {
        try IDXHeader(bytes, fileSize: bytes.count, name: name)
    }

    @Test func readsSizes() throws {
        let header = try Self.header(Self.small, name: "small")
        #expect(header.shape == [2, 3] && header.start == 12)
    }

    @Test func readsASizeZero() throws {
        #expect(try Self.header([0, 0, 8, 1, 0, 0, 0, 0], name: "none").shape == [0])
    }

    @Test(arguments: small.indices) func refusesTruncation(length: Int) {
        let error = dataError { _ = try Self.header(Array(Self.small[..<length]), name: "cut") }
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
        let error = dataError { _ = try Self.header(bytes, name: "file") }
        #expect(error?.kind == .badInput)
        #expect(error?.description.contains("file: \(place): ") == true)
        #expect(error?.description.contains(reason) == true)
    }

    @Test func refusesWhatIsNoFile() throws {
        try withTemporaryFolder { folder in
            let missing = dataError { _ = try readFile("\(folder)/missing") }
            #expect(missing?.kind == .missingInput)
            #expect(missing?.description.contains("\(folder)/missing: cannot be opened: No such file") == true)
            let isFolder = dataError { _ = try readFile(folder) }
            #expect(isFolder?.kind == .missingInput)
            #expect(isFolder?.description.contains("is a folder") == true)
            let device = dataError { _ = try readFile("/dev/zero") }
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
    @Test func rowsAreNoPictures() throws {
        let error = dataError { _ = try ImageSet(Datasets.open(DataDescription(path: "ring8"))) }
        #expect(error?.description == "samples of shape [2], expected pictures: [height, width, channels]")
    }
}
