import KantoData
import KantoKernels

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
    /// What half of the turns reached of the limit at least: less than all where other work had the machine at times.
    var availability = 1.0
    /// Whether other work had the machine while its limits were measured, so that they are no limits.
    var isBusy = false

    init(problem: Problem, backend: String, threadCount: Int) {
        (self.problem, self.backend, self.threadCount) = (problem, backend, threadCount)
    }

    /// The precision whose multiply-adds bound it: those of float32 unless pairs of bfloat16 are multiplied.
    var limitingPrecision: Precision {
        let hasInstruction = (try? Registry.shared().multipliesBfloat16) ?? false
        return problem.precision == .bfloat16 && hasInstruction ? .bfloat16 : .float32
    }

    /// The backend, and the precision where it is not that of float32.
    private var name: String {
        guard let precision = problem.precision, precision != .float32 else { return backend }
        return "\(backend) \(precision)"
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

    /// What the run reaches of the limit that bounds it: 1 is all. The taps of a convolution that fall into the padding are not
    /// work that must be done, and do not count. Nil where a cache holds the operands and moves them faster than memory, and
    /// where the limits are none.
    var share: Double? { isBusy || isInCache ? nil : ratioToLimit }

    private var ratioToLimit: Double? {
        guard let timings else { return nil }
        return isMemoryBound
            ? gigabytesPerSecond.map { $0 / memoryLimit }
            : problem.floatingPointOperationsInside / timings.median / 1e9 / multiplyAddLimit
    }

    /// The most that the noise of two measurements makes of a share.
    static let largestShare = 1.05

    /// Whether the run is faster than memory because a cache holds its operands.
    private var isInCache: Bool { isMemoryBound && fitsCaches && (ratioToLimit ?? 0) > Self.largestShare }

    /// Within some times the caches' size part of the operands is still there from the last run.
    private var fitsCaches: Bool { byteCount < 4 * Double(MachineLimit.cacheByteCount(threadCount: threadCount)) }

    /// Whether the run is faster than the machine can be: then its limit was measured while something else ran.
    var isImplausible: Bool { !isInCache && (ratioToLimit ?? 0) > Self.largestShare }

    /// Nil where nothing was measured.
    var limitText: String? {
        if isBusy { return "— (the machine was busy while it was measured)" }
        if !multiplyAddLimit.isFinite { return nil }
        let limit =
            isMemoryBound
            ? "\(fixed(memoryLimit, 1)) GB/s of memory"
            : "\(fixed(multiplyAddLimit, 1)) GFLOP/s of multiply-adds"
                + (limitingPrecision == .float32 ? "" : " in \(limitingPrecision)")
        return availability > 0.8
            ? limit : limit + " (the machine was busy: in the median \(fixed(100 * availability, 0))% of it)"
    }

    private var shareText: String {
        if isInCache, !isBusy { return "in cache" }
        return share.map { "\(fixed(100 * $0, 1))%" } ?? "—"
    }

    func cells(relativeTo base: Double?) -> [String] {
        guard let timings else { return [name, "declines", "", "", "", "", refusal ?? ""] }
        return [
            name, right("\(fixed(timings.median * 1e3, 3)) ms", 12), right(gflops.map { "\(fixed($0, 1)) GFLOP/s" } ?? "", 15),
            right(gigabytesPerSecond.map { "\(fixed($0, 1)) GB/s" } ?? "", 10), right(shareText, 8),
            base.map { "\(fixed($0 / timings.median, 2))x" } ?? "", kernel,
        ]
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    // MARK: - For programs

    private func fields(relativeTo base: Double?) -> [(name: String, value: String?, isText: Bool)] {
        [
            ("problem", problem.description, true), ("backend", backend, true),
            ("precision", problem.precision?.description, true), ("threads", "\(threadCount)", false),
            ("kernel", refusal == nil ? kernel : nil, true), ("declined", refusal, true),
            ("median_ms", timings.map { fixed($0.median * 1e3, 5) }, false),
            ("min_ms", timings.map { fixed($0.minimum * 1e3, 5) }, false),
            ("samples", timings.map { "\($0.count)" }, false), ("gflops", gflops.map { fixed($0, 2) }, false),
            ("gbytes_per_second", gigabytesPerSecond.map { fixed($0, 2) }, false),
            ("limit_gflops", isBusy ? nil : number(multiplyAddLimit, 1), false),
            ("limit_gbytes_per_second", isBusy ? nil : number(memoryLimit, 1), false),
            ("bound", timings == nil || isBusy ? nil : isInCache ? "cache" : isMemoryBound ? "memory" : "multiply-adds", true),
            ("share", share.flatMap { number($0, 4) }, false),
            ("ratio", base.flatMap { base in timings.map { fixed(base / $0.median, 3) } }, false),
            ("busy", isBusy ? "true" : nil, false),
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
        fields(relativeTo: base).map { CSV.quoted($0.value ?? "") }.joined(separator: ",")
    }
}
