import Glibc
import Testing

@testable import KantoData

/// What is no file of its kind is refused from its first bytes, whatever its size.
@Suite(.serialized) struct LargeFileTests {
    /// A file of 3 GB that takes no room on the disk.
    private func withSparseFile(_ start: [UInt8], _ body: (String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/sparse"
            try put(start, path)
            try #require(truncate(path, 3 << 30) == 0)
            try body(path)
        }
    }

    /// The most memory that this process ever had, in KiB.
    private var peak: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
    }

    @Test(
        arguments: [
            ([], "expected element type 8", "starts with 0x93", "found an empty header", "does not start as one"),
            (
                [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255], "expected 20 bytes", "starts with 0x93",
                "expected a header length up to", "does not start as one"
            ),
            (
                [0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0x7F], "starts with bytes 0 0", "at most 10000 bytes",
                "expected a header length up to", "does not start as one"
            ),
            (
                [0xFF, 0xFF, 0, 0, 0, 0, 0, 0] + Array("{}".utf8), "starts with bytes 0 0", "starts with 0x93", "expected the end",
                "does not start as one"
            ),
            (
                [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0],
                "starts with bytes 0 0", "starts with 0x93", "expected a header length up to", "more than a picture of 64 pixels can need"
            ),
        ] as [([UInt8], String, String, String, String)])
    func isRefusedFromItsFirstBytes(_ start: [UInt8], idx: String, npy: String, safetensors: String, png: String) throws {
        try withSparseFile(start) { path in
            let before = peak
            for (reason, read) in [
                (
                    idx,
                    {
                        let file = try InputFile(path)
                        _ = try IDXHeader(file.prefix(IDXHeader.largest), fileSize: file.size, name: path)
                    }
                ), (npy, { _ = try NPY.read(contentsOf: path) }),
                (safetensors, { _ = try SafetensorsFile(contentsOf: path) }), (png, { _ = try PNG.read(contentsOf: path) }),
            ] as [(String, () throws -> Void)] {
                let error = dataError(read)
                #expect(error?.kind == .badInput && error?.description.contains(reason) == true, "\(String(describing: error))")
            }
            #expect(peak - before < 1 << 20, "more than a third of the file was in memory")
        }
    }

    @Test func aLimitOfTheReaderHolds() throws {
        try withSparseFile([]) { path in
            #expect(dataError { _ = try readFile(path, atMost: 1 << 20) }?.description.contains("the most that can be read is 1048576") == true)
        }
    }
}
