import Foundation
import TestSupport
import Testing

@testable import KantoKernels

@Suite struct TuningTableTests {
    private let key = TuningTable.Key(problem: "matmul f32 m3 n4 k5", threadCount: 2)

    private func table(_ environment: String = "here") -> TuningTable {
        var table = TuningTable(environment: environment)
        table[key] = [.init(backend: "simd-avx2", seconds: 2e-6), .init(backend: "onednn", seconds: 1.5e-6)]
        return table
    }

    private func written(_ table: TuningTable, to folder: String) -> String? {
        TuningTable.withFolderLocked(folder) { table.write(folder: folder) }
    }

    @Test func comesBackFastestFirst() {
        var read = TuningTable(environment: "here")
        #expect(read.merge(table().text) == nil)
        #expect(read == table())
        #expect(read[key]?.map(\.backend) == ["onednn", "simd-avx2"])
    }

    @Test func whatWasMeasuredHereStands() {
        var mine = TuningTable(environment: "here")
        mine[key] = [.init(backend: "cblas", seconds: 1)]
        #expect(mine.merge(table().text) == nil)
        #expect(mine[key]?.map(\.backend) == ["cblas"])
    }

    @Test(arguments: [
        ("", "it does not begin with 'kanto tuning 1'"),
        ("kanto tuning 2\nhere\n", "it does not begin with 'kanto tuning 1'"),
        ("kanto tuning 1\nelsewhere\n", "its times are of another machine or version"),
        ("kanto tuning 1", "its times are of another machine or version"),
        ("kanto tuning 1\nhere\nnonsense\n", "1 of its 1 entries cannot be read"),
        ("kanto tuning 1\nhere\n2\tsimd=1\tmatmul m1 n1\n", "1 of its 1 entries cannot be read"),
        ("kanto tuning 1\nhere\n2\tsimd=-1\tmatmul m1 n1 k1\n", "1 of its 1 entries cannot be read"),
        ("kanto tuning 1\nhere\n2\tsimd=nan\tmatmul m1 n1 k1\n", "1 of its 1 entries cannot be read"),
        ("kanto tuning 1\nhere\n0\tsimd=1\tmatmul m1 n1 k1\n", "1 of its 1 entries cannot be read"),
        ("kanto tuning 1\nhere\n2\t\tmatmul m1 n1 k1\n", "1 of its 1 entries cannot be read"),
        ("kanto tuning 1\nhere\n1\tsimd=1\tmatmul m1 n1 k1\n2\tsimd=1\n", "1 of its 2 entries cannot be read"),
    ])
    func badFilesAreNamed(text: String, fault: String) {
        var table = TuningTable(environment: "here")
        #expect(table.merge(text) == fault)
        #expect(table.entries.count == (text.contains("n1 k1\n2") ? 1 : 0))
    }

    @Test func damageNeverTraps() {
        let bytes = Array(table().text.utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            damaged.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            var table = TuningTable(environment: "here")
            _ = table.merge(String(decoding: damaged, as: UTF8.self))
        }
    }

    @Test func anEnvironmentHasItsOwnFile() {
        #expect(table("a").fileName != table("b").fileName && table("a").fileName == table("a").fileName)
        #expect(TuningTable.folder(environment: ["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/kanto")
        // The standard has relative paths ignored.
        #expect(TuningTable.folder(environment: ["XDG_CACHE_HOME": "c", "HOME": "/h"]) == "/h/.cache/kanto")
        #expect(TuningTable.folder(environment: [:]) == nil)
    }

    @Test func writesAtomicallyOrSaysWhyNot() throws {
        let folder = try TemporaryFolder()
        #expect(written(table(), to: folder.path + "/cache/kanto") == nil)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache/kanto")
        #expect(names == [table().fileName])
        let file = try folder.write("", to: "file")
        #expect(written(table(), to: file + "/kanto")?.contains("Not a directory") == true)
    }
}

@Suite struct TunerTests {
    /// Computes a dense matmul as it should, after a rest.
    private static func plugin(rightly: Bool = true) -> PluginSource {
        var source = PluginSource(name: rightly ? "slow" : "wrong")
        source.header = "#include <kanto_backend.h>\n#include <unistd.h>\nstatic kanto_matmul size;"
        source.make = "size = problem->matmul;"
        source.run = """
            const float *a = arguments->inputs[0], *b = arguments->inputs[1];
            float *c = arguments->outputs[0];
            usleep(3000);
            for (int64_t i = 0; i < size.m; i++)
              for (int64_t j = 0; j < size.n; j++) {
                float sum = 0;
                for (int64_t p = 0; p < size.k; p++) sum += a[i * size.k + p] * b[p * size.n + j];
                c[i * size.n + j] = \(rightly ? "sum" : "sum * 1.0001f");
              }
            return KANTO_STATUS_OK;
            """
        return source
    }

    private let problem = Problem.matmul(m: 4, n: 16, k: 8)

    private func registry(_ folder: TemporaryFolder, _ source: PluginSource, _ tuning: String) throws -> Registry {
        let file = "libKanto\(source.name).so"
        let library = FileManager.default.fileExists(atPath: folder.path + "/" + file)
            ? folder.path + "/" + file : try source.compile(in: folder)
        return try makeRegistry(["KANTO_PLUGIN_PATH": library, "XDG_CACHE_HOME": folder.path, "KANTO_TUNING": tuning])
    }

    private func times(_ registry: Registry) throws -> [TuningTable.Time]? {
        try registry.selection(["auto"]).tuner?.times(of: problem, threadCount: 1)
    }

    private func cacheFile(_ folder: TemporaryFolder) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/kanto")
        #expect(names.count == 1)
        return folder.path + "/kanto/" + (names.first ?? "")
    }

    @Test func theFasterBackendIsKeptAndChosen() throws {
        let folder = try TemporaryFolder()
        let tuning = try registry(folder, Self.plugin(), "tune")
        let chosen = try tuning.kernel(problem, "auto").backend.name
        let measured = try #require(try times(tuning))
        #expect(measured.last?.backend == "slow" && measured.last!.seconds > 2e-3)
        // simd stays where another is faster by no more than the noise of a measurement.
        let time = try #require(measured.first { $0.backend == chosen }).seconds
        #expect(chosen == measured[0].backend || chosen.hasPrefix("simd-") && time <= measured[0].seconds * 1.03)

        // Somebody edits the file: a reader goes by it and measures nothing.
        let file = try cacheFile(folder)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let line = text.split(separator: "\n")[2].split(separator: "\t")
        let simd = try #require(line[1].split(separator: " ").first { $0.hasPrefix("simd-") })
        let edited = text.replacingOccurrences(of: String(line[1]), with: "slow=1e-9 \(simd)")
        try edited.write(toFile: file, atomically: true, encoding: .utf8)
        let reading = try registry(folder, Self.plugin(), "cache")
        #expect(try reading.kernel(problem, "auto").backend.name == "slow")
        let selection = try reading.selection(["auto"])
        let explanation = try reading.explain(problem, selection: selection, threadCount: 1)
        #expect(explanation.server?.name == "slow" && explanation.times["slow"] == 1e-9)
        // A lead within the noise changes nothing.
        let name = String(simd.prefix { $0 != "=" })
        for (simdTime, chosen) in [("1.02e-6", name), ("1.05e-6", "slow")] {
            let close = text.replacingOccurrences(of: String(line[1]), with: "slow=1e-6 \(name)=\(simdTime)")
            try close.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try registry(folder, Self.plugin(), "cache").kernel(problem, "auto").backend.name == chosen)
        }
        try edited.write(toFile: file, atomically: true, encoding: .utf8)
        // Without times of its own a problem goes to simd, and other ops are never a plugin's.
        #expect(try reading.kernel(.matmul(m: 4, n: 4, k: 4), "auto").backend.name.hasPrefix("simd-"))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == edited)
        // Nobody asks the cache where it is off, or where a backend is named.
        #expect(try registry(folder, Self.plugin(), "off").kernel(problem, "auto").backend.name.hasPrefix("simd-"))
        #expect(try reading.kernel(problem, "simd").backend.name.hasPrefix("simd-"))
    }

    /// What was chosen once is chosen again where there are no times, or others.
    @Test func choicesAreReplayed() throws {
        let folder = try TemporaryFolder()
        _ = try registry(folder, Self.plugin(), "tune").kernel(problem, "auto")
        let file = try cacheFile(folder)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let line = text.split(separator: "\n")[2].split(separator: "\t")
        try text.replacingOccurrences(of: String(line[1]), with: "slow=1e-9 simd-baseline=1").write(toFile: file, atomically: true, encoding: .utf8)
        let first = try registry(folder, Self.plugin(), "cache")
        #expect(first.choices == nil)
        _ = try first.kernel(problem, "auto")
        _ = try first.kernel(.matmul(m: 4, n: 4, k: 4), "auto")
        _ = try first.kernel(.iteration(.unary, .exp, extents: [3]), "auto")
        let choices = try #require(first.choices)
        #expect(choices == "simd\tmatmul f32 m4 n4 k4\nslow\tmatmul f32 m4 n16 k8")

        let again = try registry(folder, Self.plugin(), "off")
        try again.replay(choices)
        #expect(try again.kernel(problem, "auto").backend.name == "slow")
        #expect(try again.kernel(.matmul(m: 4, n: 4, k: 4), "auto").backend.name.hasPrefix("simd-"))
        #expect(again.choices == choices)
        // Who names a backend gets it.
        #expect(try again.kernel(problem, "simd").backend.name.hasPrefix("simd-"))
        #expect(throws: KernelError.self) { try again.replay("faraway\tmatmul f32 m4 n16 k8") }
        try again.replay("nonsense\nslow\tno problem")
    }

    @Test func aWrongBackendIsNotEligible() throws {
        let folder = try TemporaryFolder()
        let tuning = try registry(folder, Self.plugin(rightly: false), "tune")
        #expect(try tuning.kernel(problem, "auto").backend.name != "wrong")
        #expect(try times(tuning)?.contains { $0.backend == "wrong" } != true)
        #expect(Said.lines(with: "wrong is not considered for matmul f32 m4 n16 k8").count == 1)
    }

    /// Where it is held against the reference, or only later, where it is timed: it is told, and the others are measured.
    @Test(arguments: [("broken", 0), ("broken-later", 1)]) func aBackendThatFailsIsTold(_ name: String, _ goodRunCount: Int) throws {
        let folder = try TemporaryFolder()
        var source = Self.plugin()
        source.name = name
        source.run = """
            static int run_count;
            if (run_count++ >= \(goodRunCount)) { say(message, "out of paper"); return KANTO_STATUS_FAILED; }
            \(source.run)
            """
        var another = Self.plugin()
        another.name = name + "-other"
        let libraries = try [source.compile(in: folder), another.compile(in: folder)]
        let tuning = try makeRegistry([
            "KANTO_PLUGIN_PATH": libraries.joined(separator: ":"), "XDG_CACHE_HOME": folder.path, "KANTO_TUNING": "tune",
        ])
        let problem = Problem.matmul(m: 6, n: 16, k: 8)
        #expect(try tuning.kernel(problem, "auto").backend.name != name)
        let times = try #require(try tuning.selection(["auto"]).tuner?.times(of: problem, threadCount: 1))
        #expect(times.contains { $0.backend == another.name } && !times.contains { $0.backend == name })
        #expect(Said.lines(with: " \(name) is not considered for matmul f32 m6 n16 k8: it fails: out of paper").count == 1)
    }

    @Test func aForeignFileIsPassedOver() throws {
        let folder = try TemporaryFolder()
        _ = try registry(folder, Self.plugin(), "tune").kernel(problem, "auto")
        let file = try cacheFile(folder)
        try "kanto tuning 1\nanother machine\n".write(toFile: file, atomically: true, encoding: .utf8)
        let reading = try registry(folder, Self.plugin(), "cache")
        #expect(try reading.kernel(problem, "auto").backend.name.hasPrefix("simd-"))
        #expect(!Said.lines(with: "its times are of another machine or version").isEmpty)
    }

    @Test func withoutTimesNoPluginIsOpened() throws {
        let folder = try TemporaryFolder()
        let reading = try registry(folder, Self.plugin(), "cache")
        #expect(try reading.selection(["auto"]).tuner == nil)
        #expect(try reading.selection(["auto"]).backends.count == 2)
    }
}
