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

    @Test func onePrecision() throws {
        let outcome = try kanto("verify", "--backend", "reference", "--precision", "bfloat16", "--largest", "2000", "--values", "exact")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 6 && lines[1].hasPrefix("matmul f32 ") && lines[5].hasPrefix("holds: "), "\(outcome.output)")
        let both = try kanto("verify", "--precision", "bfloat16", "--problem", "matmul m1 n1 k1")
        #expect(both.status == 64 && both.errors.contains("--problem is one problem"), "\(both.errors)")
    }

    @Test func oneKindOfValues() throws {
        let folder = try TemporaryFolder()
        let outcome = try verify(run: "", in: folder, "--values", "exact")
        #expect(outcome.status == 1 && outcome.output.contains("[exact values") && !outcome.output.contains("normal values"))
        let wrong = try kanto("verify", "--values", "nice")
        #expect(wrong.status == 64 && wrong.errors.contains("'exact', 'normal', 'special', 'denormal' or 'distant'"), "\(wrong.errors)")
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
        #expect(failure["failure"]?.contains("seed ") == true && failure["again"]?.contains(" --seed ") == true)
        #expect(failures.first?["again"]?.hasPrefix("kanto verify --backend probe --problem \"matmul f32 ") == true)
        for failure in [failure, try #require(failures.first)] {
            let command = try #require(failure["again"]).dropFirst("kanto ".count)
            let quoted = command.split(separator: "\"").map(String.init)
            let words = [quoted[0], quoted[2]].map { $0.split(separator: " ").map(String.init) }
            let again = try kanto(
                words[0] + [quoted[1]] + words[1] + ["--json"], environment: ["KANTO_PLUGIN_PATH": folder.path + "/libKantoProbe.so"])
            let repeated = try #require(try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any])
            #expect(repeated["failures"] as? [[String: String]] == [failure])
        }
    }

    /// A fault that comes on any number of threads is not one of threads.
    @Test(arguments: [
        ("1", "breaks a rule: output 0 is 1.0 at 0", "thread"), ("(arguments->host->thread_count == 2 ? 1 : product)", "on two threads, not on one, output 0", ""),
        ("(arguments->host->thread_count == 1 ? 1 : product)", "on one thread, not on two, output 0", ""),
    ])
    func threadsAreNamedWhereTheyMatter(_ value: String, _ words: String, _ absent: String) throws {
        let run = """
            float product = 0;
            for (int64_t p = 0; p < problem->k; p++)
              product += ((const float *)arguments->inputs[0])[p] * ((const float *)arguments->inputs[1])[p];
            *(float *)arguments->outputs[0] = \(value);

            """
        let folder = try TemporaryFolder()
        _ = try verify(run: run, in: folder)
        let outcome = try kanto(
            "verify", "--backend", "probe", "--problem", "matmul m1 n1 k9", "--values", "exact",
            environment: ["KANTO_PLUGIN_PATH": folder.path + "/libKantoProbe.so"])
        #expect(outcome.status == 1 && outcome.output.contains(words), "\(outcome)")
        #expect(absent.isEmpty || !outcome.output.contains(absent), "\(outcome)")
    }

    @Test func oneProblemAlone() throws {
        let outcome = try kanto("verify", "--backend", "simd", "--problem", "conv2d h5 w4 c3 k3 p1 o2 relu")
        #expect(outcome.status == 0 && outcome.output.contains("holds: 1 problems served"), "\(outcome)")
        // Scalars are those of the list.
        #expect(try kanto("verify", "--backend", "simd", "--problem", "optimize adam [19]").output.contains("holds: 1 problems"))
        #expect(try kanto("verify", "--backend", "simd", "--problem", "optimize adam [17]").output.contains("holds: 2 problems"))
        let double = try kanto("verify", "--backend", "simd", "--problem", "matmul f64 m1 n1 k1")
        #expect(double.status == 64 && double.errors.contains("does not offer matmul in f64"), "\(double)")
        #expect(try kanto("verify", "--problem", "matmul m1 n1 k1", "--op", "matmul").status == 64)
        #expect(try kanto("verify", "--problem", "matmul m1 n1").errors.contains("matmul lacks the inner size"))
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
        #expect(outcome.errors.hasPrefix("kanto: crashed in probe at matmul f32 "), "\(outcome.errors)")
    }
}
