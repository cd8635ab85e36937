import ArgumentParser
import Glibc
import Kanto
import KantoConsistency

struct VerifyCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hold backends, plugins too, against the reference, and show what each serves.",
        discussion: """
            Each problem runs on small integers (the result must be the reference's exactly), on normal numbers (within an \
            analytic bound) and on special ones (infinities, NaN, denormals); on one thread, on two, and twice at the same time; \
            on misaligned operands; elementwise ops in place. Operands and scratch stand between sentinels, what may not be \
            read holds NaN.

            A plugin is found through KANTO_PLUGIN_PATH or beside the executable. It may decline what its library cannot do; a \
            built-in backend may not. A random problem depends on its own seed alone: that of a failure repeats it. The exit \
            code is 1 if something failed.
            """)

    @Option(help: ArgumentHelp("One backend, such as simd or onednn. (default: all)", valueName: "name"))
    var backend: String?

    @Option(help: ArgumentHelp("One op, such as matmul or conv2d_forward. (default: all)", valueName: "op"))
    var op: String?

    @Option(help: ArgumentHelp("One kind of operands' values: exact, normal or special. (default: all)", valueName: "kind"))
    var values: Tier?

    @Option(help: ArgumentHelp("How many random problems follow the fixed ones.", valueName: "count"))
    var random = 0

    @Option(help: "The first random problem's seed; the next ones have the numbers that follow it.")
    var seed: UInt64 = 1

    @Flag(help: "Print one line of JSON a backend, op and element type instead of a table.")
    var json = false

    func validate() throws {
        guard (0...1_000_000).contains(random) else {
            throw ValidationError("--random is \(random), expected a number from 0 to 1000000.")
        }
    }

    func execute() throws {
        let ops = try chosenOps()
        let backends = try chosenBackends()
        let problems = (problemList + randomProblems(count: random, seed: seed, ops: ops))
            .filter { ops.map(\.rawValue).contains($0.problem.op) }
        if !json {
            for failure in try Registry.shared().pluginFailures { print("not loaded: \(failure.path): \(failure.reason)") }
        }
        CrashReport.install()
        var reports: [VerifyReport] = []
        var hasWrongWorkers = false
        for backend in backends {
            CrashReport.describe("kanto verify: \(backend.name) crashed in its parallel_for")
            if let flaw = flawOfWorkers(backend.table) {
                hasWrongWorkers = true
                printError("kanto verify: the workers of \(backend.name), which serve all backends: \(flaw)")
            }
            for op in ops {
                let ofOp = problems.filter { $0.problem.op == op.rawValue }
                for type in ElementType.allCases where backend.offers(op, type) {
                    let report = VerifyReport(backend, op, type, verification(of: backend, ofOp, op, type))
                    reports.append(report)
                    if json { print(try jsonText(report)) } else { report.printFailures() }
                }
            }
        }
        if !json { print(VerifyReport.matrix(reports, backends: backends.map(\.name), ops: ops)) }
        if hasWrongWorkers || reports.contains(where: { !$0.failures.isEmpty }) { throw ExitCode(1) }
    }

    private func chosenOps() throws -> [Op] {
        guard let op else { return Op.allCases }
        guard let known = Op.allCases.first(where: { $0.description == op }) else {
            throw Failure.usage("unknown op '\(op)'; the ops are " + Op.allCases.map(\.description).joined(separator: ", "))
        }
        return [known]
    }

    private func chosenBackends() throws -> [Backend] {
        let registry = try Registry.shared()
        guard let backend else { return registry.backends }
        guard backend != "auto" else {
            throw Failure.usage("'auto' chooses among backends; name one of them, or leave --backend out to verify all")
        }
        return [try registry.backend(named: backend)]
    }

    private func verification(of backend: Backend, _ problems: [TestProblem], _ op: Op, _ type: ElementType) -> Verification {
        let isLive = isatty(STDERR_FILENO) != 0
        var count = 0
        var lastShown = 0.0
        let isPlugin = backend.origin != .builtIn
        let tiers = values.map { [$0] } ?? Tier.allCases
        let result = verify(backend.table, problems, types: [type], tiers: tiers, mayDecline: { _ in isPlugin }) { test in
            CrashReport.describe("kanto verify: \(backend.name) crashed at \(test)\(test.seed.map { " [seed \($0)]" } ?? "")")
            count += 1
            let now = monotonicSeconds()
            guard isLive, now - lastShown > 0.1 else { return }
            lastShown = now
            show("\r\u{1B}[K\(backend.name) \(op) \(type): \(count) of \(problems.count)")
        }
        if isLive { show("\r\u{1B}[K") }
        return result
    }

    private func show(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

extension Tier: ExpressibleByArgument {}

/// What `kanto verify` found of one backend, op and element type.
struct VerifyReport: Encodable {
    struct Failed: Encodable {
        /// The problem, what its operands held, and what differs.
        let failure: String
        let again: String
    }

    let backend: String
    let op: String
    let dtype: String
    let served: Int
    /// How many problems were declined for each reason.
    let declined: [String: Int]
    let failures: [Failed]

    init(_ backend: Backend, _ op: Op, _ type: ElementType, _ verification: Verification) {
        self.backend = backend.name
        self.op = op.description
        dtype = type.description
        served = verification.servedCount
        declined = Dictionary(verification.declined.map { ($0.reason, 1) }, uniquingKeysWith: +)
        let command = "kanto verify --backend \(backend.name) --op \(op)"
        failures = verification.failures.map { failure in
            Failed(
                failure: failure.description,
                again: command + (failure.test.seed.map { " --random 1 --seed \($0)" } ?? ""))
        }
    }

    func printFailures() {
        let shown = 10
        for failure in failures.prefix(shown) { print("\(backend): \(failure.failure)\n    again: \(failure.again)") }
        if failures.count > shown { print("\(backend): \(op) \(dtype): \(failures.count - shown) more; --json shows all") }
    }

    /// What each backend did with each op and element type, then why problems were declined, then the verdict.
    static func matrix(_ reports: [VerifyReport], backends: [String], ops: [Op]) -> String {
        var rows = [["OP"] + backends]
        for op in ops {
            for type in ElementType.allCases {
                let cells = backends.map { backend in
                    reports.first { $0.backend == backend && $0.op == op.description && $0.dtype == type.description }?.cell ?? "-"
                }
                if cells.contains(where: { $0 != "-" }) { rows.append(["\(op) \(type)"] + cells) }
            }
        }
        var lines = tableLines(rows)
        for report in reports where !report.declined.isEmpty {
            lines.append("\n\(report.backend) declined of \(report.op) \(report.dtype)")
            for (reason, count) in report.declined.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
                lines.append("  \(count) times: \(reason)")
            }
        }
        let failureCount = reports.map(\.failures.count).reduce(0, +)
        let servedCount = reports.map(\.served).reduce(0, +)
        lines.append(
            failureCount == 0 ? "\nholds: \(servedCount) problems served as the reference does" : "\nfails: \(failureCount) problems")
        return lines.joined(separator: "\n")
    }

    private var cell: String {
        var words = ["served \(served)"]
        if !declined.isEmpty { words.append("declined \(declined.values.reduce(0, +))") }
        if !failures.isEmpty { words.append("FAILED \(failures.count)") }
        return words.joined(separator: ", ")
    }
}
