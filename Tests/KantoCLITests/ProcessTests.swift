import Foundation
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
        #expect(outcome.status == 70 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
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
}
