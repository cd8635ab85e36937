import Testing

@testable import KantoData

@Suite struct NPYDatasetTests {
    /// 3 samples of 2x2, the numbers 0 to 11 in each type and order.
    private static func bytes<Value: BinaryFloatingPoint, Bits: FixedWidthInteger>(
        _: Value.Type, _ bits: (Value) -> Bits, _ isBig: Bool
    ) -> [UInt8] {
        (0..<12).flatMap { isBig ? bigEndian(bits(Value($0))) : littleEndian(bits(Value($0))) }
    }
    private static func bytes<Value: FixedWidthInteger>(_: Value.Type, _ isBig: Bool) -> [UInt8] {
        (0..<12).flatMap { isBig ? bigEndian(Value($0)) : littleEndian(Value($0)) }
    }
    static let types: [(String, [UInt8])] =
        [false, true].flatMap { isBig -> [(String, [UInt8])] in
            let order = isBig ? ">" : "<"
            return [
                (order + "f2", bytes(Float16.self, \.bitPattern, isBig)), (order + "f4", bytes(Float.self, \.bitPattern, isBig)),
                (order + "f8", bytes(Double.self, \.bitPattern, isBig)), (order + "i2", bytes(Int16.self, isBig)),
                (order + "u2", bytes(UInt16.self, isBig)), (order + "i4", bytes(Int32.self, isBig)),
                (order + "u4", bytes(UInt32.self, isBig)),
                (order + "i8", bytes(Int64.self, isBig)), (order + "u8", bytes(UInt64.self, isBig)),
            ]
        } + [("|i1", bytes(Int8.self, false)), ("|u1", bytes(UInt8.self, false))]

    @Test(arguments: types) func readsEveryType(type: String, bytes: [UInt8]) throws {
        try withTemporaryFolder { folder in
            try put(npyFile(type, [3, 2, 2], bytes), "\(folder)/a.npy")
            var options = Datasets.Options()
            for limit in [1 << 20, 10] {
                options.memoryLimit = limit
                let data = try open("\(folder)/a.npy", options) { $0.range = ValueRange(0, 11) }
                #expect(data.sampleShape == [2, 2, 1])
                #expect(isClose(data.restored(try data.all()), (0..<12).map(Float.init), 1e-5))
            }
        }
    }

    @Test func readsColumnMajorArrays() throws {
        try withTemporaryFolder { folder in
            // Element [i, j, k] = 100 i + 10 j + k of shape [2, 3, 2], the first index fastest.
            var columns: [UInt8] = []
            for k in 0..<2 { for j in 0..<3 { for i in 0..<2 { columns += littleEndian(UInt16(100 * i + 10 * j + k)) } } }
            try put(npyFile("<u2", [2, 3, 2], columns, isColumnMajor: true), "\(folder)/a.npy")
            let data = try open("\(folder)/a.npy") { $0.range = ValueRange(0, 200) }
            #expect(isClose(data.restored(try data.all()), [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121], 1e-4))
            var options = Datasets.Options()
            options.memoryLimit = 10
            #expect(dataError { _ = try open("\(folder)/a.npy", options) }?.description.contains("ascontiguousarray") == true)
        }
    }

    @Test func rowsAreStandardizedAndGivenBack() throws {
        try withTemporaryFolder { folder in
            let rows: [Double] = [1, 1e9, 5, 3, 1e9 + 2, 5]
            try put(npyFile("<f8", [2, 3], rows.flatMap { littleEndian($0.bitPattern) }), "\(folder)/a.npy")
            let data = try open("\(folder)/a.npy")
            #expect(data.sampleShape == [3] && data.valueRange == nil)
            #expect(try data.all() == [-1, -1, 0, 1, 1, 0])
            #expect(data.restored([-1, -1, 0, 2, 1, 1]) == [1, 1e9, 5, 4, 1e9 + 2, 6])
            #expect(
                data.notes.count == 1 && data.notes[0].contains("1 of 3 columns hold one value only, the first of them column 3"))
        }
    }

    @Test func ordersOfDimensions() throws {
        try withTemporaryFolder { folder in
            try put(npyFile("|u1", [1, 3, 1, 5], (0..<15).map { UInt8($0 * 17) }), "\(folder)/a.npy")
            let plain = try open("\(folder)/a.npy")
            #expect(plain.sampleShape == [3, 1, 5] && plain.notes.contains { $0.contains("set data.layout to chw") })
            let data = try open("\(folder)/a.npy") { $0.layout = .channelsHeightWidth }
            #expect(data.sampleShape == [1, 5, 3])
            #expect(isClose(try data.all(), [0, 5, 10, 1, 6, 11, 2, 7, 12, 3, 8, 13, 4, 9, 14].map { $0 / 15 }))
            let turned = try open("\(folder)/a.npy") { $0.layout = .widthHeightChannels }
            #expect(turned.sampleShape == [1, 3, 5])
            // A row of numbers is a picture if somebody says so.
            try put(npyFile("|u1", [2, 6], (0..<12).map { UInt8($0) }), "\(folder)/a.npy")
            let pictures = try open("\(folder)/a.npy") { $0.size = PictureSize(height: 2, width: 3) }
            #expect(pictures.sampleShape == [2, 3, 1])
        }
    }

    @Test(
        arguments: [
            (
                npyFile("<f4", [1, 2], littleEndian(Float.nan.bitPattern) + [0, 0, 0, 0]),
                "sample 0: holds a value that is not a finite number"
            ),
            (
                npyFile("<f8", [2, 1], [0, 0, 0, 0, 0, 0, 0, 0] + littleEndian(Double.infinity.bitPattern)),
                "sample 1: holds a value that is not a finite"
            ),
            (npyFile("<f4", [2, 1], [0, 0, 0, 0]), "expected "), (npyFile("<f4", [0, 2], []), "none of them zero"),
            (npyFile("<f4", [1 << 40, 1 << 40], []), "more than any file holds"),
            (npyFile("<f4", [1 << 30, 1 << 20], []), "expected "),
            (npyFile("<c8", [1, 1], [0, 0, 0, 0, 0, 0, 0, 0]), "found '<c8'"),
            (npyFile("|u1", [3], [1, 2, 3]), "expected an array of shape"),
            (npyFile("<f4", [2, 1, 1], [0, 0, 128, 63, 0, 0, 128, 63]), "all values are 1; data.range must say"),
            (
                npyFile(
                    "<f8", [1, 2, 1],
                    littleEndian((-Double.greatestFiniteMagnitude).bitPattern)
                        + littleEndian(Double.greatestFiniteMagnitude.bitPattern)),
                "data.range must say"
            ),
            (
                npyFile(
                    "<f8", [2, 1],
                    littleEndian((-Double.greatestFiniteMagnitude).bitPattern)
                        + littleEndian(Double.greatestFiniteMagnitude.bitPattern)),
                "too large"
            ),
        ] as [([UInt8], String)])
    func refuses(bytes: [UInt8], reason: String) throws {
        try withTemporaryFolder { folder in
            try put(bytes, "\(folder)/a.npy")
            let error = dataError { _ = try open("\(folder)/a.npy") }
            #expect(error?.kind == .badInput && error?.description.hasPrefix("\(folder)/a.npy: ") == true)
            #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        }
    }
}

@Suite struct NPZDatasetTests {
    static let images = npyFile("|u1", [2, 1, 2], [0, 51, 102, 255])
    static let labels = npyFile("<i8", [2], littleEndian(Int64(3)) + littleEndian(Int64(0)))

    @Test(arguments: [false, true]) func readsSamplesAndLabels(isDeflated: Bool) throws {
        guard !isDeflated || Deflate.isAvailable else { return }
        try withTemporaryFolder { folder in
            let archive = zipFile(
                ["x_test.npy": Self.images, "x_train.npy": Self.images, "y_train.npy": Self.labels], isDeflated: isDeflated)
            try put(archive, "\(folder)/a.npz")
            let data = try open("\(folder)/a.npz")
            #expect(try data.sampleShape == [1, 2, 1] && data.labels == [3, 0] && data.all() == [0, 0.2, 0.4, 1])
            #expect(try open("\(folder)/a.npz") { $0.array = "x_test" }.labels == nil)
            #expect(
                dataError { _ = try open("\(folder)/a.npz") { $0.array = "z" } }?.description.contains(
                    "found x_test, x_train, y_train") == true)
            for length in stride(from: 4, to: archive.count, by: 7) {
                try put(Array(archive[..<length]), "\(folder)/a.npz")
                #expect(dataError { _ = try open("\(folder)/a.npz") }?.kind == .badInput, "\(length)")
            }
        }
    }

    /// Written by numpy.savez_compressed.
    @Test(.enabled(if: Deflate.isAvailable)) func readsWhatNumPyWrites() throws {
        try withTemporaryFolder { folder in
            try put(fixture("deflated.npz"), "\(folder)/a.npz")
            let data = try open("\(folder)/a.npz") { $0.range = ValueRange(0, 230) }
            #expect(data.sampleShape == [2, 4, 1] && data.labels == [2, 0, 1])
            #expect(isClose(data.restored(try data.all()), (0..<24).map { Float($0 * 10) }, 1e-4))
        }
    }

    @Test func refusesWhatIsNotNamedOrDoesNotFit() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.npz"
            try put(zipFile(["a.npy": Self.images, "b.npy": Self.images]), path)
            #expect(dataError { _ = try open(path) }?.description.contains("holds the arrays a, b") == true)
            try put(zipFile(["x.npy": Self.images, "y.npy": npyFile("|u1", [3], [1, 2, 3])]), path)
            #expect(dataError { _ = try open(path) }?.description.contains("expected 2 labels") == true)
            try put(zipFile([:]), path)
            #expect(dataError { _ = try open(path) }?.kind == .badInput)
            // Sizes beyond the file, in the list at the end.
            var huge = zipFile(["x.npy": Self.images])
            let list = huge.count - 22 - 46 - 5
            huge.replaceSubrange(list + 20..<list + 28, with: [0xFE, 0xFF, 0xFF, 0x7F, 0xFE, 0xFF, 0xFF, 0x7F])
            try put(huge, path)
            #expect(dataError { _ = try open(path) }?.description.contains("would end after the file") == true)
        }
    }
}
