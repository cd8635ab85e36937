import Testing

@testable import KantoData

@Suite struct CSVDatasetTests {
    private func read(_ text: String, _ change: (inout DataDescription) -> Void = { _ in }) throws -> any Dataset {
        var data: (any Dataset)?
        try withTemporaryFolder { folder in
            try put(text, "\(folder)/a.csv")
            data = try open("\(folder)/a.csv", Datasets.Options(), change)
        }
        return data!
    }

    @Test(arguments: [
        "x,y\n1,10\n3,30\n", "\u{FEFF}x;y\r\n1;10\r\n\r\n3;30", "x\ty\n1\t10\n3\t30\n", " x  y \n 1  10\n3 30\n",
        "\"x\",\"y\"\n\"1\",1e1\n 3 , +30.0\n",
    ])
    func readsAnySeparator(text: String) throws {
        let data = try read(text)
        #expect(data.count == 2 && data.sampleShape == [2] && data.featureNames == ["x", "y"] && data.notes == [])
        #expect(try data.all() == [-1, -1, 1, 1])
        #expect(data.restored([-1, 0, 1, 1]) == [1, 20, 3, 30])
    }

    @Test func readsWithoutAHeader() throws {
        let data = try read("1,2\n3,4\n")
        #expect(data.count == 2 && data.featureNames == nil && data.notes.count == 1)
        let ranged = try read("1,2\n3,4\n") { $0.range = ValueRange(0, 4) }
        #expect(try ranged.all() == [0.25, 0.5, 0.75, 1] && ranged.restored([0.25]) == [1])
    }

    @Test func aColumnMayBeTheClass() throws {
        let data = try read("size,\"kind, or \"\"sort\"\"\",weight\n1,b,5\n2,a,6\n3,b,9\n") { $0.labels = "kind, or \"sort\"" }
        #expect(data.labels == [1, 0, 1] && data.classNames == ["a", "b"] && data.featureNames == ["size", "weight"])
        #expect(try read("c,x\n4,1\n2,2\n") { $0.labels = "c" }.labels == [4, 2])
        let error = dataError { _ = try read("c,x\n4,1\n2,2\n") { $0.labels = "kind" } }
        #expect(error?.kind == .missingInput && error?.description.contains("kind: is neither a column of") == true)
    }

    @Test(arguments: [
        ("x,y\n1,2\n3,four\n", "line 3, column 'y': expected a number, found 'four'"),
        ("x,y\n1,2\n3,NaN\n", "line 3, column 'y': expected a finite number, found 'NaN'"),
        ("x,y\n1,\n", "line 2, column 'y': expected a number, found nothing"),
        ("x,y\n1,2,3\n", "line 2: expected 2 columns, found 3"),
        ("1,2\n3,0x1p3\n", "line 2, column 2: expected a number, found '0x1p3'"),
        ("x,y\n1,\"2\n", "line 2: a quote is not closed"),
        ("x,y\n1,1e999\n", "expected a finite number, found '1e999'"), ("x,1\n\n", "expected rows of numbers after the header"),
    ])
    func refuses(text: String, reason: String) {
        let error = dataError { _ = try read(text) }
        #expect(error?.kind == .badInput && error?.description.contains("/a.csv: ") == true)
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func refusesWhatTakesTooMuchMemory() throws {
        try withTemporaryFolder { folder in
            try put("x\n" + String(repeating: "1\n2\n", count: 100), "\(folder)/a.csv")
            var options = Datasets.Options()
            options.memoryLimit = 1000
            #expect(
                dataError { _ = try open("\(folder)/a.csv", options) }?.description.contains("save them as an .npy file") == true)
        }
    }

    /// Lines end where they end, however the file is cut into blocks.
    @Test func readsLongFiles() throws {
        let rows = 40_000
        let data = try read("first,second\n" + (0..<rows).map { "\($0),\($0 * 3).25000000000\n" }.joined())
        #expect(data.count == rows)
        #expect(
            isClose(
                data.restored(try data.samples([0, 39_999, 31_415])), [0, 0.25, 39_999, 119_997.25, 31_415, 94_245.25], 0.02))
    }

    @Test func picturesAreNotMadeOfColumns() {
        #expect(
            dataError { _ = try read("x,y\n1,2\n2,3\n") { $0.size = PictureSize(height: 5, width: 5) } }?.description.contains(
                "data.size") == true)
    }
}
