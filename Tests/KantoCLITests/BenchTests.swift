import Foundation
import KantoData
import TestSupport
import Testing

@Suite struct BenchTests {
    @Test func benchPrintsTheLinesOfItsPeers() throws {
        let outcome = try kanto("bench", "steps", "toy", "--seconds", "0.01", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["step"] as? String } == ["critic", "generator", "iteration"])
        #expect(lines[0]["forward_gflop"] as? Double == 0.269)
        for line in lines { #expect((line["median_ms"] as? Double ?? 0) > 0 && line["peak_rss_mb"] != nil) }
    }

    @Test func benchTellsWhatTheHostCosts() throws {
        let outcome = try kanto("bench", "overhead", "--seconds", "0.01", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["step"] as? String } == ["look-up", "look-up and run"])
        for line in lines {
            let (best, median) = (line["best_ns"] as? Double ?? 0, line["median_ns"] as? Double ?? 0)
            #expect(best > 0 && best <= median)
        }
    }

    @Test func benchComparesKernels() throws {
        let problem = "matmul m33 n17 k9 bias"
        let outcome = try kanto(
            "bench", problem, "--threads", "1,2", "--backend", "simd,reference", "--relative-to", "reference", "--seconds", "0.01",
            "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["threads"] as? Int } == [1, 1, 2, 2])
        for line in lines {
            #expect(line["problem"] as? String == "matmul f32 m33 n17 k9 bias")
            let milliseconds = try #require(line["median_ms"] as? Double), rate = try #require(line["gflops"] as? Double)
            #expect(abs(rate * milliseconds * 1e6 / (2 * 33 * 17 * 9) - 1) < 0.2)
            let isReference = line["backend"] as? String == "reference"
            #expect(isReference ? line["ratio"] as? Double == 1 : (line["ratio"] as? Double ?? 0) > 0)
            #expect((line["limit_gflops"] as? Double ?? 0) > 0 && (line["limit_gbytes_per_second"] as? Double ?? 0) > 0)
        }
    }

    /// JSON has no NaN, and a picture no bar for it.
    @Test(.enabled(if: PNG.isAvailable)) func benchOfNothing() throws {
        let folder = try TemporaryFolder()
        let outcome = try kanto(
            "bench", "unary f32 square [0] strides 1>1", "--backend", "simd", "--seconds", "0.01", "--plot", folder.path + "/x.png", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let row = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(row["bound"] as? String == "memory" && row["share"] as? Double ?? 0 == 0)
        #expect(FileManager.default.fileExists(atPath: folder.path + "/x.png"))
    }

    @Test func benchShowsPrecisionsSideBySide() throws {
        let outcome = try kanto(
            "bench", "matmul m33 n17 k9", "unary exp [100]", "--backend", "simd", "--precision", "float32,bfloat16", "--seconds", "0.01",
            "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(
            lines.map { $0["problem"] as? String } == [
                "matmul f32 m33 n17 k9", "matmul f32 m33 n17 k9 bfloat16", "unary f32 exp [100] strides 1>1",
            ])
        #expect(lines.map { $0["precision"] as? String } == ["float32", "bfloat16", "float32"])
        #expect((lines[1]["kernel"] as? String)?.hasPrefix("bfloat16 matmul") == true)
        let mistyped = try kanto("bench", "matmul m3 n1 k9", "--precision", "bfloat")
        #expect(mistyped.status == 64 && mistyped.errors.contains("did you mean 'bfloat16'"), "\(mistyped.errors)")
    }

    @Test func benchMeasuresWhatAutoChooses() throws {
        let outcome = try kanto(
            "bench", "matmul m33 n17 k9", "--backend", "auto,reference", "--relative-to", "auto", "--seconds", "0.01", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["backend"] as? String } == ["auto", "reference"])
        #expect((lines[0]["kernel"] as? String)?.hasPrefix("simd-") == true)
        #expect(lines[0]["ratio"] as? Double == 1 && (lines[1]["ratio"] as? Double ?? 1) < 1)
    }

    @Test(.enabled(if: PNG.isAvailable)) func benchWritesTablesAndPictures() throws {
        let folder = try TemporaryFolder()
        let outcome = try kanto(
            "bench", "conv2d_forward n2 h6 w6 c3 k3 o4", "unary exp [1000]", "--backend", "simd", "--seconds", "0.01", "--csv", "--plot",
            folder.path + "/bench.png")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("problem,backend,precision,threads,kernel,declined,median_ms"))
        #expect(lines[1].hasPrefix("conv2d_forward f32 n2 h6 w6 c3 k3x3 s1 p0 o4,simd-"))
        for name in ["bench.png", "bench-roofline.png"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
            #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        }
    }

    @Test(arguments: [
        (["bench", "nonsense"], "there is no preset 'nonsense'; the presets are gemm, mnist"),
        (["bench", "matmul m1 n1"], "matmul lacks the inner size"),
        (["bench", "gemm", "--backend", "nobody"], "unknown backend 'nobody'"),
        (["bench", "gemm", "--threads", "0"], "--threads '0': expected numbers from 1 to 1024"),
        (["bench", "gemm", "--seconds", "0"], "--seconds 0.0: expected a positive number"),
        (["bench", "unary exp [4]", "--backend", "simd", "--relative-to", "reference"], "--relative-to reference: it is not measured"),
        (["bench", "matmul m4 n4 k4 ", "--plot", "x.jpg", "--seconds", "0.01", "--backend", "simd"], "expected a file name that ends with .png"),
    ])
    func benchMistakesAreOneLine(arguments: [String], complaint: String) throws {
        let outcome = try kanto(arguments)
        #expect(outcome.status == 64 && outcome.errors.contains(complaint), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }
}
