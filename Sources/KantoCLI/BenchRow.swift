import Kanto

/// What `kanto bench` found of one problem on one backend.
struct BenchRow {
    let problem: Problem
    let backend: String
    let threadCount: Int
    /// What the backend calls its kernel.
    var kernel = ""
    /// Why there is none.
    var refusal: String?
    var timings: Timings?
    /// GFLOP/s and GB/s, of the same run.
    var multiplyAddLimit = Double.nan
    var memoryLimit = Double.nan

    init(problem: Problem, backend: String, threadCount: Int) {
        (self.problem, self.backend, self.threadCount) = (problem, backend, threadCount)
    }

    var gflops: Double? {
        guard let timings, problem.floatingPointOperations > 0 else { return nil }
        return problem.floatingPointOperations / timings.median / 1e9
    }

    /// Bytes that a run must move at least: each operand once, an output that is also read twice.
    var byteCount: Double {
        let readsOutputs = problem.readsOutputs ? 2.0 : 1
        return ((try? problem.operands()) ?? []).reduce(0) { $0 + Double($1.byteCount) * ($1.isOutput ? readsOutputs : 1) }
    }

    var gigabytesPerSecond: Double? { timings.map { byteCount / $0.median / 1e9 } }

    /// Operations a byte.
    var intensity: Double { problem.floatingPointOperations / byteCount }

    /// Whether moving the operands takes longer than the multiply-adds, at the limits of both.
    var isMemoryBound: Bool { problem.floatingPointOperations == 0 || intensity * memoryLimit < multiplyAddLimit }

    var share: Double? {
        isMemoryBound ? gigabytesPerSecond.map { $0 / memoryLimit } : gflops.map { $0 / multiplyAddLimit }
    }

    /// Nil where nothing was measured.
    var limitText: String? {
        if !multiplyAddLimit.isFinite { return nil }
        return isMemoryBound ? "\(fixed(memoryLimit, 1)) GB/s of memory" : "\(fixed(multiplyAddLimit, 1)) GFLOP/s of multiply-adds"
    }

    func cells(relativeTo base: Double?) -> [String] {
        guard let timings else { return [backend, "declines", "", "", "", "", refusal ?? ""] }
        return [
            backend, right("\(fixed(timings.median * 1e3, 3)) ms", 12), right(gflops.map { "\(fixed($0, 1)) GFLOP/s" } ?? "", 15),
            right(gigabytesPerSecond.map { "\(fixed($0, 1)) GB/s" } ?? "", 10), right(share.map { "\(fixed(100 * $0, 1))%" } ?? "", 7),
            base.map { "\(fixed($0 / timings.median, 2))x" } ?? "", kernel,
        ]
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    // MARK: - For programs

    private func fields(relativeTo base: Double?) -> [(name: String, value: String?, isText: Bool)] {
        [
            ("problem", problem.description, true), ("backend", backend, true), ("threads", "\(threadCount)", false),
            ("kernel", refusal == nil ? kernel : nil, true), ("declined", refusal, true),
            ("median_ms", timings.map { fixed($0.median * 1e3, 5) }, false), ("min_ms", timings.map { fixed($0.minimum * 1e3, 5) }, false),
            ("samples", timings.map { "\($0.count)" }, false), ("gflops", gflops.map { fixed($0, 2) }, false),
            ("gbytes_per_second", gigabytesPerSecond.map { fixed($0, 2) }, false),
            ("limit_gflops", number(multiplyAddLimit, 1), false), ("limit_gbytes_per_second", number(memoryLimit, 1), false),
            ("bound", timings == nil ? nil : isMemoryBound ? "memory" : "multiply-adds", true),
            ("share", share.flatMap { number($0, 4) }, false),
            ("ratio", base.flatMap { base in timings.map { fixed(base / $0.median, 3) } }, false),
        ]
    }

    /// Nil for what JSON has no number for, as where every backend declines and nothing is measured.
    private func number(_ value: Double, _ decimals: Int) -> String? { value.isFinite ? fixed(value, decimals) : nil }

    func jsonLine(relativeTo base: Double?) -> String {
        KantoCLI.jsonLine(
            fields(relativeTo: base).compactMap { field in
                field.value.map { value in
                    (key: field.name, value: field.isText ? (try? jsonText(value)) ?? "\"\"" : value)
                }
            })
    }

    static var csvHeader: String {
        let row = BenchRow(problem: .matmul(m: 1, n: 1, k: 1), backend: "", threadCount: 1)
        return row.fields(relativeTo: nil).map(\.name).joined(separator: ",")
    }

    /// RFC 4180.
    func csvLine(relativeTo base: Double?) -> String {
        fields(relativeTo: base).map { field in
            let value = field.value ?? ""
            guard value.contains(where: { ",\"\n".contains($0) }) else { return value }
            return "\"" + value.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }.joined(separator: ",")
    }
}
