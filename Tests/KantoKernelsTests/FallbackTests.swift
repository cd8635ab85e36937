import KantoABI
import TestSupport
import Testing

@testable import KantoKernels

/// What happens where a plugin declines or fails. Each plugin has a name of its own, because a warning is said once in
/// the life of the process.
@Suite struct FallbackTests {
    private func registry(_ sources: [PluginSource], _ environment: [String: String] = [:]) throws -> Registry {
        let folder = try TemporaryFolder()
        let paths = try sources.map { try $0.compile(in: folder) }
        let registry = try makeRegistry(
            environment.merging(["KANTO_PLUGIN_PATH": paths.joined(separator: ":"), "KANTO_ISA": "baseline"]) { $1 })
        // Opened before the folder goes.
        #expect(registry.backends.filter(\.isPlugin).count >= sources.count)
        return registry
    }

    @Test func declinedFallsToTheNextAndIsSaidOnce() throws {
        let registry = try registry([PluginSource(name: "falls-a"), PluginSource(name: "falls-b")])
        #expect(try registry.kernel(.matmul(m: 4, n: 1, k: 1), "falls-a,falls-b").backend.name == "falls-a")
        #expect(Said.lines(with: "falls-").isEmpty)
        for m in 5...7 {
            let problem = Problem.matmul(m: m, n: 1, k: 1)
            #expect(try registry.kernel(problem, "falls-a,falls-b").backend.name == "simd-baseline")
            #expect(try registry.kernel(problem, "falls-a,reference").backend.name == "reference")
        }
        #expect(
            Said.lines(with: "falls-") == [
                "kanto: warning: falls-a declined matmul f32 m5 n1 k1: m is above 4; simd-baseline serves it",
                "kanto: warning: falls-b declined matmul f32 m5 n1 k1: m is above 4; simd-baseline serves it",
            ])
    }

    /// What is exact enough for float32 is so for `relaxed`; a backend that makes use of it is asked for that.
    @Test func lessExactProductsFallToExactOnes() throws {
        var source = PluginSource(name: "rough")
        source.make = #"""
            if (problem->precision != KANTO_PRECISION_RELAXED) { say(message, "relaxed alone"); return KANTO_STATUS_DECLINED; }
            """#
        let registry = try registry([source])
        let exact = Problem.matmul(m: 2, n: 2, k: 2), relaxed = exact.with(.relaxed)
        #expect(try registry.kernel(relaxed, "rough").backend.name == "rough")
        #expect(try registry.kernel(exact, "rough").backend.name == "simd-baseline")
        #expect(try registry.kernel(relaxed, "simd").backend.name == "simd-baseline")
        // What is exact is something else than bfloat16.
        #expect(try registry.kernel(exact.with(.bfloat16), "rough").backend.name == "simd-baseline")
    }

    /// Once for each backend, op, element type and reason.
    @Test func saysAgainWhatIsNew() throws {
        var source = PluginSource(name: "again")
        source.offers = """
            [KANTO_OP_MATMUL] = KANTO_OFFER(KANTO_DTYPE_F32) | KANTO_OFFER(KANTO_DTYPE_F64),
            [KANTO_OP_OPTIMIZE] = KANTO_OFFER(KANTO_DTYPE_F32)
            """
        source.make = #"""
            say(message, problem->matmul.n > 4 ? "n is above 4" : "no");
            return KANTO_STATUS_DECLINED;
            """#
        let registry = try registry([source])
        for _ in 0..<2 {
            for n in [1, 2, 5] { _ = try registry.kernel(.matmul(m: 1, n: n, k: 1), "again") }
            _ = try registry.kernel(.matmul(.float64, m: 1, n: 1, k: 1), "again")
            _ = try registry.kernel(.optimize(.adam, count: 1), "again")
        }
        #expect(
            Said.lines(with: "again declined") == [
                "kanto: warning: again declined matmul f32 m1 n1 k1: no; simd-baseline serves it",
                "kanto: warning: again declined matmul f32 m1 n5 k1: n is above 4; simd-baseline serves it",
                "kanto: warning: again declined matmul f64 m1 n1 k1: no; reference serves it",
                "kanto: warning: again declined optimize f32 adam [1]: no; simd-baseline serves it",
            ])
    }

    @Test(arguments: [
        ("(size_t)1 << 46", "70368744177664"), ("SIZE_MAX", "18446744073709551615"),
    ]) func scratchThatNoMemoryHoldsIsADeclinal(size: String, bytes: String) throws {
        var source = PluginSource(name: "scratch-\(bytes)")
        source.finish = "(*kernel)->scratch_bytes = \(size);"
        let registry = try registry([source])
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 1), source.name).backend.name == "simd-baseline")
        let words = "its scratch of \(bytes) bytes is more than the memory of this machine"
        #expect(Said.lines(with: source.name).first?.contains(words) == true)
    }

    @Test func autoAsksNoPlugin() throws {
        let registry = try registry([PluginSource(name: "unasked")])
        #expect(try registry.kernel(.matmul(m: 5, n: 1, k: 1), "auto").backend.name == "simd-baseline")
        #expect(Said.lines(with: "unasked").isEmpty)
    }

    @Test func strictIsAnError() throws {
        let registry = try registry([PluginSource(name: "strict")], ["KANTO_STRICT": "1"])
        #expect(try registry.kernel(.matmul(m: 4, n: 1, k: 1), "strict").backend.name == "strict")
        // Not offered is not declined.
        #expect(try registry.kernel(.optimize(.adam, count: 3), "strict").backend.name == "simd-baseline")
        let error = #expect(throws: KernelError.self) { try registry.kernel(.matmul(m: 5, n: 1, k: 1), "strict") }
        #expect(
            error.map { "\($0)" } == "no backend serves matmul f32 m5 n1 k1: "
                + "strict: m is above 4 (KANTO_STRICT=1: nobody else is asked)")
        #expect(Said.lines(with: "strict").isEmpty)
    }

    @Test func oddAnswersAreDeclinals() throws {
        var silent = PluginSource(name: "odd-silent")
        silent.make = "return KANTO_STATUS_DECLINED;"
        var broken = PluginSource(name: "odd-broken")
        broken.make = #"say(message, "out of registers"); return KANTO_STATUS_FAILED;"#
        var empty = PluginSource(name: "odd-empty")
        empty.make = "*kernel = NULL; return KANTO_STATUS_OK;"
        var short = PluginSource(name: "odd-short")
        short.kernelSize = "8"
        var endless = PluginSource(name: "odd-endless")
        endless.make = "for (size_t i = 0; i < message->capacity; i++) message->text[i] = 'x'; return 77;"
        let sources = [silent, broken, empty, short, endless]
        let registry = try registry(sources)
        let names = sources.map(\.name).joined(separator: ",")
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 1), names).backend.name == "simd-baseline")
        let reasons = Said.lines(with: "odd-").map { $0.split(separator: ": ")[3].split(separator: ";")[0] }
        #expect(reasons.prefix(4) == [
            "no reason given", "out of registers", "it returned no kernel", "it returned an incomplete kernel",
        ])
        #expect(reasons.count == 5 && reasons[4].allSatisfy { $0 == "x" } && reasons[4].count == 511)
    }

    @Test func failureOfARunIsThrown() throws {
        var source = PluginSource(name: "fails-in-its-run")
        source.run = #"say(message, "the scratch is on fire"); return KANTO_STATUS_FAILED;"#
        let registry = try registry([source])
        let kernel = try registry.kernel(.matmul(m: 1, n: 2, k: 1), "fails-in-its-run")
        var c: [Float] = [0, 0]
        let expected = KernelError.failed(
            backend: "fails-in-its-run", problem: "matmul f32 m1 n2 k1", reason: "the scratch is on fire")
        #expect(throws: expected) { try kernel.run([1] as [Float], [1, 2] as [Float], into: &c) }
        #expect(throws: expected) { try Kernels.run { try kernel.run([1] as [Float], [1, 2] as [Float], into: &c) } }
        #expect("\(expected)" == "fails-in-its-run failed on matmul f32 m1 n2 k1: the scratch is on fire")
        // Nobody else is asked, then or later: the output may be half written.
        #expect(try registry.kernel(.matmul(m: 1, n: 2, k: 1), "fails-in-its-run") === kernel)
        #expect(Said.lines(with: "fails-in-its-run").isEmpty)
    }

    /// The workers are those of the first backend in the list that has some; one pool serves all in it.
    @Test func poolIsThatOfTheFirstWhoOffersOne() throws {
        var owner = PluginSource(name: "pool-owner")
        owner.parallelFor = "serial"
        let registry = try registry([PluginSource(name: "pool-none"), owner])
        let problem = Problem.matmul(m: 1, n: 1, k: 1)
        func host(_ list: String, threadCount: Int = 3) throws -> Host {
            try registry.kernel(problem, list, threadCount: threadCount).host
        }
        /// The workers that run the pieces of one job.
        func workers(_ host: Host) -> Set<Int64> {
            var workers = [Int64](repeating: -1, count: 8)
            KernelTurn.take {
                host.pointer.pointee.parallel_for(
                    host.pointer, 8, { $0!.assumingMemoryBound(to: Int64.self)[Int($1)] = $2 }, &workers)
            }
            return Set(workers)
        }
        // The fake pool calls everything worker 2 of 3.
        #expect(workers(try host("pool-none,pool-owner")) == [2])
        #expect(try host("pool-none,pool-owner") === host("pool-owner"))
        #expect(try host("pool-owner") !== host("pool-owner", threadCount: 2))
        #expect(workers(try host("pool-none")).isSubset(of: [0, 1, 2]))
        #expect(try host("pool-none") !== host("pool-owner"))
        #expect(try host("pool-none") === host("simd"))
    }
}
