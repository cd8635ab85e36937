import Testing

@testable import KantoData

@Suite struct BatchReaderTests {
    private struct Failing: Dataset {
        let count = 10
        let sampleShape = [1]
        var valueRange: ValueRange? { nil }
        func read(_ indexes: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
            if indexes.first == 3 { throw DataError(.badInput, "the third is broken") }
            for (place, index) in indexes.enumerated() { buffer[place] = Float(index) }
        }
        var units: SampleUnits { SampleUnits() }
    }

    private func next(_ reader: BatchReader, _ count: Int) throws -> ([Int], [Float]) {
        var values = [Float](repeating: -1, count: count)
        let indexes = try values.withUnsafeMutableBufferPointer { try reader.next(into: $0) }
        return (indexes, values)
    }

    @Test(arguments: [1, 2, 5]) func givesTheBatchesInTheirOrder(depth: Int) throws {
        let data = try open("grid25")
        let reader = BatchReader(data, startingAt: 7, depth: depth) { number in [number, number * 2, number * 3] }
        for number in 7..<60 {
            let (indexes, values) = try next(reader, 6)
            #expect(indexes == [number, number * 2, number * 3])
            #expect(try values == data.samples(indexes))
        }
    }

    @Test func anErrorComesAtItsPlace() throws {
        let reader = BatchReader(Failing()) { [$0, $0] }
        for number in 0..<6 {
            if number == 3 {
                #expect(dataError { _ = try next(reader, 2) }?.description == "the third is broken")
            } else {
                #expect(try next(reader, 2) == ([number, number], [Float(number), Float(number)]))
            }
        }
    }

    @Test func endsWithoutBeingAsked() {
        for _ in 0..<100 { _ = BatchReader(Failing(), depth: 1) { [$0 % 3] } }
    }
}
