import TestSupport
import Testing

@testable import KantoKernels

@Suite struct ExplanationTests {
    private func registry(_ names: [String], _ environment: [String: String] = [:]) throws -> Registry {
        let folder = try TemporaryFolder()
        let paths = try names.map { try PluginSource(name: $0).compile(in: folder) }
        let registry = try makeRegistry(
            environment.merging(["KANTO_PLUGIN_PATH": paths.joined(separator: ":"), "KANTO_ISA": "baseline"]) { $1 })
        // Opened before the folder goes.
        #expect(registry.backends.filter(\.isPlugin).count >= names.count)
        return registry
    }

    private func explain(_ registry: Registry, _ problem: Problem, _ list: String) throws -> Explanation {
        try registry.explain(problem, selection: try registry.selection(Configuration.names(list)), threadCount: 1)
    }

    @Test func everyoneIsAsked() throws {
        let registry = try registry(["explained"])
        let explanation = try explain(registry, .matmul(m: 5, n: 1, k: 1), "explained,reference")
        #expect(explanation.answers.map(\.backend.name) == ["explained", "reference", "simd-baseline"])
        #expect(explanation.answers[0].verdict == .declines(reason: "m is above 4"))
        for answer in explanation.answers.dropFirst() {
            guard case .makes(let kernel, let scratch) = answer.verdict else {
                Issue.record("\(answer.verdict)")
                continue
            }
            #expect(kernel.hasPrefix("matmul") && scratch > 0)
        }
        #expect(explanation.server?.name == "reference" && explanation.refuser == nil)

        let small = try explain(registry, .matmul(m: 4, n: 1, k: 1), "explained")
        #expect(small.answers[0].verdict == .makes(kernel: "explained", scratchByteCount: 0))
        #expect(small.server?.name == "explained" && small.answers.count == 3)

        let double = try explain(registry, .matmul(.float64, m: 4, n: 1, k: 1), "explained")
        #expect(double.answers.prefix(2).map(\.verdict) == [.notOffered, .notOffered])
        #expect(double.server?.name == "reference")
        // Nothing is said and nothing is kept.
        #expect(Said.lines(with: "explained").isEmpty)
        #expect(registry.cacheStatistics == (hits: 0, misses: 0, evictions: 0))
    }

    @Test func agreesWithTheKernelThatIsMade() throws {
        for isStrict in [false, true] {
            let registry = try registry(["agrees-\(isStrict)"], isStrict ? ["KANTO_STRICT": "1"] : [:])
            for line in ["matmul m4 n2 k2", "matmul m5 n2 k2", "matmul f64 m4 n2 k2", "optimize adam [3]"] {
                for list in ["auto", "agrees-\(isStrict)", "agrees-\(isStrict),reference"] {
                    let problem = try Problem(parsing: line)
                    let explanation = try explain(registry, problem, list)
                    let kernel = try? registry.kernel(problem, list)
                    #expect(explanation.server == kernel?.backend, "\(line) by \(list)")
                    #expect((explanation.refuser != nil) == (kernel == nil), "\(line) by \(list)")
                }
            }
        }
    }

    /// Under `auto` a plugin that is not asked has its row too, with why not and what it would say.
    @Test func autoShowsWhoIsNotAsked() throws {
        let problem = Problem.matmul(m: 5, n: 1, k: 1)
        for (tuning, reason) in [("off", "KANTO_TUNING=off forbids them"), ("tune", "of this problem there are none yet")] {
            let registry = try registry(["onlooker"], ["KANTO_TUNING": tuning])
            let explanation = try explain(registry, problem, "auto")
            let other = try #require(explanation.bystanders.first { $0.name == "onlooker" })
            #expect(other.reason.contains(reason) && other.verdict == .declines(reason: "m is above 4"))
            #expect(try explain(registry, .matmul(m: 1, n: 1, k: 1), "auto").bystanders.first { $0.name == "onlooker" }?.verdict
                == .makes(kernel: "onlooker", scratchByteCount: 0))
            let unary = try explain(registry, Problem(parsing: "unary exp [3]"), "auto")
            #expect(unary.bystanders.first { $0.name == "onlooker" }?.reason.contains("which it has of matmul and convolutions") == true)
            // Everyone who is here has one row, but for single algorithms of other ops.
            let names = explanation.answers.map(\.backend.name) + explanation.bystanders.map(\.name)
            #expect(names.sorted() == registry.backends.filter { $0.variantOf == nil }.map(\.name).sorted())
        }
        // Where another is selected it is not even opened.
        let other = try #require(explain(registry(["onlooker"]), problem, "reference").bystanders.first { $0.name == "onlooker" })
        #expect(other.reason == "reference is selected" && other.verdict == nil)
    }

    /// What `print` shows is the tool's table.
    @Test func printsAsTables() throws {
        let text = "\(try explain(registry(["printed"]), .matmul(m: 5, n: 2, k: 1), "printed"))"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "matmul f32 m5 n2 k1" && lines.last == "served by simd-baseline")
        for line in [
            "OPERAND  ROLE    SHAPE   BYTES", "C        output  [5, 2]  40", "2e-08 GFLOP", "printed        declines           m is above 4",
        ] {
            #expect(lines.contains { $0 == line }, "\(text)")
        }
        #expect(!text.contains("KantoKernels.") && !text.contains("verdict:"))
    }

    @Test func nobodyServes() throws {
        // Only sums accumulate.
        let problem = try Problem(parsing: "reduce maximum [3] strides 1>0 accumulate")
        let explanation = try withBackend("reference") { try Kernels.explain(problem) }
        #expect(explanation.server == nil && explanation.refuser == nil && explanation.problem == problem)
        #expect(explanation.answers.allSatisfy { if case .declines = $0.verdict { true } else { false } })
    }
}
