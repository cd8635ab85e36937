import Foundation
import TestSupport
import Testing

/// `--critic-step`, in every command that takes it.
struct CriticStepTests {
    @Test(arguments: [("taped", "taped"), ("four-pass", "four-pass"), ("automatic", "four-pass"), (nil, "four-pass")])
    func trainTellsAndKeepsIt(_ option: String?, _ method: String) throws {
        let folder = try TemporaryFolder(), run = folder.path + "/run"
        let options = option.map { ["--critic-step", $0] } ?? []
        let outcome = try kanto(["train", "--iterations", "1", "--out", run] + options)
        #expect(outcome.status == 0 && outcome.output.contains("penalty 10 E(‖∇D(x̂)‖ - 1)², \(method) critic step"))
        let bytes = try Data(contentsOf: URL(filePath: run + "/config.json"))
        let config = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect(config["critic_step"] as? String == method)

        // A run's folder repeats its own method, and an older one without that line is fine.
        let again = try kanto("train", run + "/config.json", "--out", folder.path + "/again")
        #expect(again.output.contains("\(method) critic step"))
        var older = config
        older["critic_step"] = nil
        try JSONSerialization.data(withJSONObject: older).write(to: URL(filePath: folder.path + "/older.json"))
        let repeated = try kanto("train", folder.path + "/older.json", "--out", folder.path + "/older")
        #expect(repeated.output.contains("four-pass critic step"), "\(repeated.errors)")
        older["critic_step"] = "guessed"
        try JSONSerialization.data(withJSONObject: older).write(to: URL(filePath: folder.path + "/wrong.json"))
        let wrong = try kanto("train", folder.path + "/wrong.json", "--out", folder.path + "/wrong")
        #expect(wrong.status == 65 && wrong.errors.contains("critic_step: there is no value 'guessed'; the values are automatic, taped, four-pass"), "\(wrong.errors)")
    }

    @Test func aWrongMethodIsAMatterOfUsage() throws {
        for command in [["train"], ["bench", "steps", "toy"], ["check", "x.safetensors"]] {
            let outcome = try kanto(command + ["--critic-step", "guessed"])
            #expect(outcome.status == 64 && outcome.errors.contains("'automatic', 'taped' or 'four-pass'"), "\(outcome.errors)")
        }
        let outcome = try kanto("train", "--set", "critic_step=guessed")
        #expect(outcome.status == 64 && outcome.errors.contains("the values are automatic, taped, four-pass"), "\(outcome.errors)")
    }

    @Test(arguments: ["taped", "four-pass"]) func benchStepsSaysWhichWasTimed(_ method: String) throws {
        let outcome = try kanto("bench", "steps", "toy", "--seconds", "0.01", "--json", "--critic-step", method)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["critic_step"] as? String } == [method, nil, method])
        #expect(lines[0]["forward_gflop"] as? Double == 0.269)
    }

    @Test func checkTakesEitherWay() throws {
        let goldens = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/../KantoRunsTests/Goldens/"
        for method in ["taped", "four-pass"] {
            let outcome = try kanto("check", goldens + "conv_leaky.safetensors", "--json", "--critic-step", method)
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any], "\(outcome.errors)")
            #expect(outcome.status == 0 && report["critic_step"] as? String == method && report["holds"] as? Bool == true)
        }
        #expect(try kanto("check", goldens + "conv_layer_norm.safetensors").output.contains(", taped)"))
        let forced = try kanto("check", goldens + "conv_layer_norm.safetensors", "--critic-step", "four-pass")
        #expect(forced.status == 65 && forced.errors.contains("layer 3 (LayerNorm) is not one that it serves"), "\(forced.errors)")
        // Of several the one that does not fit.
        let files = ["conv_leaky", "conv_layer_norm"].map { goldens + $0 + ".safetensors" }
        let second = try kanto(["check"] + files + ["--critic-step", "four-pass"])
        #expect(second.status == 65 && second.errors.hasPrefix("kanto check: \(files[1]): four-pass critic step: layer 3"), "\(second.errors)")
    }
}
