import Glibc
import Testing

@testable import KantoData

@Suite struct ImageFolderTests {
    /// A gray picture of one value.
    static func write(_ value: UInt8, _ path: String, width: Int = 4, height: Int = 4, channels: Int = 1) throws {
        try PNG.write(
            Picture(
                width: width, height: height, channels: channels,
                pixels: [UInt8](repeating: value, count: width * height * channels)), to: path)
    }

    @Test func foldersAreClasses() throws {
        try withTemporaryFolder { folder in
            for (name, value) in [("dog/b.PNG", 102), ("dog/deep/a.png", 153), ("cat/x.png", 0), ("Ärger ü\n/1.Png", 255)]
                as [(String, UInt8)]
            {
                try createDirectories("\(folder)/\(parentFolder(of: name))")
                try Self.write(value, "\(folder)/\(name)")
            }
            try Self.write(9, "\(folder)/preview.png")
            try put("x", "\(folder)/dog/readme.txt")
            try put("x", "\(folder)/.hidden.png")
            let data = try open(folder)
            #expect(data.count == 4 && data.sampleShape == [4, 4, 1])
            #expect(data.classNames.map(Set.init) == ["cat", "dog", "Ärger ü\n"])
            let names = try #require(data.classNames)
            let labels = try #require(data.labels)
            #expect(labels.map { names[$0] } == names.flatMap { $0 == "dog" ? ["dog", "dog"] : [$0] })
            let values = try data.all()
            let first = (0..<4).map { values[$0 * 16] }
            let expected = names.flatMap { ["cat": [0], "dog": [0.4, 0.6]][$0] ?? [1] as [Float] }
            #expect(isClose(first, expected))
            #expect(
                data.notes.contains { $0.contains("1 pictures beside the folders of classes") }
                    && data.notes.contains { $0.contains("1 files are no pictures") })
        }
    }

    @Test(.enabled(if: JPEG.isAvailable)) func formatsAreToldByContent() throws {
        try withTemporaryFolder { folder in
            try put(fixture("color.jpg"), "\(folder)/a.png")
            try put(fixture("gray.jpg"), "\(folder)/b.JPeG")
            try Self.write(51, "\(folder)/c.jpg", width: 8, height: 6)
            let data = try open(folder)
            #expect(data.sampleShape == [6, 8, 3] && data.labels == nil)
            let values = try data.samples([2, 0])
            #expect(isClose(Array(values[..<3]), [0.2, 0.2, 0.2]))
            #expect(values[144..<147].map { $0 * 255 } == [20, 40, 201])
            let gray = try open(folder) {
                ($0.channels, $0.size, $0.scaledTo) = (1, PictureSize(height: 3, width: 4), ValueRange(-1, 1))
            }
            #expect(gray.sampleShape == [3, 4, 1] && gray.valueRange == ValueRange(-1, 1))
            #expect(try gray.all().allSatisfy { -1...1 ~= $0 })
        }
    }

    @Test func otherSizesAreNamed() throws {
        try withTemporaryFolder { folder in
            try Self.write(1, "\(folder)/10.png")
            for number in 11..<40 { try put(readFile("\(folder)/10.png"), "\(folder)/\(number).png") }
            try Self.write(1, "\(folder)/27.png", width: 5)
            let error = dataError { _ = try open(folder) }
            #expect(
                error?.description
                    == "\(folder)/27.png: is 5 wide and 4 high; expected 4 and 4, as 10.png is; data.size makes all pictures of one size"
            )
            #expect(try open(folder) { $0.size = PictureSize(height: 2, width: 2) }.all().count == 120)
        }
    }

    @Test func aBrokenFileIsNamedCountedAndLeftOut() throws {
        try withTemporaryFolder { folder in
            // Syncing each to the disk takes long.
            let pictures = try (0..<8).map { value in
                try Self.write(UInt8(value * 30), "\(folder)/picture")
                return try readFile("\(folder)/picture")
            }
            for number in 100..<400 { try put(pictures[number % 8], "\(folder)/\(number).png") }
            unlink("\(folder)/picture")
            // Its header is whole.
            let whole = try readFile("\(folder)/150.png")
            try put(Array(whole[..<(whole.count - 20)]), "\(folder)/150.png")
            var options = Datasets.Options()
            var results: [[Float]] = []
            for threads in [1, 2, 7] {
                options.threadCount = threads
                let data = try open(folder, options)
                #expect(data.count == 300)
                results.append(try data.all())
                // The next one stands in.
                #expect(try data.samples([50]) == data.samples([51]))
                #expect(
                    data.notes.count == 1
                        && data.notes[0].contains("1 of 300 files are broken and left out; the first: \(folder)/150.png"))
            }
            #expect(results[0] == results[1] && results[0] == results[2])
            // Three in 300 are one in a hundred, four are more.
            for name in ["200", "201"] { try put("no picture", "\(folder)/\(name).png") }
            #expect(try open(folder).all().count == 300 * 16)
            try put([], "\(folder)/399.png")
            let error = dataError { _ = try open(folder) { $0.size = PictureSize(height: 4, width: 4) }.all() }
            #expect(error?.description.contains("4 of 300 files in \(folder) are broken, more than one in a hundred") == true)
        }
    }

    @Test(.enabled(if: JPEG.isAvailable)) func aBrokenJPEGAmongManyIsLeftOut() throws {
        try withTemporaryFolder { folder in
            let whole = try fixture("color.jpg")
            for number in 100..<400 { try put(number == 333 ? Array(whole.dropLast(12)) : whole, "\(folder)/\(number).jpg") }
            let data = try open(folder)
            let values = try data.all()
            #expect((0..<300).allSatisfy { values[$0 * 144..<($0 + 1) * 144] == values[..<144] })
            #expect(data.notes.count == 1 && data.notes[0].contains("333.jpg: is a damaged JPEG file"))
        }
    }

    @Test func aRangeIsNeverGuessedInSilence() throws {
        try withTemporaryFolder { folder in
            try Self.write(16, "\(folder)/a.png")
            let notes = try open(folder).notes
            #expect(notes.count == 1 && notes[0].contains("set data.range to [0, 16]"))
            let data = try open(folder) { $0.range = ValueRange(0, 16) }
            #expect(try data.notes == [] && data.all() == [Float](repeating: 1, count: 16))
            // One in one is more than one in a hundred.
            let error = dataError { _ = try open(folder) { $0.range = ValueRange(0, 8) }.all() }
            #expect(error?.description.contains("holds 16, which is not in 0...8") == true)
        }
    }

    @Test func labelsOfAFile() throws {
        try withTemporaryFolder { folder in
            try createDirectories("\(folder)/p")
            for name in ["a", "b", "c"] { try Self.write(1, "\(folder)/p/\(name).png") }
            try put("1\n0\n1\n", "\(folder)/labels.txt")
            #expect(try open("\(folder)/p") { $0.labels = "\(folder)/labels.txt" }.labels == [1, 0, 1])
        }
    }

    /// A link that leads back to its own folder.
    @Test func linksInACircleEnd() throws {
        try withTemporaryFolder { folder in
            try createDirectories("\(folder)/a")
            try Self.write(1, "\(folder)/a/x.png")
            #expect(symlink(folder, "\(folder)/a/back") == 0)
            #expect(try open(folder).count > 0)
            unlink("\(folder)/a/back")
        }
    }
}
