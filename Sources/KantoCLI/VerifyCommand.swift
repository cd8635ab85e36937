import ArgumentParser
import Glibc
import KantoConsistency
import KantoKernels

struct VerifyCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hold backends, plugins too, against the reference, and show what each serves.",
        discussion: """
            Each problem runs on small integers (the result must be the reference's exactly), on normal numbers (within an \
            analytic bound) and on special ones (infinities, NaN, denormals); on one thread, on two, on one of two, and twice at \
            the same time; on misaligned operands; elementwise ops in place. Operands and scratch stand between sentinels, what \
            may not be read holds NaN.

            A plugin is found through KANTO_PLUGIN_PATH or beside the executable. It may decline what its library cannot do; a \
            built-in backend may not. Each failure prints the command that repeats it alone. A plugin that crashes, calls exit or \
            does not come back is told with the problem. The exit code is 1 if something failed.

            kanto verify --backend onednn --random 1000
            kanto verify --problem "matmul f32 m3 n4 k5 bias relu"
            """)

    @Option(help: ArgumentHelp("One backend, such as simd or onednn. (default: all)", valueName: "name"))
    var backend: String?

    @Option(help: ArgumentHelp("One op, such as matmul or conv2d_forward. (default: all)", valueName: "op"))
    var op: String?

    @Option(help: ArgumentHelp("One problem, the line that a failure prints, in quotes. (default: all)", valueName: "problem"))
    var problem: String?

    @Option(
        help: ArgumentHelp(
            "One kind of operands' values, one of \(Tier.allCases.map(\.rawValue).joined(separator: ", ")). (default: all)",
            valueName: "kind"))
    var values: Tier?

    @Option(
        help: ArgumentHelp(
            "Matmuls and convolutions of float32 in this precision only: \(Precision.allValueStrings.joined(separator: ", ")).",
            valueName: "precision"))
    var precision: Precision?

    @Option(help: ArgumentHelp("How many random problems follow the fixed ones.", valueName: "count"))
    var random = 0

    @Option(
        help: """
            The first random problem's seed; the next ones have the numbers that follow it. With --problem, that of its values. \
            (default: 1)
            """)
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            """
            Leave out problems of more floating-point operations, or elements of all operands, than this: where a processor is \
            emulated, a few large ones take nearly all of the time. (default: none is left out)
            """, valueName: "count"))
    var largest: Int?

    @Flag(help: "Print one line of JSON a backend, op and element type instead of a table.")
    var json = false

    func validate() throws {
        guard (0...1_000_000).contains(random) else {
            throw ValidationError("--random is \(random), expected a number from 0 to 1000000.")
        }
        if problem != nil, op != nil || random > 0 || largest != nil || precision != nil {
            throw ValidationError("--problem is one problem: it takes none of --op, --precision, --random and --largest.")
        }
        if let largest, largest < 0 {
            throw ValidationError("--largest is \(largest), expected a number of operations, 0 or more.")
        }
    }

    func execute() throws {
        let alone = try problem.map { try Problem(parsing: $0) }
        let ops = try alone.map { [$0.op!] } ?? chosenOps()
        let types = alone.map { [$0.elementType!] } ?? (precision == nil ? ElementType.allCases : [.float32])
        let backends = try chosenBackends()
        let problems =
            alone.map { TestProblem.all(of: $0, seed: seed) }
            ?? (problemList + randomProblems(count: random, seed: seed ?? 1, ops: ops)).map(inPrecision)
            .filter { ops.map(\.rawValue).contains($0.problem.op) && $0.cost <= largest.map(Double.init) ?? .infinity }
        if !json, backend == nil {
            for failure in try Registry.shared().pluginFailures { print("not loaded: \(failure.path): \(failure.reason)") }
        }
        PluginCalls.report()
        var reports: [VerifyReport] = []
        var hasWrongWorkers = false
        for backend in backends {
            if let flaw = flawOfWorkers(backend.table) {
                hasWrongWorkers = true
                printError("kanto verify: the workers of \(backend.name), which serve all backends: \(flaw)")
            }
            for op in ops {
                let ofOp = problems.filter { $0.problem.op == op.rawValue }
                for type in types where backend.offers(op, type) {
                    let report = VerifyReport(backend, op, type, verification(of: backend, ofOp, op, type))
                    reports.append(report)
                    if json { print(try jsonText(report)) } else { report.printFailures() }
                }
            }
        }
        if alone != nil, reports.isEmpty {
            throw Failure.usage("\(backends.map(\.name).joined(separator: ", ")) does not offer \(ops[0]) in \(types[0])")
        }
        if !json { print(VerifyReport.matrix(reports, backends: backends.map(\.name), ops: ops)) }
        if hasWrongWorkers || reports.contains(where: { !$0.failures.isEmpty }) { throw ExitCode(1) }
    }

    /// The same problem in the precision that is chosen.
    private func inPrecision(_ test: TestProblem) -> TestProblem {
        guard let precision else { return test }
        var test = test
        test.problem.precision = precision.rawValue
        return test
    }

    private func chosenOps() throws -> [Op] {
        guard let op else { return precision == nil ? Op.allCases : Op.allCases.filter(\.isProduct) }
        guard let known = Op.allCases.first(where: { $0.description == op }) else {
            throw Failure.usage(unknownName("unknown op", op, plural: "ops", known: Op.allCases.map(\.description)))
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
        let tiers = values.map { [$0] } ?? Tier.allCases
        let result = verify(
            backend.table, problems, types: [type], tiers: tiers, mayDecline: { backend.mayDecline || $0.precision != 0 }
        ) { _ in
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
        failures = verification.failures.map { failure in
            var again = "kanto verify --backend \(backend.name) --problem \"\(failure.test)\""
            if let tier = failure.tier { again += " --values \(tier)" }
            if let seed = failure.test.seed { again += " --seed \(seed)" }
            return Failed(failure: failure.description, again: again)
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
                    reports.first { $0.backend == backend && $0.op == op.description && $0.dtype == type.description }?.cell
                        ?? "-"
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
            failureCount == 0
                ? "\nholds: \(servedCount) problems served as the reference does" : "\nfails: \(failureCount) problems")
        return lines.joined(separator: "\n")
    }

    private var cell: String {
        var words = ["served \(served)"]
        if !declined.isEmpty { words.append("declined \(declined.values.reduce(0, +))") }
        if !failures.isEmpty { words.append("FAILED \(failures.count)") }
        return words.joined(separator: ", ")
    }
}
