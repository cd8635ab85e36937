import Foundation
import KantoData
import TestSupport
import Testing

/// What only a process of its own shows: where it finds plugins, and how many threads it has.
struct ProcessTests {
    private let built = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path

    private func run(
        _ words: [String], in folder: String, _ variables: [String: String] = [:], whileRunning: (pid_t) -> Void = { _ in }
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KANTO_") }.merging(variables) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        while process.isRunning {
            whileRunning(process.processIdentifier)
            usleep(2000)
        }
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            errors: String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }

    /// Found in PATH, a program knows itself by its name alone, and another file of that name may lie in its folder.
    @Test func pluginsBesideAProgramThatIsFoundInThePath() throws {
        let (home, elsewhere) = (try TemporaryFolder(), try TemporaryFolder())
        try FileManager.default.copyItem(atPath: built + "/kanto", toPath: home.path + "/kanto")
        _ = try PluginSource(name: "beside").compile(in: home)
        _ = try elsewhere.write("no program", to: "kanto")
        _ = try PluginSource(name: "elsewhere").compile(in: elsewhere)
        let path = home.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")
        for words in [["kanto", "backends"], [home.path + "/kanto", "backends"]] {
            let outcome = try run(words, in: elsewhere.path, ["PATH": path])
            #expect(outcome.status == 0 && outcome.output.contains("beside"), "\(outcome)")
            #expect(!outcome.output.contains("elsewhere"))
        }
        // Through a link, too.
        try FileManager.default.createSymbolicLink(atPath: elsewhere.path + "/linked", withDestinationPath: home.path + "/kanto")
        #expect(try run(["./linked", "backends"], in: elsewhere.path).output.contains("beside"))
    }

    /// Where no plugin was built, whoever wants one reads how to get it.
    @Test func absentPluginsAreToldWithTheirWay() throws {
        let home = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: built + "/kanto", toPath: home.path + "/kanto")
        let words = ["a plain 'swift build'", "apt-get install libdnnl-dev", "'swift package purge-cache'"]
        let list = try run(["./kanto", "backends"], in: home.path)
        #expect(list.status == 0 && words.allSatisfy(list.output.contains), "\(list)")
        let training = try run(
            ["./kanto", "train", "--iterations", "1", "--out", "run"], in: home.path, ["KANTO_BACKEND": "onednn"])
        #expect(training.status == 64 && words.allSatisfy(training.errors.contains), "\(training)")
        #expect(training.errors.contains("unknown backend 'onednn'; available: auto, simd"))
    }

    /// One set of worker threads serves the process, whoever owns it: a further thread in `KANTO_NUM_THREADS` is a further
    /// thread of the process.
    @Test(arguments: ["simd", "reference", "onednn", "onednn,simd", "simd,onednn", "cblas", "cblas,onednn"])
    func threadsAreThoseThatWereAskedFor(backends: String) throws {
        let names = backends.split(separator: ",")
        for name in names where !["simd", "reference"].contains(name) {
            let library = built + (name == "onednn" ? "/libKantoOneDNN.so" : "/libKantoCBLAS.so")
            guard FileManager.default.fileExists(atPath: library) else { return }
        }
        let folder = try TemporaryFolder()
        func threads(_ count: Int) throws -> Int {
            var most = 0
            let outcome = try run(
                [built + "/kanto", "train", "--iterations", "4", "--out", "run-\(count)"], in: folder.path,
                ["KANTO_BACKEND": backends, "KANTO_NUM_THREADS": "\(count)"]
            ) { process in
                most = max(most, (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").count) ?? 0)
            }
            #expect(outcome.status == 0, "\(outcome.errors)")
            return most
        }
        let one = try threads(1)
        #expect(try threads(4) == one + 3)
    }

    @Test func memoryThatTheSystemRefusesIsOneLine() throws {
        let command = "ulimit -v 3000000; exec '\(built)/kanto' bench 'unary copy [400000000]' --backend simd --seconds 0.01"
        let outcome = try run(["bash", "-c", command], in: "/", ["KANTO_NUM_THREADS": "1"])
        #expect(outcome.status == 71 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        #expect(outcome.errors.contains("out of memory: the system refuses 1600000000 bytes"), "\(outcome)")
    }

    @Test func verboseSaysWhatTheCacheDid() throws {
        let folder = try TemporaryFolder()
        let outcome = try run(
            [built + "/kanto", "train", "--iterations", "2", "--out", "run"], in: folder.path, ["KANTO_VERBOSE": "1"])
        let line = outcome.errors.split(separator: "\n").last.map(String.init) ?? ""
        #expect(line.hasPrefix("kanto: cache of kernels: ") && line.hasSuffix(" misses, 0 evictions"), "\(line)")
        #expect(!line.contains(": 0 hits") && !line.contains(" 0 misses"), "\(line)")
    }

    private func shell(_ command: String, in folder: TemporaryFolder, _ variables: [String: String] = [:]) throws -> Outcome {
        try run(["bash", "-c", command], in: folder.path, ["KANTO_TUNING": "off", "PATH": built + ":/usr/bin:/bin"].merging(variables) { $1 })
    }

    /// The next file that is opened must not take a closed stream's number: what is printed would go into it.
    @Test(arguments: [(">&-", Int32(73)), ("2>&-", 0), ("<&-", 0), ("<&- >&- 2>&-", 73)]) func closedStreams(_ closing: String, _ status: Int32) throws {
        let folder = try TemporaryFolder()
        let outcome = try shell("kanto train --iterations 3 --out run \(closing)", in: folder, ["KANTO_VERBOSE": "1"])
        #expect(outcome.status == status, "\(outcome)")
        if closing == ">&-" { #expect(outcome.errors.contains("standard output cannot be written: "), "\(outcome)") }
        let lines = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix(#"{"iteration":"#) && $0.hasSuffix("}") }, "\(lines)")
        // Nothing is lost of the run itself.
        #expect(FileManager.default.fileExists(atPath: folder.path + "/run/checkpoints/final.safetensors"))
    }

    @Test func helpThatCannotBeWrittenIsTold() throws {
        let outcome = try shell("kanto train --help > /dev/full", in: TemporaryFolder())
        #expect(outcome.status == 73 && outcome.errors.contains("standard output cannot be written: No space left"), "\(outcome)")
    }

    /// A figure that was lost is told although later ones could be written.
    @Test func outputThatWasLostOnTheWayIsTold() throws {
        let folder = try TemporaryFolder()
        let outcome = try shell("kanto bench nothing > /dev/full; kanto train --iterations 2 --out run > /dev/full", in: folder)
        #expect(outcome.status == 73 && outcome.errors.contains("kanto train: standard output cannot be written: "), "\(outcome)")
    }

    /// Where both streams go to one file, each line stands whole and in its place.
    @Test func linesOfBothStreamsAreWhole() throws {
        let folder = try TemporaryFolder()
        let golden = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/../KantoRunsTests/Goldens/conv_smooth.safetensors"
        // Enough lines to fill the buffer several times, with traces between them and an error at the end.
        let files = Array(repeating: "'\(golden)'", count: 8).joined(separator: " ")
        let outcome = try shell("kanto check \(files) missing.safetensors > log 2>&1", in: folder, ["KANTO_VERBOSE": "2", "KANTO_BACKEND": "simd"])
        #expect(outcome.status == 66)
        let lines = try String(contentsOfFile: folder.path + "/log", encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.filter { $0.hasPrefix("kanto: ") }.count > 100)
        for line in lines { #expect(line.ranges(of: "kanto: ").count <= 1 && (line.hasPrefix("kanto: ") || !line.contains("kanto: ")), "\(line)") }
        // Results come before what is said later.
        let ends = lines.indices.filter { lines[$0].hasPrefix("holds: ") }
        #expect(ends.count == 8 && lines[ends[0]...].contains { $0.hasPrefix("kanto: ") })
        #expect(lines.dropLast().last { !$0.hasPrefix("kanto: cache") }?.hasPrefix("kanto check: missing.safetensors: cannot be opened") == true)
    }

    /// Repaired, the name would be that of another file.
    @Test func argumentsThatAreNoTextAreRefused() throws {
        let folder = try TemporaryFolder()
        let outcome = try shell("kanto train --iterations 1 --out $'run-\\xff'", in: folder)
        #expect(outcome.status == 64 && outcome.errors.hasPrefix("kanto: argument 5, 'run-"), "\(outcome)")
        #expect(outcome.errors.contains("not valid UTF-8") && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func nothingIsLeftOfARunThatCannotBegin() throws {
        let folder = try TemporaryFolder()
        for words in ["--data missing", "--set batch_size=2000", "--data ."] {
            let outcome = try shell("kanto train --iterations 1 \(words)", in: folder)
            #expect([65, 66].contains(outcome.status), "\(outcome)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty, "\(words)")
        }
    }

    /// Files that are not what they should be, read under a limit of 2 GB.
    @Test func filesThatAskForMuchMemoryAreOneLine() throws {
        let folder = try TemporaryFolder()
        let golden = #"[["conv", 1, 1, 1, 1, 8000], ["avg_pool", 16000], ["flatten"], ["dense", 1, 1]]"#
        try writeGolden(layers: golden, to: folder.path + "/padding.safetensors")
        for (words, status, reason) in [
            ("check sparse", 65, "sparse: byte 8: expected a JSON object"), ("train --data sparse", 65, "sparse: byte 0: is of no format that is read"),
            ("train sparse.json", 65, "sparse.json: holds 3221225472 bytes"), ("check padding.safetensors", 65, "layers.0: conv: reads padded samples"),
            // Read as training asks for it.
            ("train --iterations 1 --data large", 0, "but the largest of the first 1048576 samples is 0"),
        ] as [(String, Int32, String)] {
            let outcome = try shell(
                "truncate -s 3G sparse sparse.json; "
                    + #"[ -e large ] || { printf '\0\0\x08\x03\x02\0\0\0\0\0\0\x08\0\0\0\x08' > large; truncate -s 2147483664 large; }; "#
                    + "ulimit -v 2000000; kanto \(words)", in: folder, ["KANTO_NUM_THREADS": "1"])
            #expect(outcome.status == status && outcome.errors.contains(reason), "\(words): \(outcome)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(words): \(outcome)")
        }
    }

    /// A golden file of one sample of 4x4, whose results do not matter.
    private func writeGolden(layers: String, to path: String) throws {
        func array(_ shape: Int...) throws -> NumericArray {
            try NumericArray(shape: shape, [Double](repeating: 0, count: shape.reduce(1, *)))
        }
        var arrays = try [
            "real": array(1, 1, 4, 4), "fake": array(1, 1, 4, 4), "input_gradient": array(1, 1, 4, 4), "penalty": array(), "loss": array(),
        ]
        for name in ["epsilon", "scores.real", "scores.fake", "scores.interpolated", "gradient_norm"] { arrays[name] = try array(1) }
        for kind in ["critic", "grad.critic", "adam.critic"] {
            (arrays["\(kind).0.weight"], arrays["\(kind).0.bias"]) = (try array(1, 1, 1, 1), try array(1))
            (arrays["\(kind).3.weight"], arrays["\(kind).3.bias"]) = (try array(1, 1), try array(1))
        }
        let texts = ["layers": layers, "regulariser": "gp", "lambda": "10", "learning_rate": "1e-4", "betas": "[0.0, 0.9]", "steps": "1"]
        try SafetensorsFile.write(arrays, metadata: texts, to: path)
    }

    /// What a loss of power must not take: the run's folders, the metrics and the checkpoint are synced, the checkpoint first.
    @Test(.enabled(if: PNG.isAvailable)) func aRunIsOnTheDisk() throws {
        let folder = try TemporaryFolder()
        let library = try compileLibrary(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <fcntl.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <unistd.h>
            static void note(const char *what, const char *path) {
              int file = open(getenv("CALLS"), O_WRONLY | O_APPEND | O_CREAT, 0600);
              dprintf(file, "%s %s\\n", what, path);
              close(file);
            }
            int fsync(int descriptor) {
              char link[64], path[4096];
              snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
              long count = readlink(link, path, sizeof path - 1);
              path[count < 0 ? 0 : count] = 0;
              note("sync", path);
              return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
            }
            int rename(const char *from, const char *to) {
              note("rename", to);
              return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
            }
            """, to: "libcalls.so", in: folder, options: ["-ldl"])
        let outcome = try shell(
            "kanto train --iterations 2 --set sample_interval=1 --out new/run", in: folder,
            ["LD_PRELOAD": library, "CALLS": folder.path + "/calls"])
        #expect(outcome.status == 0, "\(outcome)")
        let calls = try String(contentsOfFile: folder.path + "/calls", encoding: .utf8).replacing(folder.path, with: "").split(separator: "\n")
        for path in ["", "/new", "/new/run", "/new/run/metrics.jsonl", "/new/run/checkpoints", "/new/run/samples"] {
            #expect(calls.contains("sync \(path)"), "\(path): \(calls)")
        }
        for name in ["iteration-000001", "iteration-000002", "final"] {
            let checkpoint = try #require(calls.firstIndex(of: "rename new/run/checkpoints/\(name).safetensors"))
            let picture = try #require(calls.firstIndex(of: "rename new/run/samples/\(name).png"))
            #expect(checkpoint < picture)
            // The metrics of the iterations that the checkpoint has seen come first.
            #expect(calls[..<checkpoint].last { $0 == "sync /new/run/metrics.jsonl" || $0.hasPrefix("rename new/run/samples/") } == "sync /new/run/metrics.jsonl")
        }
    }

    /// Sends signals one by one, each when the run has gone on since the last.
    private func train(_ words: [String], in folder: TemporaryFolder, interruptedBy signals: [Int32]) throws -> Outcome {
        var (sent, lines) = (0, 0)
        return try run(words, in: folder.path, ["KANTO_TUNING": "off", "PATH": built + ":/usr/bin:/bin"]) { process in
            let metrics = (try? String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)) ?? ""
            let count = metrics.count { $0 == "\n" }
            if sent < signals.count, count > lines {
                kill(process, signals[sent])
                lines = count + 1
                sent += 1
            }
        }
    }

    /// Whatever ends it, a run is saved, and goes on by the words that it says.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func whatEndsARunSavesIt(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        let outcome = try train(["kanto", "train", "--out", "run"], in: folder, interruptedBy: [signal])
        #expect(outcome.status == 128 + signal, "\(outcome)")
        let line = try #require(outcome.output.split(separator: "\n").last)
        #expect(line.hasSuffix("; wrote run/checkpoints/interrupted.safetensors; go on with: kanto train --resume run"))
        let words = line.split(separator: " ")
        let iteration = try #require(words.firstIndex(of: "iteration").flatMap { Int(words[$0 + 1].dropLast()) })
        let other = try shell("kanto train --resume run --seed 3", in: folder)
        #expect(other.status == 64 && other.errors.contains("--seed cannot stand beside it, --iterations and --stop-when can"), "\(other)")
        let resumed = try shell("kanto train --resume run --iterations \(iteration + 2)", in: folder)
        #expect(resumed.status == 0, "\(resumed)")
        #expect(resumed.output.hasPrefix("going on with run on "))
        let metrics = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)
        #expect(metrics.split(separator: "\n").count == iteration + 2)
    }

    /// `nohup` ignores what a closed terminal sends, and the run goes on.
    @Test func aSignalThatIsIgnoredStaysIgnored() throws {
        let folder = try TemporaryFolder()
        let outcome = try train(
            ["sh", "-c", "trap '' HUP; exec kanto train --out run"], in: folder, interruptedBy: [SIGHUP, SIGINT])
        #expect(outcome.status == 130, "\(outcome)")
    }

    @Test func aPipeThatIsClosedSavesTheRun() throws {
        let folder = try TemporaryFolder()
        let outcome = try shell("(kanto train --out run; echo $? >status) | head -n 2", in: folder)
        #expect(try String(contentsOfFile: folder.path + "/status", encoding: .utf8) == "141\n", "\(outcome)")
        #expect(outcome.errors.contains("wrote run/checkpoints/interrupted.safetensors; go on with: kanto train --resume run"))
    }

    @Test func afterAnInterruptionTheCheckpointIsNamed() throws {
        let folder = try TemporaryFolder()
        let outcome = try train(["kanto", "train", "--out", "run"], in: folder, interruptedBy: [SIGINT])
        #expect(outcome.status == 130, "\(outcome)")
        let sample = try shell("kanto sample run --checkpoint final --out samples.npy", in: folder)
        #expect(sample.status == 66, "\(sample)")
        #expect(sample.errors == "kanto sample: run: there is no checkpoint 'final'; this run has 'interrupted'\n")
        #expect(try shell("kanto sample run --out samples.npy", in: folder).status == 0)
        #expect(try shell("kanto sample run --checkpoint interrupted --out samples.npy", in: folder).status == 0)
    }

    @Test func aRunThatIsNotThereHasANeighbor() throws {
        let folder = try TemporaryFolder()
        let training = try shell("KANTO_NUM_THREADS=1 kanto train --iterations 1", in: folder)
        #expect(training.status == 0 && training.output.contains(", 1 thread, into runs/digits-1"), "\(training)")
        let line = "there is no such run; did you mean 'runs/digits-1'?\n"
        for name in ["runs/digits-2", "digits-1", "runs/digit-1/"] {
            #expect(try shell("kanto sample \(name)", in: folder).errors == "kanto sample: \(name): \(line)")
            #expect(try shell("kanto train --resume \(name)", in: folder).errors == "kanto train: \(name): \(line)")
        }
        #expect(try shell("cd runs; kanto sample digits-9", in: folder).errors.hasSuffix("did you mean 'digits-1'?\n"))
        #expect(try shell("kanto sample xyzzy", in: folder).errors == "kanto sample: xyzzy: there is no such run\n")
        let other = "not the folder of a run, which has a config.json"
        for (name, meant) in [("runs", "runs/digits-1"), ("runs/digits-1/samples", "runs/digits-1")] {
            for command in ["sample", "evaluate", "report", "metrics", "train --resume"] {
                let outcome = try shell("kanto \(command) \(name)", in: folder)
                let path = command.prefix { $0 != " " }
                #expect(outcome.errors == "kanto \(path): \(name): \(other); did you mean '\(meant)'?\n", "\(outcome)")
                #expect(outcome.status == 66)
            }
        }
        #expect(try shell("mkdir empty; kanto evaluate empty", in: folder).errors == "kanto evaluate: empty: \(other)\n")
    }
}
