import Foundation
import TestSupport
import Testing

struct ExplainTests {
    private func object(_ outcome: Outcome) throws -> [String: Any] {
        #expect(outcome.status == 0 && outcome.output.split(separator: "\n").count == 1, "\(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    private let line = "conv2d_forward f32 n50 h14 w14 c64 k5x5 s2 p2 o128 bias leaky_relu(0.2)"

    @Test func showsWhoServes() throws {
        let outcome = try kanto("explain", line, environment: ["KANTO_BACKEND": "reference"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        for text in [line, "[50, 7, 7, 128]", "1254400", "1.004 GFLOP", "served by reference", "could serve"] {
            #expect(outcome.output.contains(text), "\(outcome.output)")
        }
        // Without quotes, words come one by one; what is left out is filled in.
        let words = try kanto("explain", "matmul", "m2", "n3", "k4", "f64x")
        #expect(words.status == 64)
        let double = try kanto("explain", "matmul", "f64", "m2", "n3", "k4", environment: ["KANTO_BACKEND": "simd"])
        #expect(double.output.contains("no matmul in f64") && double.output.contains("served by reference"))
    }

    @Test func jsonHoldsTheSame() throws {
        let found = try object(try kanto("explain", "--json", line, environment: ["KANTO_BACKEND": "reference"]))
        #expect(found["problem"] as? String == line && found["served_by"] as? String == "reference")
        #expect(found["gflop"] as? Double == 1.00352)
        let operands = try #require(found["operands"] as? [[String: Any]])
        #expect(operands.map { $0["name"] as? String } == ["x", "w", "bias", "y"])
        #expect(operands.last?["shape"] as? [Int] == [50, 7, 7, 128] && operands.last?["bytes"] as? Int == 1_254_400)
        let backends = try #require(found["backends"] as? [[String: Any]])
        #expect(backends.prefix(2).map { $0["verdict"] as? String } == ["serves", "could serve"])
        for other in backends.dropFirst(2) {
            #expect(other["verdict"] as? String == "not asked" && other["reason"] as? String == "reference is selected")
        }
        #expect(backends[0]["scratch_bytes"] as? Int != nil && (backends[0]["kernel"] as? String)?.isEmpty == false)
    }

    @Test(arguments: [
        ("", "expected an op"), ("dance m1", "word 1, 'dance'"), ("matmul m1 n1", "k64"), ("matmul m1 n1 k1 x9", "word 5, 'x9'"),
        ("conv2d_forward h4 w4 c3 o4 k3 s0", "word 7, 's0'"), ("conv2d_forward h4 w4 c3 o4 k3 g2", "2 groups"),
        ("matmul m99999999999 n99999999999 k1", "2^48"),
    ])
    func mistakesAreOneLine(problem: String, words: String) throws {
        let outcome = try kanto("explain", problem)
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("kanto explain: ") && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    /// Whoever is here has a row, whether it is asked or not.
    @Test func autoShowsPluginsToo() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource(name: "onlooker").compile(in: folder)
        let outcome = try kanto("explain", "matmul m2 n3 k4", environment: ["KANTO_PLUGIN_PATH": path])
        let row = outcome.output.split(separator: "\n").first { $0.hasPrefix("onlooker") }
        #expect(row?.contains("not asked") == true && row?.contains("KANTO_TUNING=off forbids them; it could serve: ") == true, "\(outcome)")
        let relu = try kanto("explain", "unary relu [3]")
        #expect(relu.status == 0 && relu.output.hasPrefix("unary f32 leaky_relu(0.0) [3]"), "\(relu)")
    }

    @Test func backendsAsJSON() throws {
        let folder = try TemporaryFolder()
        let text = folder.path + "/libKantoText.so"
        try "no library".write(toFile: text, atomically: false, encoding: .utf8)
        let found = try object(
            try kanto(
                "backends", "--json",
                environment: ["KANTO_PLUGIN_PATH": text, "KANTO_NUM_THREADS": "3", "KANTO_BACKEND": "reference,simd"]))
        #expect(found["threads"] as? Int == 3 && found["selected"] as? [String] == ["reference", "simd"])
        #expect((found["instruction_sets"] as? [String])?.first == "baseline")
        #expect((found["cores"] as? Int ?? 0) > 0 && (found["processor"] as? String)?.isEmpty == false)
        let backends = try #require(found["backends"] as? [[String: Any]])
        let reference = try #require(backends.first { $0["name"] as? String == "reference" })
        #expect(reference["origin"] as? String == "built in")
        let ops = try #require(reference["ops"] as? [String: [String]])
        #expect(ops["f32"] == ops["f64"] && ops["f64"]?.first == "matmul" && ops["f64"]?.count == 11)
        let failures = try #require(found["failures"] as? [[String: String]])
        #expect(failures.contains { $0["path"] == text && $0["reason"]?.contains("cannot be loaded") == true })
    }
}
