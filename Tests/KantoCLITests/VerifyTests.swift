import Foundation
import Testing

struct VerifyTests {
    @Test func aSoundBackendHolds() throws {
        let outcome = try kanto("verify", "--backend", "simd-baseline", "--random", "20", "--op", "reduce")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("OP") && lines[0].hasSuffix("simd-baseline"), "\(outcome.output)")
        #expect(lines[1].hasPrefix("reduce f32  served "), "\(outcome.output)")
        #expect(lines[2].hasPrefix("holds: "), "\(outcome.output)")
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    }

    /// A plugin that takes matmul alone, declines m > 4 and leaves the output as it is.
    private static let plugin = """
        #include <kanto_backend.h>
        #include <stdlib.h>
        #include <string.h>
        const kanto_version kanto_plugin_version = {
          KANTO_ABI_MAGIC, sizeof(kanto_version), KANTO_ABI_MAJOR, KANTO_ABI_MINOR, 0, "probe"};
        static kanto_status run(const kanto_kernel *kernel, const kanto_arguments *arguments, kanto_message *message) {
          BODY
          return KANTO_STATUS_OK;
        }
        static void release(kanto_kernel *kernel) { free(kernel); }
        static kanto_status make(const kanto_backend *backend, const kanto_problem *problem, const kanto_host *host,
                                 kanto_kernel **kernel, kanto_message *message) {
          if (problem->matmul.m > 4) { strcpy(message->text, "m is above 4"); return KANTO_STATUS_DECLINED; }
          *kernel = calloc(1, sizeof **kernel);
          (*kernel)->struct_size = sizeof **kernel;
          (*kernel)->run = run;
          (*kernel)->release = release;
          return KANTO_STATUS_OK;
        }
        static const kanto_backend table = {
          .struct_size = sizeof(kanto_backend), .name = "probe", .description = "a probe",
          .offers_f32 = KANTO_OFFER(KANTO_OP_MATMUL), .make = make};
        const kanto_backend *kanto_plugin_open(kanto_message *message) { return &table; }

        """

    private func verify(body: String, in folder: TemporaryFolder, _ options: String...) throws -> Outcome {
        let source = folder.path + "/probe.c", library = folder.path + "/libKantoProbe.so"
        try Self.plugin.replacing("BODY", with: body).write(toFile: source, atomically: false, encoding: .utf8)
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = [
            "cc", "-shared", "-fPIC", "-w", "-I", root.appending(path: "Sources/KantoABI/include").path, "-o", library, source,
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        let arguments = ["verify", "--backend", "probe", "--op", "matmul", "--random", "30", "--seed", "7"] + options
        return try kanto(arguments, environment: ["KANTO_PLUGIN_PATH": library])
    }

    @Test func aWrongPluginFailsAndEachFailureRepeats() throws {
        let folder = try TemporaryFolder()
        let outcome = try verify(body: "", in: folder)
        #expect(outcome.status == 1, "\(outcome.errors)")
        for words in ["is not written", "FAILED", "probe declined of matmul f32", "times: m is above 4", "\nfails: "] {
            #expect(outcome.output.contains(words), "\(outcome.output)")
        }

        let json = try verify(body: "", in: folder, "--json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(report["backend"] as? String == "probe" && report["op"] as? String == "matmul")
        let failures = try #require(report["failures"] as? [[String: String]])
        let failure = try #require(failures.last)
        // The last one is random; its own command finds it again.
        let words = try #require(failure["again"]).split(separator: " ").map(String.init)
        #expect(words.starts(with: ["kanto", "verify", "--backend", "probe", "--op", "matmul", "--random", "1", "--seed"]))
        let again = try kanto(
            Array(words.dropFirst()) + ["--json"], environment: ["KANTO_PLUGIN_PATH": folder.path + "/libKantoProbe.so"])
        let repeated = try #require(try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any])
        #expect((repeated["failures"] as? [[String: String]])?.last == failure)
    }

    @Test func aCrashTellsTheProblem() throws {
        let outcome = try verify(body: "*(volatile int *)8 = 1;", in: try TemporaryFolder())
        #expect(outcome.status == SIGSEGV)
        #expect(outcome.errors.hasPrefix("kanto verify: probe crashed at matmul f32 "), "\(outcome.errors)")
    }
}
