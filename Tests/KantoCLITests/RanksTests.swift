import Foundation
import KantoData
import TestSupport
import Testing

/// Several ranks of the program, started by a launcher.
///
/// They are skipped where there is none, or the plugin was not built: install libopenmpi-dev and openmpi-bin, or libmpich-dev and mpich.
@Suite(.serialized, .enabled(if: Ranks.canBeStarted, "needs mpirun and libKantoMPI.so"))
struct RanksTests {
    /// Everything that is random or mixes samples: batch normalization, dropout, mirrored samples, and a batch that ranks do not
    /// divide evenly. The critic is taped.
    private let mixed = """
        {"data": {"path": "digits", "flip": true, "dequantize": true}, "batch_size": 13, "critic_steps": 2, "sample_interval": 2,
         "networks": {
          "generator": {"input": [6], "layers": [{"layer": "dense", "outputs": 64}, "batch_norm", "relu", {"layer": "dropout", "rate": 0.2},
            {"layer": "dense", "outputs": 64}, "sigmoid", {"layer": "reshape", "shape": [8, 8, 1]}]},
          "critic": {"input": [8, 8, 1], "layers": [{"layer": "conv", "channels": 8, "kernel": 3, "stride": 2, "padding": "same"},
            "layer_norm", "leaky_relu", "flatten", {"layer": "dropout", "rate": 0.1}, {"layer": "dense", "outputs": 1}]}}}
        """

    /// The presets' way: four passes, an even and an uneven batch.
    private let plain = """
        {"data": "digits", "batch_size": 10, "critic_steps": 2, "sample_interval": 2, "generator_batch_size": 7,
         "networks": {
          "generator": {"input": [6], "layers": [{"layer": "dense", "outputs": 64}, "relu", {"layer": "dense", "outputs": 64},
            "sigmoid", {"layer": "reshape", "shape": [8, 8, 1]}]},
          "critic": {"input": [8, 8, 1], "layers": [{"layer": "conv", "channels": 8, "kernel": 3, "stride": 2, "padding": "same"},
            "leaky_relu", "flatten", {"layer": "dense", "outputs": 1}]}}}
        """

    private func train(_ text: String, ranks: Int, in folder: TemporaryFolder, _ words: [String] = []) throws -> Trained {
        let name = "run-\(UUID().uuidString)"
        _ = try folder.write(text, to: "run.json")
        let outcome = try Ranks.start(ranks, ["train", "run.json", "--out", name] + words, in: folder.path)
        #expect(outcome.status == 0, "\(ranks) ranks: \(outcome)")
        return try Trained(folder.path + "/" + name)
    }

    @Test func anyNumberOfRanksIsTheSameRun() throws {
        let folder = try TemporaryFolder()
        for text in [plain, mixed] {
            let runs = try (1...3).map { try train(text, ranks: $0, in: folder, ["--iterations", "6"]) }
            for run in runs.dropFirst() {
                #expect(run.numbers.count == 6)
                for (found, expected) in zip(run.numbers, runs[0].numbers) {
                    let largest = expected.map(abs).max()!
                    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-3 * max(1, largest), "\(found), \(expected)") }
                }
            }
        }
    }

    /// Without Adam, which makes whole steps of rounding, the weights are the same up to rounding; with each loss and regularizer
    /// that is not a plain mean, too.
    @Test(arguments: [
        [], ["loss.name=relativistic", "regularizer.name=zero-centered", "regularizer.samples=both"],
        ["regularizer.name=maximum"], ["regularizer.name=dragan"],
    ])
    func oneStepOfGradientDescentGivesTheSameWeights(settings: [String]) throws {
        let folder = try TemporaryFolder()
        let words =
            ["--iterations", "1"] + (["optimizer.name=sgd", "optimizer.learning_rate=0.1"] + settings).flatMap { ["--set", $0] }
        let text = settings.contains("loss.name=relativistic") ? mixed : plain
        let runs = try [1, 3].map { try train(text, ranks: $0, in: folder, words) }
        for (name, expected) in runs[0].weights {
            let found = try #require(runs[1].weights[name])
            let scale = expected.map(abs).max()!
            let apart = zip(found, expected).map { abs($0 - $1) }.max()!
            #expect(apart <= 1e-6 * max(scale, 1e-3), "\(name): \(apart) of \(scale)")
        }
    }

    @Test func aNumberOfRanksRepeatsBitForBitAndAnotherGoesOn() throws {
        let folder = try TemporaryFolder()
        let runs = try (0..<2).map { _ in try train(mixed, ranks: 2, in: folder, ["--iterations", "4"]) }
        #expect(runs[0].numbers == runs[1].numbers)
        #expect(runs[0].weights == runs[1].weights)
        let whole = try train(mixed, ranks: 1, in: folder, ["--iterations", "8"])
        let outcome = try Ranks.start(3, ["train", "--resume", runs[0].folder, "--iterations", "8"], in: folder.path)
        #expect(outcome.status == 0 && outcome.output.contains("on each of 3 ranks"), "\(outcome)")
        let resumed = try Trained(runs[0].folder)
        #expect(resumed.numbers.count == 8)
        for (found, expected) in zip(resumed.numbers, whole.numbers) {
            for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-3 * max(1, expected.map(abs).max()!)) }
        }
    }

    @Test func theFirstRankSpeaks() throws {
        let folder = try TemporaryFolder()
        let run = try train(plain, ranks: 2, in: folder, ["--iterations", "1"])
        let outcome = try Ranks.start(2, ["train", "run.json", "--out", run.folder], in: folder.path)
        #expect(outcome.status == 73)
        #expect(outcome.errors.split(separator: "\n").filter { $0.contains("kanto train: ") }.count == 1, "\(outcome.errors)")
        let tooFew = try Ranks.start(3, ["train", "run.json", "--out", "few", "--set", "batch_size=2"], in: folder.path)
        #expect(tooFew.status == 65 && tooFew.errors.contains("a batch of 2 for 3 ranks"), "\(tooFew)")
    }

    /// One line names it, and the last checkpoint.
    @Test func aRankThatIsKilledEndsTheJob() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write(plain, to: "run.json")
        let words = ["train", "run.json", "--iterations", "1000000", "--out", "run"]
        var killed = false
        let outcome = try Ranks.start(2, words, in: folder.path) {
            let checkpoints = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/run/checkpoints")) ?? []
            guard !killed, checkpoints.contains(where: { $0.hasPrefix("iteration-") }) else { return }
            guard let process = Ranks.process(ofRank: 1, in: folder.path) else { return }
            killed = kill(process, SIGKILL) == 0
        }
        #expect(killed && outcome.status != 0)
        let lines = outcome.errors.split(separator: "\n").filter { $0.contains("kanto train: ") }
        #expect(lines.count == 1, "\(outcome.errors)")
        let line = String(lines.first ?? "")
        for part in ["rank 0 of 2: rank 1 has not answered", "the last checkpoint is run/checkpoints/iteration-", "--resume run"]
        {
            #expect(line.contains(part), "\(line)")
        }
        let log = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)
        let count = log.split(separator: "\n").count + 2
        let resumed = try Ranks.start(1, ["train", "--resume", "run", "--iterations", "\(count)"], in: folder.path)
        #expect(resumed.status == 0 && resumed.output.contains("going on with run"), "\(resumed)")
        #expect(try Trained(folder.path + "/run").numbers.count == count)
    }

    /// Another instruction set rounds otherwise: one line says which rank it was, and no checkpoint is written.
    @Test func aRankThatHasDriftedIsNamed() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write(plain, to: "run.json")
        let words = [
            "sh", "-c", "[ ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} = 2 ] && export KANTO_ISA=baseline; exec \"$0\" \"$@\"",
            Ranks.built + "/kanto",
        ]
        let outcome = try Ranks.run(
            ["mpirun", "-n", "3"] + words + ["train", "run.json", "--iterations", "50", "--out", "run"], in: folder.path)
        #expect(outcome.status == 70)
        let lines = outcome.errors.split(separator: "\n").filter { $0.contains("kanto train: ") }
        #expect(lines.count == 1, "\(outcome.errors)")
        #expect(
            outcome.errors.contains(
                "rank 0 of 3: after iteration 2 the weights or the data of rank 2 are not those of the others"),
            "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/run/checkpoints").isEmpty)
    }

    @Test func sumsAreMeasured() throws {
        let words = ["bench", "all-reduce", "--largest", "1", "--seconds", "0.2", "--json"]
        let outcome = try Ranks.start(3, words, in: "/tmp")
        #expect(outcome.status == 0, "\(outcome)")
        let lines = outcome.output.split(separator: "\n")
        #expect(
            lines.count == 7 && lines.allSatisfy { $0.contains("\"ranks\": 3") && $0.contains("\"median_us\"") }, "\(outcome)")
    }

    @Test func aSharedIterationIsTimed() throws {
        let outcome = try Ranks.start(2, ["bench", "steps", "toy", "--seconds", "0.2", "--json"], in: "/tmp")
        #expect(outcome.status == 0, "\(outcome)")
        let lines = outcome.output.split(separator: "\n")
        #expect(
            lines.count == 1 && lines[0].contains("\"step\": \"iteration\"") && lines[0].contains("\"ranks\": 2"), "\(outcome)")
        // Five steps of the critic and one of the generator, each of 2 · 512 + 2 · 512² weights and as many biases as outputs.
        let hidden = 2 * 512 + 2 * 512 * 512 + 3 * 512
        #expect(lines[0].contains("\"summed_bytes\": \(4 * (5 * (hidden + 512 + 1) + hidden + 2 * 512 + 2)),"), "\(outcome)")
        let waiting = lines[0].range(of: "\"waiting\": ").map { lines[0][$0.upperBound...].prefix { $0 != "," } }.flatMap {
            Double($0)
        }
        #expect(0..<1 ~= waiting ?? -1, "\(outcome)")
        let text = try Ranks.start(2, ["bench", "steps", "toy", "--seconds", "0.2"], in: "/tmp")
        #expect(text.output.contains("2 ranks, waiting "), "\(text)")
    }
}

/// What needs no launcher.
struct AloneTests {
    /// Ranks that cannot talk to each other do nothing at all.
    @Test func aLauncherWithoutThePluginIsAnError() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: Ranks.built + "/kanto", toPath: folder.path + "/kanto")
        let variables = ["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"]
        let outcome = try Ranks.run([folder.path + "/kanto", "train", "--out", "run"], in: folder.path, variables)
        #expect(outcome.status == 64)
        #expect(outcome.errors.hasPrefix("kanto train: a launcher has started 2 ranks of this program, and there is no plugin"))
        #expect(outcome.errors.contains("apt-get install libopenmpi-dev") && outcome.errors.contains("KANTO_COMMUNICATOR=none"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
        let alone = try Ranks.run(
            [folder.path + "/kanto", "train", "--out", "run", "--iterations", "1"], in: folder.path,
            variables.merging(["KANTO_COMMUNICATOR": "none"]) { $1 })
        #expect(alone.status == 0, "\(alone)")
        let sums = try Ranks.run([folder.path + "/kanto", "bench", "all-reduce"], in: folder.path)
        #expect(sums.status == 64 && sums.errors.contains("mpirun -n 2"), "\(sums)")
    }
}

/// A run's folder as a user finds it.
private struct Trained {
    let folder: String
    /// Of each iteration: losses, Wasserstein estimate, penalty and norms.
    let numbers: [[Double]]
    let weights: [String: [Float]]

    init(_ folder: String) throws {
        self.folder = folder
        let lines = try String(contentsOfFile: folder + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        numbers = try lines.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return [
                "critic_loss", "wasserstein_estimate", "penalty", "gradient_norm_mean", "gradient_norm_max", "generator_loss",
            ]
            .map { object[$0] as? Double ?? .nan }
        }
        let file = try SafetensorsFile(contentsOf: folder + "/checkpoints/final.safetensors")
        var weights: [String: [Float]] = [:]
        for name in file.names where name.hasPrefix("critic.") || name.hasPrefix("generator.") {
            weights[name] = try file.array(name).floats
        }
        self.weights = weights
    }
}

private enum Ranks {
    static let built = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path

    static let canBeStarted: Bool = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.contains { FileManager.default.isExecutableFile(atPath: $0 + "/mpirun") }
            && FileManager.default.fileExists(atPath: built + "/libKantoMPI.so")
    }()

    /// As a launcher of either MPI takes it: as root, with more ranks than cores.
    private static let variables = [
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_hwloc_base_binding_policy": "none", "KANTO_TUNING": "off", "KANTO_NUM_THREADS": "1",
    ]

    static func start(
        _ count: Int, _ words: [String], in folder: String, whileRunning: () -> Void = {}
    ) throws -> Outcome {
        try run(["mpirun", "-n", "\(count)", built + "/kanto"] + words, in: folder, whileRunning: whileRunning)
    }

    static func run(
        _ words: [String], in folder: String, _ more: [String: String] = [:], whileRunning: () -> Void = {}
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KANTO_") }
            .merging(variables) { $1 }.merging(more) { $1 }
        let files = try [UUID().uuidString, UUID().uuidString].map { name in
            let path = NSTemporaryDirectory() + name
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            return (path, try #require(FileHandle(forWritingAtPath: path)))
        }
        defer { for (path, _) in files { unlink(path) } }
        (process.standardOutput, process.standardError) = (files[0].1, files[1].1)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        while process.isRunning {
            whileRunning()
            usleep(20_000)
        }
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOfFile: files[0].0, encoding: .utf8),
            errors: try String(contentsOfFile: files[1].0, encoding: .utf8))
    }

    /// The process of a rank that runs in a folder.
    static func process(ofRank rank: Int, in folder: String) -> pid_t? {
        let folder = URL(filePath: folder).resolvingSymlinksInPath().path
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).lazy.compactMap { pid_t($0) }.first {
            process in
            guard (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")) == folder,
                let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ")
            else { return false }
            let variables = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return variables.contains("OMPI_COMM_WORLD_RANK=\(rank)") || variables.contains("PMI_RANK=\(rank)")
        }
    }
}
