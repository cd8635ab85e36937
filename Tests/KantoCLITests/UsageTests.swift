import Foundation
import TestSupport
import Testing

/// What a user reads who types something wrong: one line that names a real command and what was meant.
struct UsageTests {
    private func expectLine(_ words: [String], _ start: String, _ parts: String..., code: Int32 = 64) throws {
        let outcome = try kanto(words)
        #expect(outcome.status == code && outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.errors.hasPrefix(start) && outcome.errors.hasSuffix("\n"), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        for part in parts { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
    }

    @Test func mistypedCommands() throws {
        try expectLine(["trian", "digits"], "kanto: unknown command 'trian'; did you mean 'train'? The commands are train, sample,")
        try expectLine(["trian", "--help"], "kanto: unknown command 'trian'; did you mean 'train'?")
        try expectLine(["xyzzy"], "kanto: unknown command 'xyzzy'; the commands are train, sample, evaluate, report, metrics,")
    }

    @Test func mistypedNames() throws {
        try expectLine(["train", "digts"], "kanto train: there is no preset 'digts'; did you mean 'digits'? The presets are digits")
        try expectLine(["train", "--set", "learning-rte=1"], "kanto train: there is no key 'learning-rte'; did you mean 'optimizer.learning_rate'?")
        try expectLine(["train", "--critic-step", "tpaed"], "kanto train: the value 'tpaed' is invalid for '--critic-step <method>'; did you mean 'taped'? Expected 'automatic', 'taped' or 'four-pass'; see")
        try expectLine(["train", "--critic-step", "xyzzy"], "kanto train: the value 'xyzzy' is invalid for '--critic-step <method>'; expected 'automatic', 'taped' or 'four-pass'; see")
        try expectLine(["verify", "--op", "matmull"], "kanto verify: unknown op 'matmull'; did you mean 'matmul'? The ops are matmul, conv2d_forward,")
        try expectLine(["verify", "--backend", "refrence"], "kanto verify: unknown backend 'refrence'; did you mean 'reference'? available: auto,")
        try expectLine(["bench", "mnits"], "kanto bench kernels: there is no preset 'mnits'; did you mean 'mnist'? The presets are gemm,")
        try expectLine(["bench", "steps", "tooy"], "kanto bench steps: there is no workload 'tooy'; did you mean 'toy'? The workloads are toy,")
        try expectLine(["explain", "matmull m4 n4 k4"], "kanto explain: word 1, 'matmull': expected an op, one of matmul,", "did you mean 'matmul'?")
    }

    @Test func completionsAskTheTool() throws {
        let script = try kanto("--generate-completion-script", "bash")
        #expect(script.status == 0 && script.output.contains("---completion train"), "\(script.errors)")
    }

    @Test func mistypedOptions() throws {
        try expectLine(["train", "--iter", "5"], "kanto train: unknown option '--iter'; did you mean '--iterations'? See 'kanto train --help'")
        try expectLine(["sample", "run", "--sed", "5"], "kanto sample: unknown option '--sed'; did you mean '--seed'?")
        try expectLine(["train", "--xyzzy"], "kanto train: unknown option '--xyzzy'; see 'kanto train --help'")
        try expectLine(["bench", "steps", "toy", "--secnds", "1"], "kanto bench steps: unknown option '--secnds'; did you mean '--seconds'?")
        try expectLine(["bench", "mnist", "--thread", "1"], "kanto bench kernels: unknown option '--thread'; did you mean '--threads'?")
    }

    @Test func otherWrongWords() throws {
        try expectLine(["train", "--iterations", "many"], "kanto train: the value 'many' is invalid for '--iterations", "see 'kanto train --help'")
        try expectLine(["sample"], "kanto sample: missing expected argument '<run>'; see 'kanto sample --help'")
        try expectLine(["train", "--out"], "kanto train: missing value for '--out", "see 'kanto train --help'")
        try expectLine(["train", "--seed", "-1"], "kanto train: missing value for '--seed <seed>': '-1' is taken for an option; see")
        try expectLine(["train", "digits", "more"], "kanto train: unexpected argument 'more'; see")
    }

    /// The names in front of an error are those that a user can type.
    @Test func commandsAreNamedInFull() throws {
        try expectLine(["bench", "steps", "nonsense"], "kanto bench steps: there is no workload 'nonsense'")
        try expectLine(["bench", "nonsense"], "kanto bench kernels: ")
        try expectLine(["bench", "overhead", "--seconds", "0"], "kanto bench overhead: --seconds")
        for words in [["bench", "steps", "--help"], ["bench", "kernels", "--help"], ["bench", "overhead", "--help"]] {
            #expect(try kanto(words).status == 0)
        }
    }

    @Test func helpAndVersionAreNoErrors() throws {
        for words in [["--help"], ["help", "train"], ["train", "--help"], ["--version"], []] {
            let outcome = try kanto(words)
            #expect(outcome.status == 0 && !outcome.output.isEmpty && outcome.errors.isEmpty, "\(words): \(outcome)")
        }
    }

    /// Whatever an argument holds, its error is a line that one can read.
    @Test func argumentsCannotSpoilTheTerminal() throws {
        let bell = "\u{1B}[31m\u{7}\n\u{9B}x"
        for words in [["train", bell], ["train", "--out", bell + "\u{0}".prefix(0) + "/\(bell)", "--data", bell], ["train", "--" + bell], [bell], ["sample", bell]] {
            let outcome = try kanto(words)
            #expect([64, 66].contains(outcome.status), "\(outcome)")
            #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.errors.contains(#"\u{1B}[31m\u{07}"#), "\(outcome.errors)")
            #expect(!outcome.errors.dropLast().unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
        for words in [["train", String(repeating: "long", count: 1250)], ["train", "--data", String(repeating: "x/", count: 2000)]] {
            let outcome = try kanto(words)
            #expect(outcome.errors.utf8.count < 1300 && outcome.errors.contains(" … "), "\(outcome.errors)")
        }
    }
}
