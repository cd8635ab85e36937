import Foundation
import KantoData
import KantoKernels
import KantoPictures
import KantoRuns
import TestSupport
import Testing

typealias TemporaryFolder = TestSupport.TemporaryFolder

/// What a command did.
struct Outcome {
    let status: Int32
    let output: String
    let errors: String
}

/// The built `kanto`, which stands beside the test bundle.
let kantoTool = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "kanto")

/// Runs it as a user does.
func kanto(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try kanto(arguments, environment: environment)
}

func kanto(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    let process = Process()
    process.executableURL = kantoTool
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KANTO_") }
    // A user's own measured times have no say.
    variables["KANTO_TUNING"] = "off"
    variables.merge(environment) { $1 }
    process.environment = variables
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: text, errors: complaints)
}

struct MistakeTests {
    /// One clear line and the exit code of its kind.
    private func expectLine(_ outcome: Outcome, _ code: Int32, _ words: String...) {
        #expect(outcome.status == code, "\(outcome.errors)")
        #expect(outcome.errors.hasSuffix("\n") && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }

    @Test(arguments: [
        ("KANTO_BACKEND", "nonsense", "available: auto, simd, simd-direct, simd-filtered, simd-baseline"), ("KANTO_ISA", "avx1024", "baseline, avx2, avx512"),
        ("KANTO_NUM_THREADS", "0", "1 to 1024"), ("KANTO_VERBOSE", "loud", "0, 1 or 2"), ("KANTO_STRICT", "yes", "0 or 1"),
    ])
    func malformedVariables(_ name: String, _ value: String, _ expected: String) throws {
        let folder = try TemporaryFolder()
        let outcome = try kanto("train", "--iterations", "1", "--out", folder.path + "/run", environment: [name: value])
        expectLine(outcome, 64, value, expected)
        let list = try kanto("backends", environment: [name: value])
        #expect(list.status == (name == "KANTO_BACKEND" ? 0 : 64))
        #expect(list.status != 0 || list.output.contains("selected   nothing: ") && list.output.contains(value), "\(list)")
    }

    @Test func presetsAndOutputKeepTheExitCodes() throws {
        expectLine(try kanto("presets", environment: ["KANTO_NUM_THREADS": "0"]), 64, "1 to 1024")
        let full = Process()
        full.executableURL = URL(filePath: "/bin/sh")
        full.arguments = ["-c", "'\(kantoTool.path)' backends > /dev/full 2> /dev/null"]
        try full.run()
        full.waitUntilExit()
        #expect(full.terminationStatus == 73)
    }

    @Test(arguments: ["critic_steps", "batch_size", "iterations"]) func absurdSizes(_ name: String) throws {
        let folder = try TemporaryFolder()
        let outcome = try kanto("train", "--set", "\(name)=9223372036854775807", "--out", folder.path + "/run")
        expectLine(outcome, 64, name, "to 1000000000")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    /// Nothing that is there already is touched.
    @Test func aFolderThatIsNotEmpty() throws {
        let folder = try TemporaryFolder()
        let precious = folder.path + "/notes.txt"
        try Data("mine".utf8).write(to: URL(filePath: precious))
        expectLine(try kanto("train", "--iterations", "1", "--out", folder.path), 73, "notes.txt", "new or empty")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["notes.txt"])
        #expect(try Data(contentsOf: URL(filePath: precious)) == Data("mine".utf8))
    }

    @Test func pluginsThatAreNone() throws {
        let folder = try TemporaryFolder()
        let text = folder.path + "/libKantoText.so"
        try "no library".write(toFile: text, atomically: false, encoding: .utf8)
        expectLine(
            try kanto("train", "--iterations", "1", "--out", folder.path + "/run", environment: ["KANTO_PLUGIN_PATH": text]), 65, text,
            "cannot be loaded")
        expectLine(
            try kanto("bench", "steps", "toy", environment: ["KANTO_PLUGIN_PATH": folder.path + "/missing.so"]), 66, "no such file")
        // The list of backends still comes, with the reason.
        let list = try kanto("backends", environment: ["KANTO_PLUGIN_PATH": text])
        #expect(list.status == 0 && list.output.contains("not loaded: \(text)") && list.output.contains("reference"))
    }

    @Test func wrongArguments() throws {
        expectLine(try kanto("train", "nonsense"), 64, "the presets are digits")
        expectLine(try kanto("train", "--set", "optimizer.learning_rate=fast"), 64, "a number from 1e-12 to 1")
        expectLine(try kanto("train", "--set", "optimizer.learning_rate=1e30"), 64, "a number from 1e-12 to 1")
        expectLine(try kanto("train", "--set", "speed=1"), 64, "there is no key 'speed'", "regularizer")
        expectLine(try kanto("train", "--data", "/nowhere"), 66, "/nowhere")
        expectLine(try kanto("bench", "steps", "nonsense"), 64, "toy, mnist, cifar, dcgan64, dcgan64ln")
        expectLine(try kanto("verify", "--backend", "nonsense"), 64, "available: auto, simd, simd-direct, simd-filtered, simd-baseline")
        expectLine(try kanto("verify", "--op", "nonsense"), 64, "matmul, conv2d_forward")
        #expect(try kanto("verify", "--random", "-1").status == 64)
        expectLine(try kanto("sample", "/nowhere"), 66, "/nowhere: there is no such run")
        expectLine(try kanto("train", "--resume", "/nowhere"), 66, "/nowhere: there is no such run")
        expectLine(try kanto("report", "run", "--along", "sec"), 64, "did you mean 'seconds'? Expected 'iterations' or 'seconds';")
        expectLine(try kanto("train", "--precision", "half"), 64, "'float32', 'relaxed'")
        #expect(try kanto("nonsense").status == 64)
        #expect(try kanto("train", "--iterations", "many").status == 64)
    }

    /// What can be done is said, not only what is wrong.
    @Test func dataThatDoNotFitThePreset() throws {
        let folder = try TemporaryFolder()
        let (pictures, rows) = (folder.path + "/pictures.npy", folder.path + "/rows.npy")
        try NPY.write(NumericArray(shape: [4, 8, 8, 1], (0..<256).map { Float($0) / 255 }), to: pictures)
        try NPY.write(NumericArray(shape: [128, 2], (0..<256).map { Float($0) }), to: rows)
        expectLine(try kanto("train", "mnist", "--data", "ring8"), 65, "ring8: points of a plane", "data.size, data.channels (of the preset or your own)")
        expectLine(try kanto("train", "ring8", "--data", pictures, "--set", "data.range=[0, 1]"), 65, "shape [8, 8, 1]", "want [2]; --networks conv or resnet makes some")
        expectLine(try kanto("train", "digits", "--data", rows), 65, "shape [2]", "want [8, 8, 1]; --networks mlp makes some")
    }

    @Test func folderThatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/file"
        try "".write(toFile: file, atomically: false, encoding: .utf8)
        expectLine(try kanto("train", "--iterations", "1", "--out", file + "/run"), 73, file)
    }
}

struct RunTests {
    @Test func trainThenSample() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        let training = try kanto("train", "--iterations", "3", "--set", "sample_interval=2", "--out", run)
        #expect(training.status == 0, "\(training.errors)")
        for file in [
            "config.json", "metrics.jsonl", "checkpoints/iteration-000002.safetensors", "checkpoints/final.safetensors",
            "report.html",
        ] + (PNG.isAvailable ? ["samples/iteration-000002.png", "samples/final.png"] : []) {
            #expect(FileManager.default.fileExists(atPath: run + "/" + file), "\(file)")
        }
        let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(metrics.count == 3)
        let last = try #require(try JSONSerialization.jsonObject(with: Data(metrics[2].utf8)) as? [String: Any])
        #expect(last["iteration"] as? Int == 3 && (last["gradient_norm_histogram"] as? [Int])?.reduce(0, +) == 5 * 64)
        #expect(training.output.contains("\nverdict: Too early to tell. 3 iterations so far, where a verdict wants 300.\n"))

        // The same configuration repeats the same numbers, but for the time that they took.
        func numbers(_ lines: [Substring]) -> [Substring] { lines.map { $0.prefix(upTo: $0.range(of: ",\"seconds\"")!.lowerBound) } }
        let again = try kanto("train", run + "/config.json", "--out", folder.path + "/again")
        #expect(again.status == 0, "\(again.errors)")
        let repeated = try String(contentsOfFile: folder.path + "/again/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(numbers(repeated) == numbers(metrics))

        // Latent vectors that were saved give the same samples; between two seeds there is a row a way.
        let (z, first, second) = (folder.path + "/z.npy", folder.path + "/first.npy", folder.path + "/second.npy")
        #expect(try kanto("sample", run, "--count", "3", "--seed", "5", "--save-latent", z, "--out", first).status == 0)
        #expect(try kanto("sample", run, "--latent", z, "--out", second).status == 0)
        #expect(try NPY.read(contentsOf: z).shape == [3, 32])
        #expect(try NPY.read(contentsOf: first) == NPY.read(contentsOf: second))
        let way = folder.path + "/way.npy"
        #expect(try kanto("sample", run, "--interpolate", "5,6", "--steps", "4", "--count", "2", "--out", way).status == 0)
        let samples = try NPY.read(contentsOf: way)
        #expect(samples.shape == [8, 8, 8, 1])
        #expect(try samples.floats.prefix(64) == NPY.read(contentsOf: first).floats.prefix(64))
        for words in [["--interpolate", "5"], ["--interpolate", "5,x"], ["--steps", "1"], ["--save-latent", "z.csv"], ["--latent", z, "--interpolate", "1,2"]] {
            #expect(try kanto(["sample", run] + words).status == 64, "\(words)")
        }
        #expect(try kanto("sample", run, "--latent", first).status == 65)

        // A run is not overwritten.
        let twice = try kanto("train", "--iterations", "1", "--out", run)
        #expect(twice.status == 73 && twice.errors.contains("expected a new or empty folder"))
        #expect(twice.errors.hasSuffix("to go on with that run: kanto train --resume \(run)\n"), "\(twice.errors)")
        #expect(try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n") == metrics)

        if PNG.isAvailable {
            #expect(try kanto("sample", run, "--count", "9", "--seed", "5").status == 0)
            #expect(FileManager.default.fileExists(atPath: run + "/samples/seed-5.png"))
        }
        #expect(try kanto("sample", run, "--checkpoint", "iteration-000002", "--out", folder.path + "/earlier.npy").status == 0)
        #expect(try kanto("sample", run, "--checkpoint", "interrupted", "--out", folder.path + "/none.npy").status == 66)
        let numbers = folder.path + "/samples.npy"
        #expect(try kanto("sample", run, "--count", "3", "--out", numbers).status == 0)
        let bytes = try Data(contentsOf: URL(filePath: numbers))
        #expect(bytes.count == 128 + 3 * 64 * 4)
        #expect(try kanto("sample", run, "--out", folder.path + "/samples.gif").status == 64)

        // A truncated checkpoint is told, with the file.
        let checkpoint = run + "/checkpoints/final.safetensors"
        let whole = try Data(contentsOf: URL(filePath: checkpoint))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: checkpoint))
        let truncated = try kanto("sample", run, "--out", numbers)
        #expect(truncated.status == 65 && truncated.errors.contains(checkpoint), "\(truncated.errors)")
    }

    /// A row of each class, or one class, by name or number.
    @Test func classesAreDrawn() throws {
        let folder = try TemporaryFolder()
        let (run, out) = (folder.path + "/run", folder.path + "/samples.npy")
        let words = ["--iterations", "1", "--set", "conditioning.name=concat", "--out", run]
        let training = try kanto(["train"] + words)
        #expect(training.status == 0, "\(training.errors)")
        func samples(_ words: String...) throws -> NumericArray {
            let outcome = try kanto(["sample", run, "--out", out] + words)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try NPY.read(contentsOf: out)
        }
        let all = try samples()
        #expect(all.shape == [80, 8, 8, 1])
        #expect(try samples("--count", "2").shape == [20, 8, 8, 1])
        let threes = try samples("--label", "3", "--count", "8")
        #expect(threes.shape == [8, 8, 8, 1] && threes.floats.prefix(64) != all.floats.prefix(64))
        // The first row's noise, another class.
        #expect(try samples("--label", "0", "--count", "8").floats == Array(all.floats.prefix(8 * 64)))
        #expect(try samples("--interpolate", "1,2", "--count", "3", "--steps", "4").shape == [12, 8, 8, 1])
        let unknown = try kanto("sample", run, "--label", "eleven", "--out", out)
        #expect(unknown.status == 64 && unknown.errors.contains("there is no class 'eleven'"), "\(unknown.errors)")
        if PNG.isAvailable {
            #expect(try kanto("sample", run).status == 0)
            #expect(try kanto("sample", run, "--label", "7").status == 0)
            #expect(FileManager.default.fileExists(atPath: run + "/samples/class-7-seed-1.png"))
        }

        // Rows say their class.
        let lines = (0..<12).map { "\($0),\($0 * $0 % 7),\(["odd one", "even"][$0 % 2])" }
        let data = try folder.write("x,y,kind\n" + lines.joined(separator: "\n") + "\n", to: "rows.csv")
        let (table, rows) = (folder.path + "/table", folder.path + "/rows-out.csv")
        let tabular = ["--set", "data.labels=kind", "--set", "conditioning.name=projection", "--set", "batch_size=4"]
        let second = try kanto(["train", "--data", data, "--networks", "mlp", "--iterations", "1", "--out", table] + tabular)
        #expect(second.status == 0, "\(second.errors)")
        #expect(try kanto("sample", table, "--count", "2", "--out", rows).status == 0)
        let text = try String(contentsOfFile: rows, encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
        #expect(text.map(\.last) == ["class", "even", "even", "odd one", "odd one"] && text[0] == ["x", "y", "class"])

        let plain = folder.path + "/plain"
        #expect(try kanto("train", "--iterations", "1", "--out", plain).status == 0)
        let told = try kanto("sample", plain, "--label", "3")
        #expect(told.status == 64 && told.errors.contains("is told no classes"), "\(told.errors)")
    }

    /// Far from 0 and on other scales, the data's own units would squeeze them into a corner.
    @Test(.enabled(if: PNG.isAvailable)) func pointsAreDrawnAsTrainingHasThem() throws {
        let folder = try TemporaryFolder()
        let data = try folder.write("x,y\n1000.1,2\n1000.2,4\n1000.4,1\n1000.3,9\n", to: "points.csv")
        let (run, picture) = (folder.path + "/run", folder.path + "/points.png")
        let words = ["--networks", "mlp", "--iterations", "1", "--set", "batch_size=4", "--out", run]
        let training = try kanto(["train", "--data", data] + words)
        #expect(training.status == 0, "\(training.errors)")
        #expect(try kanto("sample", run, "--count", "5", "--out", picture).status == 0)
        let samples = try Kernels.run { try TrainedGenerator(run: run).samples(5, seed: 1).floats }
        #expect(try PNG.read(contentsOf: picture).pixels == PointCloud.picture([("generated", samples)]).pixels)
    }

    @Test(arguments: ["reference", "simd", "simd-baseline"]) func trainsOn(_ backend: String) throws {
        let folder = try TemporaryFolder()
        let outcome = try kanto(
            "train", "--iterations", "2", "--out", folder.path + "/run", environment: ["KANTO_BACKEND": backend])
        #expect(outcome.status == 0 && outcome.output.contains(backend), "\(outcome.errors)")
    }

    /// The digits are others' work under a license that asks for their names.
    @Test func presetsAttributeTheirData() throws {
        let outcome = try kanto("presets")
        #expect(outcome.status == 0)
        for words in ["E. Alpaydin and C. Kaynak", "https://doi.org/10.24432/C50P49", "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"] {
            #expect(outcome.output.contains(words), "\(outcome.output)")
        }
        let license = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/../../LICENSE"
        let text = try String(contentsOfFile: license, encoding: .utf8)
        #expect(text.contains("Copyright 2026 the Kanto authors") && !text.contains("[yyyy]"))
    }

    @Test func helpPagesAreThere() throws {
        for arguments in [["--help"], ["train", "--help"], ["bench", "--help"], ["check", "--help"], ["verify", "--help"]] {
            let outcome = try kanto(arguments[0], arguments.count > 1 ? arguments[1] : "--help")
            #expect(outcome.status == 0 && outcome.output.contains("USAGE"))
        }
    }
}

struct MetricsCommandTests {
    @Test func metricsAreWrittenAsCSV() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        #expect(try kanto("train", "--iterations", "3", "--set", "sample_interval=2", "--set", "data.held_out=0.1", "--out", run).status == 0)
        let plain = try kanto("metrics", run)
        #expect(plain.status == 0 && plain.errors.isEmpty)
        let rows = plain.output.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(rows.count == 4 && Set(rows.map(\.count)).count == 1)
        let column = try #require(rows[0].firstIndex(of: "held_out_critic_loss"))
        #expect(rows[0].first == "iteration" && rows[1...].map { $0[column].isEmpty } == [true, false, true])
        #expect(!plain.output.contains("histogram"))

        let file = folder.path + "/metrics.csv"
        let written = try kanto("metrics", run, "--out", file, "--histogram")
        #expect(written.output == "wrote \(file)\n")
        let header = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")[0].split(separator: ",")
        #expect(header.count == rows[0].count + 80 && header.contains("gradient_norm_histogram_79"))

        let missing = try kanto("metrics", folder.path + "/ran")
        #expect(missing.status == 66 && missing.errors.contains("did you mean '\(run)'?"), "\(missing)")
        #expect(try kanto("metrics", run, "--out", "/nowhere/x.csv").status == 73)
    }
}

struct StopTests {
    /// A run whose log says that it has long been flat, where a short one would have to go on for minutes.
    @Test func aRunThatIsFlatEnds() throws {
        let folder = try TemporaryFolder()
        let run = folder.path + "/run"
        let words = ["--iterations", "2", "--set", "sample_interval=2", "--stop-when", "flat", "--out", run]
        #expect(try kanto(["train"] + words).status == 0)
        let log = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        let steady = log[1].replacing(#/"gradient_norm_mean":[^,]*/#, with: "\"gradient_norm_mean\":1")
        try String(repeating: steady + "\n", count: 1200).write(toFile: run + "/metrics.jsonl", atomically: false, encoding: .utf8)

        let stopped = try kanto("train", "--resume", run, "--iterations", "9")
        #expect(stopped.status == 0, "\(stopped)")
        let line = "stopped after iteration 4 of 9, by stop_when; go on with: kanto train --resume \(run) --stop-when never\nverdict: Flat since"
        #expect(stopped.output.contains(line), "\(stopped)")
        // Killed before its last checkpoint, it writes that one alone.
        try FileManager.default.removeItem(atPath: run + "/checkpoints/final.safetensors")
        let again = try kanto("train", "--resume", run)
        #expect(again.status == 0 && again.output.contains(line), "\(again)")
        #expect(FileManager.default.fileExists(atPath: run + "/checkpoints/final.safetensors"))
        let on = try kanto("train", "--resume", run, "--stop-when", "never")
        #expect(on.status == 0 && !on.output.contains("stopped after"), "\(on)")
        #expect(try String(contentsOfFile: run + "/config.json", encoding: .utf8).contains("\"stop_when\": \"never\""))

        for arguments in [["--out", folder.path + "/other"], ["--resume", run]] {
            let wrong = try kanto(["train", "--stop-when", "flatt"] + arguments)
            let words = "kanto train: stop_when: there is no value 'flatt'; did you mean 'flat'?"
            #expect(wrong.status == 64 && wrong.errors.hasPrefix(words), "\(wrong)")
        }
    }
}
