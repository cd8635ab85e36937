import Foundation
import KantoData
import TestSupport
import Testing

/// `kanto evaluate` as a user calls it. The runs are of a few iterations: what is tested is what is said of them.
@Suite struct EvaluateTests {
    private func expectLine(_ outcome: Outcome, _ code: Int32, _ words: String...) {
        #expect(outcome.status == code && outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.errors.hasSuffix("\n") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("kanto evaluate: "), "\(outcome.errors)")
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }

    private func train(_ arguments: String..., into run: String) throws {
        let outcome = try kanto(["train"] + arguments + ["--iterations", "2", "--out", run])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private func json(_ outcome: Outcome) throws -> [String: Any] {
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    private func names(_ report: [String: Any]) throws -> [String] {
        try #require(report["metrics"] as? [[String: Any]]).map { $0["name"] as! String }
    }

    @Test func digits() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        try train(into: run)
        let text = try kanto("evaluate", run, "--count", "100")
        #expect(text.status == 0 && text.errors.isEmpty, "\(text.errors)")
        // A path alone may be longer.
        for line in text.output.split(separator: "\n") { #expect(line.count <= 80 || !line.contains(" "), "\(line)") }
        for word in ["100 generated samples against 100 of digits", "trained now", "precision", "Fréchet distance", "REAL"] {
            #expect(text.output.contains(word), "\(text.output)")
        }
        // A damaged classifier is trained anew, and all numbers are the same.
        let classifier = run + "/classifier.safetensors"
        try Data(Data(contentsOf: URL(filePath: classifier)).dropLast(100)).write(to: URL(filePath: classifier))
        #expect(try kanto("evaluate", run, "--count", "100").output == text.output)
        // It is kept.
        let again = try kanto("evaluate", run, "--count", "100")
        #expect(again.output == text.output.replacingOccurrences(of: ", trained now,", with: ""))

        let report = try json(kanto("evaluate", run, "--count", "100", "--json"))
        #expect(
            try names(report) == [
                "w1", "w2", "precision", "recall", "density", "coverage", "frechet_distance", "smallest_class_share",
                "class_share_distance", "sliced_wasserstein_8x8", "norm_on_lines", "norm_on_lines_within", "norm_between_real", "norm_between_generated",
                "nearest_training_ratio", "copies",
            ])
        #expect(report["count"] as? Int == 100 && report["iteration"] as? Int == 2 && report["checkpoint"] as? String == "final")
        for metric in try #require(report["metrics"] as? [[String: Any]]) {
            let isOfCritic = metric["group"] as? String == "critic"
            let (value, interval) = (try #require(metric["value"] as? Double), try #require(metric["interval"] as? [Double]))
            #expect(interval[0] <= value && value <= interval[1] && (metric["real"] is Double) == !isOfCritic, "\(metric)")
        }
        // An untrained generator is far from the data, and real samples are not.
        let metrics = try #require(report["metrics"] as? [[String: Any]])
        func value(_ name: String, _ key: String) -> Double { metrics.first { $0["name"] as? String == name }![key] as! Double }
        #expect(value("coverage", "value") < 0.3 && value("coverage", "real") > 0.6)
        #expect(value("frechet_distance", "value") > 10 * value("frechet_distance", "real"))
    }

    /// Of two digits a sample there are a hundred combinations, of which an untrained generator draws few.
    @Test func stackedDigits() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        try train("--set", "data.stacked=2", "--networks", "conv", "--set", "architecture.width=2", into: run)
        let report = try json(kanto("evaluate", run, "--count", "50", "--json"))
        let metrics = try #require(report["metrics"] as? [[String: Any]])
        func metric(_ name: String) throws -> (value: Double, real: Double) {
            let found = try #require(metrics.first { $0["name"] as? String == name })
            return (try #require(found["value"] as? Double), try #require(found["real"] as? Double))
        }
        let modes = try metric("modes"), divergence = try metric("reverse_kl")
        #expect(modes.real == 100 && modes.value < 80)
        #expect(divergence.real < 0.05 && divergence.value > 0.5)
        #expect(try names(report).contains("frechet_distance"))
    }

    @Test func pointsOfARing() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        try train("ring8", into: run)
        let report = try json(kanto("evaluate", run, "--count", "300", "--json"))
        #expect(
            try names(report) == [
                "modes", "high_quality", "deviation", "reverse_kl", "w1", "w2", "precision", "recall", "density", "coverage",
                "norm_on_lines", "norm_on_lines_within", "norm_between_real", "norm_between_generated", "critic_gap",
            ])
        let metrics = try #require(report["metrics"] as? [[String: Any]])
        #expect(metrics[0]["real"] as? Double == 8 && (metrics[1]["real"] as! Double) > 0.95)
    }

    /// Held-out rows in other units than training has them, and labels that are missing.
    @Test func tables() throws {
        let folder = try TemporaryFolder()
        let (run, training, heldOut) = (folder.path + "/run", folder.path + "/training.csv", folder.path + "/held-out.csv")
        func table(_ start: Int) -> String {
            "height,weight,age\n"
                + (start..<start + 150).map { "\(150 + $0 * 37 % 41),\(40 + $0 * 17 % 53),\($0 * 29 % 67)\n" }.joined()
        }
        try Data(table(0).utf8).write(to: URL(filePath: training))
        try Data(table(1000).utf8).write(to: URL(filePath: heldOut))
        try train("--networks", "mlp", "--data", training, "--set", "batch_size=32", into: run)
        let report = try json(kanto("evaluate", run, "--data", heldOut, "--json"))
        #expect(
            try names(report) == [
                "w1", "w2", "precision", "recall", "density", "coverage", "column_w1_mean", "column_w1.height", "column_w1.weight",
                "column_w1.age", "correlation_difference", "norm_on_lines", "norm_on_lines_within", "norm_between_real", "norm_between_generated",
                "nearest_training_ratio", "copies", "critic_gap",
            ])
        let metrics = try #require(report["metrics"] as? [[String: Any]])
        let real = metrics.first { $0["name"] as? String == "column_w1_mean" }!["real"] as! Double
        #expect(real < 0.3, "\(real)")
        #expect(report["held_out"] as? String == heldOut && report["count"] as? Int == 150)
        expectLine(try kanto("evaluate", run, "--data", training), 65, "training.csv", "the data that the run was trained on")
    }

    @Test func classesThatAreAskedFor() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        try train("--set", "conditioning.name=projection", into: run)
        let names = try names(json(kanto("evaluate", run, "--count", "100", "--json")))
        #expect(names.contains("class_asked_for") && names.contains("norm_on_lines") && !names.contains("norm_between_real"))
    }

    /// The norm of a linear critic is that of its weights, everywhere.
    @Test func normsOfALinearCritic() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        try train(
            try folder.write(
                """
                {"data": "ring8", "batch_size": 16, "iterations": 2,
                 "networks": {"generator": {"input": [2], "layers": [{"layer": "dense", "outputs": 2}]},
                              "critic": {"input": [2], "layers": [{"layer": "dense", "outputs": 1}]}}}
                """, to: "run.json"), into: run)
        let weight = try SafetensorsFile(contentsOf: run + "/checkpoints/final.safetensors").array("critic.0.weight").floats
        let norm = Double((weight[0] * weight[0] + weight[1] * weight[1]).squareRoot())
        let report = try json(kanto("evaluate", run, "--count", "50", "--json"))
        let metrics = try #require(report["metrics"] as? [[String: Any]])
        for name in ["norm_on_lines", "norm_between_real", "norm_between_generated"] {
            let value = try #require(metrics.first { $0["name"] as? String == name }?["value"] as? Double)
            #expect(abs(value - norm) <= 1e-5 * norm, "\(name)")
        }
        let within = metrics.first { $0["name"] as? String == "norm_on_lines_within" }?["value"] as? Double
        #expect(within == (abs(norm - 1) <= 0.1 ? 1 : 0))
    }

    @Test func badInput() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        expectLine(try kanto("evaluate", folder.path + "/nowhere"), 66, "nowhere: there is no such run")
        expectLine(try kanto("evaluate", folder.path), 66, "config.json")
        try train("--set", "kept_checkpoints=1", into: run)
        expectLine(try kanto("evaluate", run, "--count", "3"), 64, "--count 3", "10 to 50000")
        expectLine(try kanto("evaluate", run, "--checkpoint", "bets"), 66, "no checkpoint 'bets'", "'final'")
        expectLine(try kanto("evaluate", run, "--data", folder.path + "/nothing"), 66, "/nothing")
        expectLine(try kanto("evaluate", run, "--data", "ring8"), 65, "ring8")

        let (larger, broken, few) = (folder.path + "/larger.npy", folder.path + "/broken.npy", folder.path + "/few.npy")
        try NPY.write(NumericArray(shape: [40, 9, 9, 1], (0..<3240).map { Float($0) / 3240 }), to: larger)
        expectLine(try kanto("evaluate", run, "--data", larger), 65, "larger.npy", "[9, 9, 1], expected [8, 8, 1]")
        var values = (0..<2560).map { Float($0) / 2560 }
        values[77] = .nan
        try NPY.write(NumericArray(shape: [40, 8, 8, 1], values), to: broken)
        expectLine(try kanto("evaluate", run, "--data", broken), 65, "broken.npy", "not a finite number (NaN or infinity)")
        try NPY.write(NumericArray(shape: [4, 8, 8, 1], (0..<256).map { Float($0) / 256 }), to: few)
        expectLine(try kanto("evaluate", run, "--data", few), 65, "few.npy: 4 samples; expected 10 or more")

        // Weights that a failed training left behind, and a file that was cut.
        let checkpoint = run + "/checkpoints/final.safetensors"
        let file = try SafetensorsFile(contentsOf: checkpoint)
        var arrays = try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.array($0)) })
        let name = "generator.0.weight"
        var weights = try file.floats(name)
        weights[5] = .nan
        arrays[name] = try NumericArray(shape: file.entry(name).shape, weights)
        try SafetensorsFile.write(arrays, metadata: file.metadata.filter { $0.key != "digest" }, to: checkpoint)
        expectLine(try kanto("evaluate", run), 65, "generator.0.weight holds nan")
        try Data(Data(contentsOf: URL(filePath: checkpoint)).prefix(5000)).write(to: URL(filePath: checkpoint))
        expectLine(try kanto("evaluate", run), 65, "final.safetensors")
        try FileManager.default.removeItem(atPath: checkpoint)
        expectLine(try kanto("evaluate", run), 66, "there is no checkpoint; this run has none")
    }
}
