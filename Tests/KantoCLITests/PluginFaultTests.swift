import Foundation
import TestSupport
import Testing

/// What the tool says of a plugin that takes the process with it.
struct PluginFaultTests {
    private let line = "matmul f32 m1 n1 k1"

    private func plugin(_ folder: TemporaryFolder, _ change: (inout PluginSource) -> Void) throws -> String {
        var source = PluginSource()
        source.header += "\n#include <signal.h>\n#include <unistd.h>"
        change(&source)
        return try source.compile(in: folder, as: "libKantoProbe.so")
    }

    /// As it is loaded, or in its own function: its file is named, and nobody meets it who does not open it.
    @Test(arguments: ["loaded", "opened"]) func aCrashOfOpeningNamesTheFile(_ moment: String) throws {
        let folder = try TemporaryFolder()
        let path = try plugin(folder) { source in
            if moment == "loaded" {
                source.header += "\n__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }"
            } else {
                source.open = "*(volatile int *)8 = 1; return &table;"
            }
        }
        let told = "kanto: crashed in plugin \(path), which was being opened\n"
        for command in [["backends"], ["verify", "--backend", "probe", "--problem", line], ["explain", line]] {
            let outcome = try kanto(command, environment: ["KANTO_PLUGIN_PATH": path])
            #expect(outcome.status == SIGSEGV && outcome.errors.hasPrefix(told), "\(command): \(outcome)")
        }
        for variables in [["KANTO_BACKEND": "simd"], [:]] {
            let environment = variables.merging(["KANTO_PLUGIN_PATH": path]) { $1 }
            for command in [["presets"], ["train", "--iterations", "1", "--out", folder.path + "/run-\(variables.count)"]] {
                let outcome = try kanto(command, environment: environment)
                #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(command): \(outcome)")
            }
        }
        let explained = try kanto("explain", line, environment: ["KANTO_PLUGIN_PATH": path, "KANTO_BACKEND": "simd"])
        #expect(explained.status == 0 && explained.output.contains("probe"), "\(explained)")
    }

    @Test func aPipeHoldsNobodyUp() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path + "/libKantoPipe.so", 0o600) == 0)
        let outcome = try kanto("backends", environment: ["KANTO_PLUGIN_PATH": folder.path])
        #expect(outcome.status == 0 && outcome.output.contains("libKantoPipe.so: a pipe, not a library"), "\(outcome)")
    }

    /// With the exit code of a fault, whatever the plugin's own is.
    @Test(arguments: ["opened", "made", "run", "verified", "worker"]) func anExitIsTold(_ moment: String) throws {
        let folder = try TemporaryFolder()
        let leave = "exit(0);"
        let path = try plugin(folder) { source in
            source.header += "\n#include <stdlib.h>\nstatic void leave(void *context, int64_t index, int64_t worker) { if (worker > 0) exit(0); }"
            switch moment {
            case "opened": source.open = leave + " return &table;"
            case "made": source.make = leave
            case "worker":
                source.run = """
                    for (;;) arguments->host->parallel_for(arguments->host, 2, leave, NULL);
                    return KANTO_STATUS_OK;
                    """
            default: source.run = leave
            }
        }
        let command = moment == "verified" ? ["verify", "--backend", "probe", "--problem", line]
            : ["bench", line, "--backend", "probe", "--threads", "2", "--seconds", "0.01"]
        let outcome = try kanto(command, environment: ["KANTO_PLUGIN_PATH": path])
        let place = switch moment {
        case "opened": "plugin \(path), which was being opened"
        case "verified": "probe at \(line)"
        default: "plugin probe (\(path)) at \(line)"
        }
        #expect(outcome.status == 70 && outcome.errors.hasSuffix("kanto: exit was called in \(place)\n"), "\(outcome)")
    }

    @Test(arguments: ["bench", "verify"]) func aHangIsToldOnce(_ command: String) throws {
        let folder = try TemporaryFolder()
        let path = try plugin(folder) { source in
            source.run = "static int count; if (count++ == 0) sleep(8); " + source.run
        }
        let options = command == "bench" ? [line, "--seconds", "0.01"] : ["--problem", line, "--values", "exact"]
        let outcome = try kanto([command, "--backend", "probe"] + options, environment: ["KANTO_PLUGIN_PATH": path])
        let place = command == "bench" ? "plugin probe (\(path)) at \(line)" : "probe at \(line)"
        #expect(outcome.errors == "kanto: for 5 seconds now in \(place)\n", "\(outcome)")
    }
}
