import Testing

@testable import KantoData

@Suite struct CIFARTests {
    /// A picture whose channels are constant, but for the first red pixel.
    static func record(_ labels: [UInt8], _ colors: [UInt8]) -> [UInt8] {
        var pixels = colors.flatMap { [UInt8](repeating: $0, count: 1024) }
        pixels[0] = 255
        return labels + pixels
    }

    @Test func readsAFolderAsPublished() throws {
        try withTemporaryFolder { folder in
            let inner = "\(folder)/cifar-10-batches-bin"
            try createDirectories(inner)
            try put(Self.record([3], [0, 51, 102]), "\(inner)/data_batch_1.bin")
            try put(Self.record([9], [51, 0, 0]) + Self.record([0], [102, 0, 0]), "\(inner)/data_batch_2.bin")
            try put(Self.record([1], [1, 1, 1]), "\(inner)/test_batch.bin")
            try put((0..<10).map { "class \($0)\n" }.joined() + "\n", "\(inner)/batches.meta.txt")
            let data = try open(folder)
            #expect(data.count == 3 && data.sampleShape == [32, 32, 3] && data.labels == [3, 9, 0])
            #expect(data.classNames?[3] == "class 3")
            #expect(try data.samples([0]).prefix(6) == [1, 0.2, 0.4, 0, 0.2, 0.4])
            #expect(try data.samples([2, 1]).suffix(3) == [0.2, 0, 0])
        }
    }

    @Test func readsTheHundredByTheirFineLabels() throws {
        try withTemporaryFolder { folder in
            try put(Self.record([19, 99], [0, 0, 255]) + Self.record([0, 5], [0, 0, 0]), "\(folder)/train.bin")
            #expect(try open("\(folder)/train.bin").labels == [99, 5])
            #expect(try open(folder).labels == [99, 5])
        }
    }

    @Test func refusesOtherSizesAndLabels() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/data_batch_1.bin"
            let whole = Self.record([3], [1, 2, 3])
            try put(whole + whole.dropLast(), path)
            let cut = dataError { _ = try open(folder) }
            #expect(
                cut?.description
                    == "\(path): byte 3073: expected records of 3073 bytes, as cifar10 has them; found 3072 bytes after 1 records"
            )
            try put(whole + Self.record([10], [0, 0, 0]), path)
            let label = dataError { _ = try open(folder) }
            #expect(label?.description == "\(path): byte 3073: expected a class from 0 to 9, as cifar10 has them; found 10")
            try put([], path)
            #expect(dataError { _ = try open(folder) }?.kind == .badInput)
            #expect(dataError { _ = try open(path) { $0.format = "cifar100" } }?.kind == .badInput)
        }
    }
}
