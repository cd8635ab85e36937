import Foundation
import TestSupport
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

    @Test func oneKindOfValues() throws {
        let folder = try TemporaryFolder()
        let outcome = try verify(run: "", in: folder, "--values", "exact")
        #expect(outcome.status == 1 && outcome.output.contains("[exact values") && !outcome.output.contains("normal values"))
        let wrong = try kanto("verify", "--values", "nice")
        #expect(wrong.status == 64 && wrong.errors.contains("'exact', 'normal' or 'special'"), "\(wrong.errors)")
    }

    /// Of a plugin that takes matmul alone, declines m > 4, and does nothing but `run`, which finds the problem as `problem`.
    private func verify(run: String, in folder: TemporaryFolder, _ options: String...) throws -> Outcome {
        var source = PluginSource()
        source.header += "\nstatic kanto_problem problem_of_run;"
        source.make += " problem_of_run = *problem;"
        source.run = "const kanto_matmul *problem = &problem_of_run.matmul; \(run) return KANTO_STATUS_OK;"
        source.finish = "(*kernel)->scratch_bytes = 100;"
        let library = try source.compile(in: folder, as: "libKantoProbe.so")
        let arguments = ["verify", "--backend", "probe", "--op", "matmul", "--random", "30", "--seed", "7"] + options
        return try kanto(arguments, environment: ["KANTO_PLUGIN_PATH": library])
    }

    @Test func aWrongPluginFailsAndEachFailureRepeats() throws {
        let folder = try TemporaryFolder()
        let outcome = try verify(run: "", in: folder)
        #expect(outcome.status == 1, "\(outcome.errors)")
        for words in ["is not written", "FAILED", "probe declined of matmul f32", "times: m is above 4", "\nfails: "] {
            #expect(outcome.output.contains(words), "\(outcome.output)")
        }

        let json = try verify(run: "", in: folder, "--json")
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

    @Test(arguments: [
        ("((char *)arguments->scratch)[100] = 0;", "the scratch is written beyond its end"),
        ("((char *)arguments->outputs[0])[-1] = 0;", "it is written before its start or beyond its end"),
        ("*(float *)arguments->inputs[0] += 1;", "input 0 is written"),
        ("fesetround(FE_UPWARD);", "the floating-point environment is changed"),
    ])
    func aBrokenRuleIsNamed(_ run: String, _ words: String) throws {
        let fill = """
            float *c = arguments->outputs[0];
            for (int64_t b = 0; b < problem->batch; b++)
              for (int64_t i = 0; i < problem->m; i++)
                for (int64_t j = 0; j < problem->n; j++)
                  c[b * problem->batch_stride_c + i * problem->row_stride_c + j] = 1;

            """
        let outcome = try verify(run: fill + run, in: try TemporaryFolder())
        #expect(outcome.status == 1 && outcome.output.contains("breaks a rule: "), "\(outcome.errors)")
        #expect(outcome.output.contains(words), "\(outcome.output)")
    }

    @Test func aCrashTellsTheProblem() throws {
        let outcome = try verify(run: "*(volatile int *)8 = 1;", in: try TemporaryFolder())
        #expect(outcome.status == SIGSEGV)
        #expect(outcome.errors.hasPrefix("kanto verify: probe crashed at matmul f32 "), "\(outcome.errors)")
    }
}
