import KantoDescriptions
import KantoNN
import Testing

@testable import KantoData

@Suite struct DataDescriptionTests {
    @Test func readsAndWritesItsKeys() throws {
        var description = DataDescription(path: "faces")
        (description.size, description.channels, description.flip) = (PictureSize(height: 48, width: 64), 3, true)
        (description.range, description.scaledTo) = (ValueRange(0, 16), ValueRange(-1, 1))
        #expect(
            description.descriptionValue.json
                == #"{"channels": 3, "flip": true, "path": "faces", "range": [0, 16], "scaled_to": [-1, 1], "size": [48, 64]}"#)
        #expect(try DataDescription(description.descriptionValue) == description)
        #expect(try DataDescription(description.described(isWhole: true)) == description)
        // The path alone, and the words of a command line.
        #expect(try DataDescription(.text("faces")) == DataDescription(path: "faces"))
        var value = DescriptionValue.object(["path": .text("faces")])
        for (path, word) in [("size", "48,64"), ("channels", "3"), ("flip", "true"), ("range", "0,16"), ("scaled_to", "-1,1")] {
            try value.set(path, to: .word(word))
        }
        #expect(try DataDescription(value) == description)
        // As a file has them.
        for (path, word) in [("size", "[48, 64]"), ("range", "[0,16]"), ("scaled_to", "[-1, 1]")] { try value.set(path, to: .word(word)) }
        #expect(try DataDescription(value) == description)
        try value.set("range", to: .word("[0, 16"))
        #expect(throws: DescriptionError.self) { try DataDescription(value) }
        #expect(PictureSize(height: 8, width: 8).descriptionValue == .integer(8))
    }

    @Test(
        arguments: [
            (["sise": .integer(8)], "there is no key 'sise'"), (["size": .integer(0)], "size: expected a side of 1 to"),
            (["size": .list([.integer(1), .integer(2), .integer(3)])], "or [height, width]"),
            (["range": .list([.integer(1), .integer(1)])], "such as [0, 255]"),
            (["format": .text("bmp")], "npy, npz, idx"), (["layout": .text("wch")], "hwc"),
            (["channels": .integer(0)], "from 1 to 1024"),
        ] as [([String: DescriptionValue], String)])
    func refuses(members: [String: DescriptionValue], reason: String) {
        let error = #expect(throws: DescriptionError.self) { try DataDescription(.object(members)) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func formatsHaveNamesOfTheirOwn() {
        #expect(Set(Datasets.formats.map(\.name)).count == Datasets.formats.count)
        #expect(Datasets.formats.count == 11)
    }

    @Test func mirrorsPictures() throws {
        try withTemporaryFolder { folder in
            try put(npyFile("|u1", [1, 2, 3, 2], (0..<12).map { UInt8($0 * 5) }), "\(folder)/a.npy")
            let data = try open("\(folder)/a.npy") { $0.range = ValueRange(0, 55) }
            var sample = try data.all()
            sample.withUnsafeMutableBufferPointer { data.flipHorizontally($0) }
            #expect(isClose(sample.map { $0 * 11 }, [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7], 1e-5))
        }
    }
}
