import KantoABI
import TestSupport
import Testing

@testable import KantoKernels

func makeRegistry(_ environment: [String: String] = [:]) throws -> Registry {
    Said.listen()
    return try Registry(configuration: Configuration(environment: environment))
}

extension Registry {
    /// The kernel for a problem by the backends of a list.
    func kernel(_ problem: Problem, _ list: String, threadCount: Int = 1) throws -> Kernel {
        try kernel(for: problem, selection: selection(Configuration.names(list)), threadCount: threadCount)
    }
}

let builtInNames = InstructionSet.allCases.filter(\.isSupported).map { "simd-" + $0.rawValue } + ["reference"]

@Suite struct RegistryTests {
    @Test func builtInBackends() throws {
        let registry = try makeRegistry()
        #expect(registry.backends.prefix(builtInNames.count).map(\.name) == builtInNames)
        for name in builtInNames {
            let backend = try registry.backend(named: name)
            #expect(backend.origin == .builtIn && !backend.summary.isEmpty)
            for op in Op.allCases {
                #expect(backend.offers(op, .float32), "\(name) \(op)")
                #expect(backend.offers(op, .float64) == (name == "reference"))
            }
        }
    }

    @Test(arguments: InstructionSet.allCases.filter(\.isSupported))
    func simdFollowsTheInstructionSet(set: InstructionSet) throws {
        let registry = try makeRegistry(["KANTO_ISA": set.rawValue])
        #expect(try registry.backend(named: "simd").name == "simd-\(set.rawValue)")
        #expect(try registry.selection(["auto"]).backends.map(\.name) == ["simd-\(set.rawValue)", "reference"])
    }

    @Test func unknownNamesListTheValidOnes() throws {
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": "/nowhere/libKantoX.so"])
        func complaint(_ names: [String]) -> String {
            do { return "found \(try registry.selection(names).names)" } catch { return "\(error)" }
        }
        let text = complaint(["simd", "wrong"])
        #expect(text.hasPrefix("unknown backend 'wrong'; available: auto, simd, simd-direct, simd-filtered, " + builtInNames.joined(separator: ", ")))
        #expect(text.contains("; plugin /nowhere/libKantoX.so did not load: no such file"))
        #expect(complaint(["SIMD"]).hasPrefix("unknown backend 'SIMD'"))
        #expect(complaint([""]).hasPrefix("unknown backend ''"))
    }

    /// A library that is installed after a first build stays unseen until the manifest's cache goes, and only a plain build makes
    /// plugins.
    @Test func waysToGetPluginsNameWhatIsEasilyMissed() {
        #expect(Registry.waysToGet.map(\.name) == ["onednn", "cblas"])
        for (_, way) in Registry.waysToGet {
            for words in [
                "a plain 'swift build' in Kanto's own folder", "KANTO_PLUGIN_PATH=", "apt-get install lib", "'swift package purge-cache'",
            ] {
                #expect(way.contains(words), "\(way)")
            }
        }
    }

    @Test func selectionOrder() throws {
        let registry = try makeRegistry(["KANTO_ISA": "baseline"])
        func order(_ list: String) throws -> (names: [String], namedCount: Int) {
            let selection = try registry.selection(Configuration.names(list))
            return (selection.backends.map(\.name), selection.namedCount)
        }
        #expect(try order("auto") == (["simd-baseline", "reference"], 0))
        #expect(try order("simd") == (["simd-baseline", "reference"], 1))
        #expect(try order("reference") == (["reference", "simd-baseline"], 1))
        #expect(try order("reference,simd") == (["reference", "simd-baseline"], 2))
        // One backend under two names is asked once.
        #expect(try order("simd,simd-baseline,simd") == (["simd-baseline", "reference"], 1))
        #expect(try registry.selection(["simd"]) === registry.selection(["simd"]))
        #expect(try registry.selection(["simd"]) !== registry.selection(["auto"]))
    }

    @Test func whatIsNotOfferedGoesOnSilently() throws {
        let strict = try makeRegistry(["KANTO_STRICT": "1"])
        #expect(try strict.kernel(.matmul(.float64, m: 7, n: 8, k: 9), "simd").backend.name == "reference")
        #expect(Said.lines(with: "m7 n8 k9") == [])
    }

    @Test func kernelIsMadeOnce() throws {
        let registry = try makeRegistry()
        let problem = Problem.matmul(m: 5, n: 6, k: 7)
        let kernel = try registry.kernel(problem, "simd")
        #expect(try registry.kernel(problem, "simd") === kernel)
        #expect(registry.cacheStatistics == (hits: 1, misses: 1, evictions: 0))
        #expect(try registry.kernel(problem, "simd", threadCount: 2) !== kernel)
        #expect(try registry.kernel(problem, "reference") !== kernel)
        #expect(try registry.kernel(.matmul(m: 5, n: 6, k: 8), "simd") !== kernel)
        #expect(try registry.kernel(problem, "simd") === kernel)
        #expect(registry.cacheStatistics == (hits: 2, misses: 4, evictions: 0))
        #expect(kernel.problem == problem && !kernel.description.isEmpty)
    }

    @Test func concurrentMissesMakeOneKernel() async throws {
        let registry = try makeRegistry()
        let kernels = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    ObjectIdentifier(try registry.kernel(.matmul(m: 17, n: 18, k: 19), "simd", threadCount: 2))
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(kernels.count == 1)
        #expect(registry.cacheStatistics == (hits: 15, misses: 1, evictions: 0))
    }

    @Test func kernelOutlivesItsEviction() throws {
        let registry = try makeRegistry()
        let kernel = try registry.kernel(.matmul(m: 1, n: 1, k: 2), "reference")
        weak let dropped = try registry.kernel(.matmul(m: 1, n: 1, k: 3), "reference")
        #expect(dropped != nil)
        for n in 2..<1100 { _ = try registry.kernel(.matmul(m: 1, n: n, k: 1), "reference") }
        #expect(registry.cacheStatistics == (hits: 0, misses: 1100, evictions: 1100 - 1024))
        #expect(dropped == nil)
        var c: [Float] = [0]
        try kernel.run([2, 3] as [Float], [5, 7] as [Float], into: &c)
        #expect(c == [31])
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 2), "reference") !== kernel)
    }

    @Test func unservedProblemIsAnError() throws {
        var problem = Problem.matmul(m: 1, n: 1, k: 1)
        problem.raw.op = 40
        let registry = try makeRegistry()
        #expect(throws: KernelError.unserved(problem: "unknown op 40 of element type 1", reasons: [])) {
            try registry.kernel(problem, "simd")
        }
        problem = .matmul(m: 1, n: 1, k: 1)
        problem.raw.flags = 1 << 20
        let error = #expect(throws: KernelError.self) { try registry.kernel(problem, "auto") }
        guard case .unserved("matmul f32 m1 n1 k1", let reasons) = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(reasons.count == 2 && reasons[0].hasPrefix("simd-") && reasons[1].hasPrefix("reference: "))
    }

    /// Before any backend computes with its sizes.
    @Test(arguments: ["reference", "simd"]) func problemThatNoMemoryHoldsIsAnError(name: String) throws {
        let registry = try makeRegistry()
        let problem = Problem.matmul(m: 1 << 40, n: 3, k: 1 << 40)
        let error = KernelError.problem("\(problem): A has more than 2^48 elements, which no memory holds")
        #expect(throws: error) { try registry.kernel(problem, name) }
        #expect(throws: error) {
            try registry.explain(problem, selection: registry.selection([name]), threadCount: 1)
        }
        #expect(throws: KernelError.self) { try registry.kernel(.matmul(m: -1, n: 3, k: 3), name) }
    }

    @Test func cacheStatisticsAreTracedWhenAsked() throws {
        for (verbosity, lines) in [("0", []), ("1", ["kanto: cache of kernels: 1 hits, 31 misses, 0 evictions"])] {
            let registry = try makeRegistry(["KANTO_VERBOSE": verbosity])
            for n in 1...31 { _ = try registry.kernel(.matmul(m: 31, n: n, k: 1), "reference") }
            _ = try registry.kernel(.matmul(m: 31, n: 1, k: 1), "reference")
            registry.traceCacheStatistics()
            #expect(Said.lines(with: "1 hits, 31 misses") == lines)
        }
    }

    @Test func madeKernelsAreTracedWhenAsked() throws {
        let registry = try makeRegistry(["KANTO_VERBOSE": "2"])
        let kernel = try registry.kernel(.matmul(m: 2, n: 3, k: 31), "reference")
        let a = [Float](repeating: 1, count: 62), b = [Float](repeating: 1, count: 93)
        var c = [Float](repeating: 0, count: 6)
        try kernel.run(a, b, into: &c)
        _ = try registry.kernel(.matmul(m: 2, n: 3, k: 31), "reference")
        let lines = Said.lines(with: "m2 n3 k31")
        #expect(lines.count == 2)
        #expect(lines.first == "kanto: matmul f32 m2 n3 k31: made by reference (\(kernel.description))")
        #expect(lines.last?.hasPrefix("kanto: matmul f32 m2 n3 k31: reference (\(kernel.description)) ") == true)
        #expect(lines.last?.contains(" ms, ") == true && lines.last?.hasSuffix(" GFLOP/s") == true)
    }
}

@Suite struct ComputationTests {
    @Test(arguments: builtInNames, [1, 2])
    func multipliesMatrices(name: String, threadCount: Int) throws {
        let a: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 10], b: [Float] = [2, 0, 1, 1, 3, 0, 0, 1, 4]
        let product: [Float] = [4, 9, 13, 13, 21, 28, 22, 34, 47]
        func multiply() throws -> [Float] {
            let kernel = try Kernels.kernel(for: .matmul(m: 3, n: 3, k: 3))
            #expect(kernel.backend.name == name)
            var c = [Float](repeating: .nan, count: 9)
            try kernel.run(a, b, into: &c)
            return c
        }
        try withBackend(name) {
            try Kernels.withThreadCount(threadCount) { () throws in
                #expect(try multiply() == product)
                #expect(try Kernels.run { try multiply() } == product)
            }
        }
    }

    /// Enough work for the threads to share.
    @Test(.timeLimit(.minutes(1)), arguments: builtInNames)
    func threadsShareOneProduct(name: String) throws {
        let size = 150
        let a = (0..<size * size).map { Float($0 % 7 - 3) }, b = (0..<size * size).map { Float($0 % 5 - 2) }
        func multiply(threadCount: Int) throws -> [Float] {
            try withBackend(name) {
                try Kernels.withThreadCount(threadCount) {
                    var c = [Float](repeating: .nan, count: size * size)
                    try Kernels.kernel(for: .matmul(m: size, n: size, k: size)).run(a, b, into: &c)
                    return c
                }
            }
        }
        let expected = try multiply(threadCount: 1)
        #expect(expected[0] == (0..<size).reduce(0) { $0 + a[$1] * b[$1 * size] })
        for threadCount in 2...4 { #expect(try multiply(threadCount: threadCount) == expected) }
    }
}
