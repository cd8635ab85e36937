import ArgumentParser
import KantoKernels

struct ExplainCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show who serves a problem, and why others decline it.",
        discussion: """
            A problem is the line that warnings and traces print: the op, the element type (f32 if left out), then words in any \
            order; usual names such as relu or conv2d are understood. Nothing is run. First come the backends that \
            KANTO_BACKEND selects, in the order in which they are asked, then all others, with why they are not; the times are \
            those that KANTO_TUNING=tune has measured.

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
        print(json ? try jsonText(Report(explanation)) : "\(explanation)")
    }
}

/// What `kanto explain --json` prints.
private struct Report: Encodable {
    struct Operand: Encodable {
        let name: String
        let role: String
        let shape: [Int]
        let bytes: Int
    }
    enum Verdict: String, Encodable {
        case serves, couldServe = "could serve", declines, notOffered = "does not offer", notAsked = "not asked"
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

    init(_ explanation: Explanation) throws {
        let problem = explanation.problem
        self.problem = problem.description
        let operations = problem.floatingPointOperations
        gflop = operations > 0 ? operations / 1e9 : nil
        operands = try problem.operands().map {
            Operand(name: $0.name, role: $0.isOutput ? "output" : "input", shape: $0.shape, bytes: $0.byteCount)
        }
        backends =
            explanation.answers.map { answer in
                let name = answer.backend.name
                switch answer.verdict {
                case .notOffered:
                    return Entry(backend: name, verdict: .notOffered, reason: explanation.text(answer.verdict))
                case .declines(let reason):
                    return Entry(backend: name, verdict: .declines, reason: reason)
                case .makes(let kernel, let scratch):
                    return Entry(
                        backend: name, verdict: answer.backend == explanation.server ? .serves : .couldServe, kernel: kernel,
                        scratchBytes: scratch, milliseconds: explanation.times[name].map { $0 * 1e3 })
                }
            } + explanation.bystanders.map { Entry(backend: $0.name, verdict: .notAsked, reason: $0.reason) }
        servedBy = explanation.server?.name
    }
}
