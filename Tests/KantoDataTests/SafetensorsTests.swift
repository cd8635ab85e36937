import TestSupport
import Testing

@testable import KantoData

/// A file of a header in words and some data.
private func safetensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
    littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

@Suite struct SafetensorsTests {
    /// As Hugging Face's writer makes it: F64 with metadata, names sorted, no spaces but at the end.
    static let golden = safetensors(
        #"{"__metadata__":{"lambda":"10.0","layers":"[[\"dense\", 2, 1], [\"relu\"]]"},"#
            + #""bias":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"#
            + #""weight":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},"#
            + #""zero":{"dtype":"I64","shape":[0,3],"data_offsets":[16,16]}}    "#,
        data: littleEndian((0.1).bitPattern) + littleEndian(Float(1.5).bitPattern) + littleEndian(Float(-2).bitPattern))

    /// Any bit that flips behind the header is told; a file without a digest is taken as it is.
    @Test func aDigestTellsOfEachBit() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/digest.safetensors"
        let arrays = ["a": try NumericArray(shape: [3], [1, 2, 3]), "b": try NumericArray(shape: [5], [1, 2, 3, 4, 5] as [UInt8])]
        try SafetensorsFile.write(arrays, metadata: ["key": "value"], hasDigest: true, to: path)
        let bytes = try readFile(path)
        let file = try SafetensorsFile(bytes: bytes, name: "file")
        try file.checkDigest()
        #expect(file.metadata["digest"]?.count == 16)
        #expect(try SafetensorsFile.metadata(ofFile: path) == file.metadata)
        for bit in 0..<8 * (4 * 3 + 5) {
            var changed = bytes
            changed[bytes.count - 1 - bit / 8] ^= 1 << (bit % 8)
            #expect(throws: DataError.self) { try SafetensorsFile(bytes: changed, name: "file").checkDigest() }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains(#""key":"value""#))
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "v")))
        var changed = bytes
        changed[place] = UInt8(ascii: "w")
        #expect(throws: DataError.self) { try SafetensorsFile(bytes: changed, name: "file").checkDigest() }
        try SafetensorsFile.write(arrays, to: path)
        try SafetensorsFile(contentsOf: path).checkDigest()
    }

    @Test func readsAGolden() throws {
        let file = try SafetensorsFile(bytes: Self.golden, name: "golden")
        #expect(file.metadata == ["lambda": "10.0", "layers": #"[["dense", 2, 1], ["relu"]]"#])
        #expect(file.names == ["bias", "weight", "zero"])
        #expect(try file.entry("bias").dtype == .float64)
        #expect(try file.entry("weight").shape == [2, 1])
        #expect(try file.doubles("bias") == [0.1])
        #expect(try file.floats("bias") == [0.1])
        #expect(try file.doubles("weight") == [1.5, -2])
        #expect(try file.floats("weight") == [1.5, -2])
        #expect(try file.entry("zero").dtype == .int64)
        let unread = dataError { _ = try file.floats("zero") }
        #expect(unread?.description.contains("zero is of type I64; only F32, F64 and U8 can be read") == true)
        let unknown = dataError { _ = try file.floats("weights") }
        #expect(unknown?.description.contains("no array named weights; it holds bias, weight, zero") == true)
    }

    @Test(arguments: golden.indices) func refusesTruncation(length: Int) {
        #expect(
            dataError { _ = try SafetensorsFile(bytes: Array(Self.golden[..<length]), name: "cut") }?.kind == .badInput)
    }

    @Test func readsAnEmptyFile() throws {
        let file = try SafetensorsFile(bytes: safetensors("{}"), name: "empty")
        #expect(file.names.isEmpty && file.metadata.isEmpty)
        #expect(dataError { _ = try file.entry("a") }?.description.contains("it is empty") == true)
    }

    /// As the format's own reader does.
    @Test func metadataMayBeNull() throws {
        let header = #"{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let file = try SafetensorsFile(bytes: safetensors(header, data: littleEndian(Float(2).bitPattern)), name: "file")
        #expect(file.metadata.isEmpty)
        #expect(try file.floats("a") == [2])
    }

    /// It makes that array unreadable, not the file.
    @Test(arguments: ["F4", "F6_E2M3", "Q17"]) func anUnknownTypeIsAMatterOfItsArray(type: String) throws {
        let header = #"{"odd":{"dtype":"\#(type)","shape":[3,5],"data_offsets":[0,7]},"w":{"dtype":"F32","shape":[1],"data_offsets":[7,11]}}"#
        let file = try SafetensorsFile(bytes: safetensors(header, data: [0, 0, 0, 0, 0, 0, 0] + littleEndian(Float(2).bitPattern)), name: "file")
        #expect(try file.floats("w") == [2])
        #expect(try file.entry("odd").typeName == type && file.entry("odd").shape == [3, 5])
        let error = dataError { _ = try file.array("odd") }
        #expect(error?.description.contains("odd is of type \(type); only F32, F64 and U8 can be read") == true)
        // Its bytes belong to it all the same.
        let gap = safetensors(header.replacing("[7,11]", with: "[8,12]"), data: [UInt8](repeating: 0, count: 12))
        #expect(dataError { _ = try SafetensorsFile(bytes: gap, name: "file") }?.description.contains("w leaves a gap") == true)
    }

    /// A decoder that tries one thing after the other took 12.5 s for a million.
    @Test func aHeaderOfManyArraysTakesTimeInProportion() throws {
        func file(_ count: Int) -> [UInt8] {
            let entries = (0..<count).map { #""a\#($0)":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"# }
            return safetensors("{" + entries.joined(separator: ",") + "}")
        }
        let clock = ContinuousClock()
        let (small, large) = (file(2000), file(40_000))
        let one = try (0..<3).map { _ in try clock.measure { _ = try SafetensorsFile(bytes: small, name: "file") } }.min()!
        let many = try clock.measure {
            let names = try SafetensorsFile(bytes: large, name: "file").names
            #expect(names.count == 40_000)
        }
        #expect(many < one * 200, "\(one) for 2,000 arrays, \(many) for 40,000")
    }

    static let arrays: [String: NumericArray] = [
        "a/odd \"name\"": try! NumericArray(shape: [3], [1, 2, 255] as [UInt8]),
        "b": try! NumericArray(shape: [1, 3], [1.5, -0.0, .infinity] as [Float]),
        "c": try! NumericArray(shape: [2], [0.1, .leastNonzeroMagnitude] as [Double]),
        "d": try! NumericArray(shape: [], [7] as [Float]),
        "e": try! NumericArray(shape: [0, 4], [] as [Double]),
        "ü": try! NumericArray(shape: [1], [9] as [Double]),
    ]

    @Test func writesWhatItReads() throws {
        try withTemporaryFolder { folder in
            let metadata = ["step": "12", "text": "a\"b\\c\nd/é"]
            try SafetensorsFile.write(Self.arrays, metadata: metadata, to: "\(folder)/a")
            let file = try SafetensorsFile(contentsOf: "\(folder)/a")
            #expect(file.metadata == metadata)
            #expect(file.names == Self.arrays.keys.sorted())
            for (name, array) in Self.arrays { #expect(try file.array(name) == array) }

            let reordered = Dictionary(uniqueKeysWithValues: Self.arrays.sorted { $0.key > $1.key })
            try SafetensorsFile.write(reordered, metadata: metadata, to: "\(folder)/b")
            #expect(try readFile("\(folder)/a") == readFile("\(folder)/b"))
        }
    }

    @Test func alignsArraysToTheirElements() throws {
        try withTemporaryFolder { folder in
            try SafetensorsFile.write(Self.arrays, to: "\(folder)/file")
            let file = try SafetensorsFile(contentsOf: "\(folder)/file")
            for name in file.names {
                let entry = try file.entry(name)
                let type = try #require(entry.dtype)
                #expect(entry.offset % type.size == 0, "\(name)")
            }
        }
    }

    @Test func writesTheseBytes() throws {
        try withTemporaryFolder { folder in
            try SafetensorsFile.write(
                ["w": try NumericArray(shape: [2], [1, 2] as [Float])], metadata: ["k": "v"], to: "\(folder)/file")
            let header = #"{"__metadata__":{"k":"v"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}"#
            let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
            let data = littleEndian(Float(1).bitPattern) + littleEndian(Float(2).bitPattern)
            #expect(try readFile("\(folder)/file") == safetensors(padded, data: data))
        }
    }

    private static func one(_ entry: String) -> String { #"{"a":{\#(entry)}}"# }
    private static let a = #""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#
    private static let four: [UInt8] = [1, 2, 3, 4]

    @Test(
        arguments: [
            // The header as a whole.
            (littleEndian(UInt64(100_000_001)) + four, "byte 0", "header length"),
            (littleEndian(UInt64.max) + four, "byte 0", "header length"),
            (littleEndian(UInt64(5)) + four, "byte 12", "a header of 5 bytes"),
            (safetensors(""), "byte 8", "empty header"),
            (safetensors("[]"), "byte 8", "starts with {"),
            (safetensors(" {}"), "byte 8", "starts with {"),
            (safetensors("{"), "byte 9", "expected a key in quotes; the text ends"),
            (safetensors("{} {}"), "byte 11", "expected the end of the text; found {"),
            (littleEndian(UInt64(6)) + Array("{\"".utf8) + [0xff] + Array("\":1".utf8), "byte 8", "UTF-8"),
            (safetensors(String(repeating: #"{"a":"#, count: 100_000)), "byte 18", "not as expected: a: there is an unknown key a"),
            (safetensors(#"{"a":{"shape":"# + String(repeating: "[", count: 100_000)), "byte 23", "a, shape: expected a list"),
            // Its fields.
            (safetensors(#"{"a":1}"#), "byte 13", "a: "),
            (safetensors(#"{"a":null}"#), "byte 13", "a"),
            (safetensors(#"{"__metadata__":{"k":1}}"#), "byte 29", "__metadata__, k"),
            (
                safetensors(one(#""dtype":"U8","shape":[4]"#), data: four), "byte 13",
                "a has no data_offsets"
            ),
            (
                safetensors(one(#""dtype":"U8","shape":[4.5],"data_offsets":[0,4]"#), data: four), "byte 36",
                "a, shape: expected a list"
            ),
            (
                safetensors(one(#""dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1"#), data: four), "byte 67",
                "unknown key more"
            ),
            // Keys that stand twice, also in other spellings.
            (safetensors("{\(a),\(a)}", data: four), "byte 65", "twice"),
            (safetensors("{\(a),\(a.replacing("\"a\"", with: #""\u0061""#))}", data: four), "byte 70", "twice"),
            (safetensors(#"{"__metadata__":{},"__metadata__":{}}"#), "byte 42", "twice"),
            (safetensors(#"{"__metadata__":{"k":"v","k":"w"}}"#), "byte 33", "twice"),
            (
                safetensors(one(#""dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]"#), data: four), "byte 27",
                "twice"
            ),
            // Shapes.
            (safetensors(one(#""dtype":"U8","shape":[-4],"data_offsets":[0,4]"#), data: four), "byte 13", "shape [-4]"),
            (
                safetensors(one(#""dtype":"U8","shape":[-2,-2],"data_offsets":[0,4]"#), data: four), "byte 13",
                "shape [-2, -2]"
            ),
            (
                safetensors(one(#""dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]"#)), "byte 13",
                "no array can have"
            ),
            (
                safetensors(one(#""dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]"#)), "byte 13",
                "no array can have"
            ),
            (
                safetensors(one(#""dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]"#), data: four),
                "byte 36",
                "a, shape: expected a list"
            ),
            (safetensors(one(#""shape":[4],"data_offsets":[0,4]"#), data: four), "byte 13", "a has no dtype"),
            // Offsets.
            (safetensors(one(#""dtype":"U8","shape":[4],"data_offsets":[0,5]"#), data: four), "byte 13", "from 0 to 4"),
            (safetensors(one(#""dtype":"U8","shape":[4],"data_offsets":[-4,0]"#), data: four), "byte 13", "from 0 to 4"),
            (safetensors(one(#""dtype":"U8","shape":[4],"data_offsets":[4,0]"#), data: four), "byte 13", "from 0 to 4"),
            (safetensors(one(#""dtype":"U8","shape":[4],"data_offsets":[4]"#), data: four), "byte 13", "from 0 to 4"),
            (
                safetensors(one(#""dtype":"U8","shape":[4],"data_offsets":[0,4,4]"#), data: four), "byte 13",
                "from 0 to 4"
            ),
            (safetensors(one(#""dtype":"U8","shape":[3],"data_offsets":[0,4]"#), data: four), "byte 61", "expected 3"),
            (
                safetensors(one(#""dtype":"F32","shape":[4],"data_offsets":[0,4]"#), data: four), "byte 62",
                "expected 16"
            ),
            (safetensors("{\(a)}", data: four + [5]), "byte 65", "1 bytes belong to no array"),
            (safetensors("{}", data: four), "byte 10", "4 bytes belong to no array"),
            (
                safetensors(one(#""dtype":"U8","shape":[3],"data_offsets":[1,4]"#), data: four), "byte 62",
                "leaves a gap"
            ),
            (
                safetensors("{\(a),\(a.replacing("\"a\"", with: "\"b\""))}", data: four), "byte 113",
                "b overlaps"
            ),
        ] as [([UInt8], String, String)])
    func refuses(bytes: [UInt8], place: String, reason: String) {
        let error = dataError { _ = try SafetensorsFile(bytes: bytes, name: "file") }
        #expect(error?.kind == .badInput)
        #expect(error?.description.hasPrefix("file: \(place): ") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func saysWhenItCannotWrite() throws {
        try withTemporaryFolder { folder in
            #expect(dataError { try SafetensorsFile.write([:], to: "\(folder)/none/file") }?.kind == .cannotWrite)
        }
    }
}
