import Glibc
import KantoNN
import KantoTensor
import Testing

@testable import KantoData

/// Whatever a file holds, opening and reading it give values or a `DataError` of one line; nothing traps, and nothing is
/// allocated for sizes that the file does not have.
@Suite(.serialized) struct HostileDatasetTests {
    /// Changes bytes, cuts and inserts, and opens the result.
    private func attack(
        _ bytes: [UInt8], rounds: Int = 1500, name: String = "a", _ change: (inout DataDescription) -> Void = { _ in }
    ) throws {
        var random = Random(seed: 7)
        try withTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            try put(bytes, path)
            _ = try open(path, Datasets.Options(), change).samples([0])
            for _ in 0..<rounds {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let index = Int.random(in: 0..<changed.count, using: &random)
                    switch Int.random(in: 0..<6, using: &random) {
                    case 0: changed[index] = UInt8.random(in: 0...255, using: &random)
                    case 1, 2: changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    case 3: changed.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: index)
                    case 4 where index > 0: changed.removeSubrange(index...)
                    default: changed[index] = [0, 0xFF, 0x7F, 0x80, 0x2D, 0x39][Int.random(in: 0..<6, using: &random)]
                    }
                }
                // A file that is written over is synced to the disk by some systems.
                unlink(path)
                try put(changed, path)
                do {
                    let data = try open(path, Datasets.Options(), change)
                    _ = try data.samples([0, data.count - 1])
                } catch let error as DataError {
                    #expect(error.kind == .badInput && !error.description.contains("\n"))
                }
            }
        }
    }

    @Test func idx() throws { try attack(IDXDatasetTests.images) }
    @Test func npy() throws { try attack(npyFile("<f4", [2, 2], [1, 2, 3, 4].flatMap { littleEndian(Float($0).bitPattern) })) }
    @Test func npyColumns() throws { try attack(npyFile(">i2", [2, 3, 2], (0..<24).map { UInt8($0) }, isColumnMajor: true)) }
    @Test func npz() throws { try attack(zipFile(["x.npy": NPZDatasetTests.images, "y.npy": NPZDatasetTests.labels])) }
    @Test(.enabled(if: Deflate.isAvailable)) func deflated() throws { try attack(fixture("deflated.npz")) }
    @Test(.enabled(if: Deflate.isAvailable)) func gzip() throws { try attack(gzipFile(IDXDatasetTests.images)) }
    @Test func csv() throws { try attack(Array("x,y,\"z\"\n1,2,3\n4.5,-6e3,\"7\"\n".utf8)) }
    @Test func cifar() throws { try attack(CIFARTests.record([3], [1, 2, 3]), rounds: 300) { $0.format = "cifar10" } }

    @Test(.enabled(if: JPEG.isAvailable), arguments: ["gray.jpg", "color.jpg", "progressive.jpg", "inks.jpg"]) func jpeg(
        name: String
    ) throws {
        let bytes = try fixture(name)
        var random = Random(seed: 9)
        var refused = 0
        for _ in 0..<3000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                changed[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            if Bool.random(using: &random) { changed.removeLast(Int.random(in: 0..<changed.count, using: &random)) }
            do { _ = try JPEG.read(bytes: changed, name: "a") } catch let error as DataError {
                refused += 1
                #expect(error.kind == .badInput && !error.description.contains("\n"))
            }
        }
        #expect(refused > 1000)
    }

    /// The most memory that this process ever had, in KiB.
    private var peak: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
    }

    @Test func hugeSizesTakeNoMemory() throws {
        var archive = zipFile(["x.npy": NPZDatasetTests.images], isDeflated: true)
        let list = archive.count - 22 - 46 - 5
        archive.replaceSubrange(list + 24..<list + 28, with: [0xFE, 0xFF, 0xFF, 0xFF])
        let before = peak
        try withTemporaryFolder { folder in
            for bytes in [
                idxFile([60_000, 1000, 1000], [1, 2, 3]), npyFile("<f8", [1 << 32, 4], [1, 2, 3]),
                npyFile("<f8", [1 << 40], [], isColumnMajor: true), archive,
            ] {
                try put(bytes, "\(folder)/a")
                #expect(dataError { _ = try open("\(folder)/a") }?.kind == .badInput)
            }
            // Three gigabytes of nothing, in no format.
            try put([], "\(folder)/a")
            try #require(truncate("\(folder)/a", 3 << 30) == 0)
            var options = Datasets.Options()
            options.memoryLimit = 1 << 20
            for format in [nil, "npy", "npz", "idx", "csv", "cifar100"] as [String?] {
                #expect(dataError { _ = try open("\(folder)/a", options) { $0.format = format } }?.kind == .badInput)
            }
        }
        #expect(peak - before < 1 << 19)
    }
}
