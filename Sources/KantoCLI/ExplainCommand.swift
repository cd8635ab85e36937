import ArgumentParser
import Kanto

struct ExplainCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show who serves a problem, and why others decline it.",
        discussion: """
            A problem is the line that warnings and traces print: the op, the element type (f32 if left out), then words in any \
            order. Nothing is run. The backends are those that KANTO_BACKEND selects, in the order in which they are asked; the times are those that KANTO_TUNING=tune has measured.

            kanto explain "conv2d_forward f32 n50 h14 w14 c64 k5x5 s2 p2 o128 bias leaky_relu(0.2)"
            kanto explain "matmul m50 n128 k64 transpose_b accumulate"
            kanto explain "reduce sum [64x128] strides 128,1>1,0"
            """)

    @Argument(help: ArgumentHelp("One problem, in quotes or as several words.", valueName: "problem"))
    var problem: [String]

    @Flag(help: "One JSON object.")
    var json = false

    mutating func execute() throws {
        let explanation = try Kernels.explain(Problem(parsing: problem.joined(separator: " ")))
        let report = Report(explanation, operands: try explanation.problem.operands())
        if json { return print(try jsonText(report)) }

        print("\(report.problem)\n")
        printTable(
            ["OPERAND", "ROLE", "SHAPE", "BYTES"],
            report.operands.map { [$0.name, $0.role, "\($0.shape)", "\($0.bytes)"] })
        if let gflop = report.gflop { print("\n\(gflop < 0.1 ? "\(gflop)" : fixed(gflop, 3)) GFLOP") }
        print("")
        printTable(
            ["BACKEND", "VERDICT", "TIME", "REASON"],
            report.backends.map { entry in
                [
                    entry.backend, entry.verdict.rawValue, entry.milliseconds.map { "\(fixed($0, 3)) ms" } ?? "",
                    entry.reason ?? "\(entry.kernel ?? ""), scratch \(entry.scratchBytes ?? 0) bytes",
                ]
            })
        if let server = report.servedBy {
            print("\nserved by \(server)")
        } else if let refuser = explanation.refuser {
            print("\nserved by nobody: \(refuser.name) declines, and KANTO_STRICT=1 forbids to ask the next")
        } else {
            print("\nserved by nobody")
        }
    }
}

/// What `kanto explain` prints.
private struct Report: Encodable {
    struct Operand: Encodable {
        let name: String
        let role: String
        let shape: [Int]
        let bytes: Int
    }
    enum Verdict: String, Encodable {
        case serves, couldServe = "could serve", declines, notOffered = "does not offer"
    }
    struct Entry: Encodable {
        let backend: String
        let verdict: Verdict
        /// Why there is no kernel.
        var reason: String?
        /// What the backend calls its kernel.
        var kernel: String?
        var scratchBytes: Int?
        /// The tuner's time.
        var milliseconds: Double?

        enum CodingKeys: String, CodingKey { case backend, verdict, reason, kernel, scratchBytes = "scratch_bytes", milliseconds }
    }

    let problem: String
    /// Billions of floating-point operations of a matmul or convolution, taps in the padding too.
    let gflop: Double?
    let operands: [Operand]
    let backends: [Entry]
    let servedBy: String?

    enum CodingKeys: String, CodingKey { case problem, gflop, operands, backends, servedBy = "served_by" }

    init(_ explanation: Explanation, operands: [Problem.Operand]) {
        let problem = explanation.problem
        self.problem = problem.description
        let operations = problem.floatingPointOperations
        gflop = operations > 0 ? operations / 1e9 : nil
        self.operands = operands.map {
            Operand(name: $0.name, role: $0.isOutput ? "output" : "input", shape: $0.shape, bytes: $0.byteCount)
        }
        backends = explanation.answers.map { answer in
            let name = answer.backend.name
            switch answer.verdict {
            case .notOffered:
                let reason = "no \(problem.op!) in \(problem.elementType!)"
                return Entry(backend: name, verdict: .notOffered, reason: reason)
            case .declines(let reason):
                return Entry(backend: name, verdict: .declines, reason: reason)
            case .makes(let kernel, let scratch):
                return Entry(
                    backend: name, verdict: answer.backend == explanation.server ? .serves : .couldServe, kernel: kernel,
                    scratchBytes: scratch, milliseconds: explanation.times[name].map { $0 * 1e3 })
            }
        }
        servedBy = explanation.server?.name
    }
}
