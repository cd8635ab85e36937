import Testing

@testable import KantoData

@Suite struct IDXDatasetTests {
    static let images = idxFile([2, 1, 2], [0, 51, 102, 255])
    static let labels = idxFile([2], [7, 9])

    @Test(arguments: [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("train-images-idx3-ubyte", "train-labels.idx1-ubyte"),
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
    ])
    func readsAFolderAsPublished(images: String, labels: String) throws {
        try withTemporaryFolder { folder in
            try put(Self.images, "\(folder)/\(images)")
            #expect(try open(folder).labels == nil)
            try put(Self.labels, "\(folder)/\(labels)")
            for path in [folder, "\(folder)/\(images)"] {
                let data = try open(path)
                #expect(data.count == 2 && data.sampleShape == [1, 2, 1] && data.labels == [7, 9])
                #expect(try data.all() == [0, 0.2, 0.4, 1])
                #expect(data.valueRange == ValueRange(0, 1) && data.notes.isEmpty == !images.hasPrefix("emnist"))
            }
        }
    }

    /// Some archives unpack into folders of the files' own names.
    @Test func readsAFolderOfEachFile() throws {
        try withTemporaryFolder { folder in
            try createDirectories("\(folder)/mnist/train-images.idx3-ubyte")
            try createDirectories("\(folder)/mnist/train-labels.idx1-ubyte")
            try put(Self.images, "\(folder)/mnist/train-images.idx3-ubyte/train-images-idx3-ubyte")
            try put(Self.labels, "\(folder)/mnist/train-labels.idx1-ubyte/train-labels-idx1-ubyte")
            let data = try open(folder)
            #expect(try data.count == 2 && data.labels == [7, 9] && data.all() == [0, 0.2, 0.4, 1])
        }
    }

    @Test(.enabled(if: Deflate.isAvailable)) func readsCompressedFiles() throws {
        try withTemporaryFolder { folder in
            try put(gzipFile(Self.images), "\(folder)/train-images-idx3-ubyte.gz")
            try put(gzipFile(Self.labels), "\(folder)/train-labels-idx1-ubyte.gz")
            try put(gzipFile(idxFile([1, 1, 2], [9, 9])), "\(folder)/t10k-images-idx3-ubyte.gz")
            let data = try open(folder)
            #expect(try data.labels == [7, 9] && data.all() == [0, 0.2, 0.4, 1])
            #expect(try open("\(folder)/t10k-images-idx3-ubyte.gz").count == 1)
        }
    }

    @Test(.enabled(if: Deflate.isAvailable)) func refusesDamagedCompression() throws {
        try withTemporaryFolder { folder in
            let whole = gzipFile(Self.images)
            let path = "\(folder)/a.gz"
            for length in 2..<whole.count {
                try put(Array(whole[..<length]), path)
                #expect(dataError { _ = try open(path) }?.kind == .badInput, "\(length)")
            }
            var damaged = whole
            damaged[whole.count - 12] ^= 1
            try put(damaged, path)
            #expect(dataError { _ = try open(path) }?.description.contains("damaged: incorrect data check") == true)
            // A second member goes on where the first one ends.
            try put(gzipFile(Array(Self.images[..<9])) + gzipFile(Array(Self.images[9...])), path)
            #expect(try open(path).all() == [0, 0.2, 0.4, 1])
            // A megabyte of zeros in a thousand bytes.
            try put(fixture("zeros.gz"), path)
            var options = Datasets.Options()
            options.memoryLimit = 1 << 16
            #expect(dataError { _ = try open(path, options) }?.description.contains("more than 65536 bytes of memory") == true)
        }
    }

    @Test func readsEveryTypeOfNumber() throws {
        let cases: [(UInt8, [UInt8])] = [
            (9, [0xFE, 2]), (0x0b, bigEndian(Int16(-300)) + bigEndian(Int16(300))),
            (0x0c, bigEndian(Int32(-70_000)) + bigEndian(Int32(70_000))),
            (0x0d, bigEndian(Float(-0.5).bitPattern) + bigEndian(Float(0.5).bitPattern)),
            (0x0e, bigEndian(Double(-0.5).bitPattern) + bigEndian(Double(0.5).bitPattern)),
        ]
        try withTemporaryFolder { folder in
            for (type, bytes) in cases {
                try put(idxFile([1, 1, 2], bytes, type: type), "\(folder)/a")
                let data = try open("\(folder)/a")
                #expect(try data.all() == [0, 1])
                #expect(data.notes.count == 1 && data.notes[0].contains("as read from the data"))
            }
        }
    }

    @Test func aRangeIsNeverGuessedInSilence() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a"
            try put(idxFile([1, 1, 2], [0, 16]), path)
            let notes = try open(path).notes
            #expect(notes.count == 1 && notes[0].contains("the largest is 16") && notes[0].contains("set data.range to [0, 16]"))
            let data = try open(path) { $0.range = ValueRange(0, 16) }
            #expect(try data.all() == [0, 1] && data.notes == [])
            #expect(data.restored([0, 0.5, 1]) == [0, 8, 16])
            let signed = try open(path) { ($0.range, $0.scaledTo) = (ValueRange(0, 16), ValueRange(-1, 1)) }
            #expect(try signed.all() == [-1, 1])
            #expect(signed.restored([-1, 0, 1]) == [0, 8, 16] && signed.valueRange == ValueRange(-1, 1))
            let outside = dataError { _ = try open(path) { $0.range = ValueRange(0, 8) } }
            #expect(
                outside?.description
                    == "\(path): byte 16: sample 0: holds 16, which is not in 0...8, the range that data.range declares")
        }
    }

    /// Training used to divide by 255.
    @Test func bytesAreDividedBy255() throws {
        try withTemporaryFolder { folder in
            try put(idxFile([1, 16, 16], Array(0...255)), "\(folder)/a")
            #expect(try open("\(folder)/a").all() == (0...255).map { Float($0) / 255 })
        }
        let digits = try open("digits")
        let images = try ImageSet.digits()
        #expect(try digits.all() == images.pixels)
        #expect(digits.labels == images.labels)
    }

    @Test func refusesWhatDoesNotBelongTogether() throws {
        try withTemporaryFolder { folder in
            let images = "\(folder)/train-images-idx3-ubyte"
            let labels = "\(folder)/train-labels-idx1-ubyte"
            try put(Self.images, images)
            try put(idxFile([3], [1, 2, 3]), labels)
            #expect(
                dataError { _ = try open(folder) }?.description.contains(
                    "\(labels): byte 4: expected 2 labels, one a sample; found sizes [3]") == true)
            try put([], labels)
            #expect(dataError { _ = try open(folder) }?.kind == .badInput)
            // A file that is named is not looked for.
            try put("cat\ndog\n", "\(folder)/names")
            let data = try open(folder) { $0.labels = "\(folder)/names" }
            #expect(data.labels == [0, 1] && data.classNames == ["cat", "dog"])
            try put("cat\ndog\ncow\n", "\(folder)/names")
            #expect(
                dataError { _ = try open(folder) { $0.labels = "\(folder)/names" } }?.description.contains("expected 2 lines")
                    == true)
        }
    }

    @Test(
        arguments: [
            (Array(images[..<18]), "expected 20 bytes"), (idxFile([0, 1, 2], []), "none of them zero"),
            (idxFile([2], [1, 2]), "expected sizes"),
            (idxFile([1 << 31, 1 << 31, 1], []), "more than any file holds"),
            (idxFile([1 << 20, 1 << 10, 1 << 9], []), "expected 549755813904 bytes"),
            ([], "the file is empty"), ([0, 0, 8], "of no format that is read"),
        ] as [([UInt8], String)])
    func refuses(bytes: [UInt8], reason: String) throws {
        try withTemporaryFolder { folder in
            try put(bytes, "\(folder)/a")
            let error = dataError { _ = try open("\(folder)/a") }
            #expect(error?.kind == .badInput && error?.description.hasPrefix("\(folder)/a: byte ") == true)
            #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        }
    }

    @Test func refusesAFolderOfSeveral() throws {
        try withTemporaryFolder { folder in
            #expect(dataError { _ = try open(folder) }?.description.contains("found nothing") == true)
            try put(Self.images, "\(folder)/a-images-idx3-ubyte")
            try put(Self.images, "\(folder)/b-images-idx3-ubyte")
            #expect(dataError { _ = try open(folder) }?.description.contains("a-images-idx3-ubyte, b-images-idx3-ubyte") == true)
            #expect(dataError { _ = try open("\(folder)/nothing") }?.kind == .missingInput)
        }
    }

    /// What is larger than memory may hold is read from the file, sample by sample, to the same values.
    @Test func streams() throws {
        try withTemporaryFolder { folder in
            let values = (0..<1000).map { UInt8($0 % 256) }
            let path = "\(folder)/a"
            try put(idxFile([250, 2, 2], values), path)
            var options = Datasets.Options()
            options.memoryLimit = 100
            let data = try open(path, options)
            #expect(try data.all() == open(path).all())
            #expect(
                try data.samples([249, 0, 7]) == [996, 997, 998, 999, 0, 1, 2, 3, 28, 29, 30, 31].map { Float($0 % 256) / 255 })
            try put(idxFile([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), path)
            #expect(dataError { _ = try data.samples([249]) }?.description.contains("was it changed while being read?") == true)
        }
    }

    /// EMNIST is published with rows and columns exchanged.
    @Test func turnsPictures() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/emnist-letters-train-images-idx3-ubyte"
            try put(idxFile([1, 2, 3], [0, 51, 102, 153, 204, 255]), path)
            let plain = try open(path)
            #expect(plain.sampleShape == [2, 3, 1] && plain.notes.contains { $0.contains("set data.layout to whc") })
            let data = try open(path) { $0.layout = .widthHeightChannels }
            #expect(try data.sampleShape == [3, 2, 1] && data.notes == [] && data.all() == [0, 0.6, 0.2, 0.8, 0.4, 1])
        }
    }

    @Test func resizesAndColors() throws {
        try withTemporaryFolder { folder in
            try put(idxFile([1, 2, 4], [0, 100, 200, 0, 50, 150, 250, 0]), "\(folder)/a")
            // The middle of each row, 2x2, to one pixel of three equal channels.
            let data = try open("\(folder)/a") {
                ($0.size, $0.channels, $0.range) = (PictureSize(height: 1, width: 1), 3, ValueRange(0, 250))
            }
            #expect(data.sampleShape == [1, 1, 3])
            #expect(isClose(try data.all(), [0.7, 0.7, 0.7]))
        }
    }
}
