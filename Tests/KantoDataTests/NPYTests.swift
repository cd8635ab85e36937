import Testing

@testable import KantoData

private func npy(_ header: String, data: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
    let length = version == 1 ? littleEndian(UInt16(header.utf8.count)) : littleEndian(UInt32(header.utf8.count))
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(header.utf8) + data
}

private func numpyHeader(_ dictionary: String) -> String {
    dictionary + String(repeating: " ", count: 117 - dictionary.utf8.count) + "\n"
}

@Suite struct NPYTests {
    /// What `numpy.save` writes for `numpy.array([[1, 2, -0.5]], dtype="<f4")`.
    static let numpy = npy(
        numpyHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"),
        data: [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0, 0xbf])
    static let array = try! NumericArray(shape: [1, 3], [1, 2, -0.5] as [Float])

    @Test func readsWhatNumPyWrites() throws { #expect(try NPY.read(bytes: Self.numpy, name: "file") == Self.array) }

    @Test func writesWhatNumPyWrites() throws {
        try withTemporaryFolder { folder in
            try NPY.write(Self.array, to: "\(folder)/file")
            #expect(try readFile("\(folder)/file") == Self.numpy)
        }
    }

    @Test(arguments: [
        try! NumericArray(shape: [], [1.25] as [Float]), try! NumericArray(shape: [3], [0.1, -.infinity, -3] as [Double]),
        try! NumericArray(shape: [2, 1, 2], [0, 1, 254, 255] as [UInt8]), try! NumericArray(shape: [0, 7], [] as [Double]),
        try! NumericArray(shape: Array(repeating: 1, count: 30), [3] as [Float]),
    ])
    func roundTrips(array: NumericArray) throws {
        try withTemporaryFolder { folder in
            try NPY.write(array, to: "\(folder)/file")
            #expect(try NPY.read(contentsOf: "\(folder)/file") == array)
        }
    }

    @Test(arguments: [[3], [2, 2], [-1], [1 << 62, 4], [0]]) func aCountThatIsNotTheShapesIsRefused(shape: [Int]) {
        let error = #expect(throws: DataError.self) { try NumericArray(shape: shape, [1, 2] as [Float]) }
        #expect(error?.description.contains("2 values were given, expected one for each place") == true)
    }

    @Test func aLiteralIsFloat32() throws {
        #expect(try NumericArray(shape: [2], [1, 2]).values == .float32([1, 2]))
        #expect(try NumericArray(shape: [2], [1, 0.5]).values == .float32([1, 0.5]))
    }

    @Test func readsOtherSpellings() throws {
        let header = "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"|u1\"}"
        for version in [2, 3] as [UInt8] {
            let array = try NPY.read(bytes: npy(header, data: [5, 6], version: version), name: "file")
            #expect(try array == NumericArray(shape: [2], [5, 6] as [UInt8]))
        }
    }

    @Test(arguments: numpy.indices) func refusesTruncation(length: Int) {
        #expect(dataError { _ = try NPY.read(bytes: Array(Self.numpy[..<length]), name: "cut") }?.kind == .badInput)
    }

    @Test(arguments: [
        ("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "column-major"),
        ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "found '>f4'"),
        ("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "found '<i8'"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "found '|O'"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "structured"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "expected 75 bytes"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "found -"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "whole number"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "more than any file"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,), }", "more than any file"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': 1, }", "expected ("),
        ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "True or False"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "the end of the header"),
        ("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "twice"),
        ("{'descr': '<f4', 'fortran_order': False, 'more': (1,)}", "unknown key 'more'"),
        ("{'descr': '<f4', 'fortran_order': False}", "expected the keys"),
        ("{'descr': '<f4", "closing quote"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "whole number"),
        ("", "expected {"),
        ("x", "expected {; found x"),
    ])
    func refuses(header: String, reason: String) {
        let error = dataError { _ = try NPY.read(bytes: npy(header, data: [0, 0, 0, 0]), name: "file") }
        #expect(error?.kind == .badInput)
        #expect(error?.description.hasPrefix("file: byte ") == true)
        #expect(error?.description.contains(reason) == true)
    }

    @Test func refusesOtherFilesAndVersions() {
        let other = dataError { _ = try NPY.read(bytes: Array("PK and some more".utf8), name: "file") }
        #expect(other?.description.contains("starts with 0x93 and NUMPY") == true)
        let version = dataError { _ = try NPY.read(bytes: npy("{}", version: 4), name: "file") }
        #expect(version?.description.contains("found 4.0") == true)
    }
}
