/// Who serves a problem, and what each backend says to it.
public struct Explanation: Sendable {
    /// What a backend says of a problem.
    public enum Verdict: Sendable, Equatable {
        /// The backend does not set out to serve this op in this element type.
        case notOffered
        /// It sets out to, but not for this problem.
        case declines(reason: String)
        /// It makes a kernel, which it calls so and which borrows so many bytes for each run.
        case makes(kernel: String, scratchByteCount: Int)
    }

    /// A backend's verdict.
    public struct Answer: Sendable {
        /// Who was asked.
        public let backend: Backend
        /// What it said.
        public let verdict: Verdict
    }

    /// A backend that is not asked for a kernel.
    public struct Bystander: Sendable {
        /// As `KANTO_BACKEND` has it.
        public let name: String
        /// Why not.
        public let reason: String
        /// What it would say; `nil` where that is not found out, as of a plugin that the selection does not open.
        public let verdict: Verdict?
    }

    /// What was asked about.
    public let problem: Problem
    /// Those of all selected backends, in the order in which they are asked for a kernel until one makes it.
    public let answers: [Answer]
    /// All others that are here.
    public let bystanders: [Bystander]
    /// Who serves the problem; `nil` if nobody does.
    public let server: Backend?
    /// The named backend that declines, where `KANTO_STRICT=1` forbids to ask the next one.
    public let refuser: Backend?
    /// Seconds of a run by the names of backends, where `auto` goes by measured times and this problem's are known.
    public let times: [String: Double]
}

extension Explanation: CustomStringConvertible {
    /// The tables that `kanto explain` prints: operands, work, and each backend with its verdict.
    public var description: String {
        var lines = ["\(problem)", ""]
        lines += tableLines(
            [["OPERAND", "ROLE", "SHAPE", "BYTES"]]
                + ((try? problem.operands()) ?? []).map { operand in
                    [operand.name, operand.isOutput ? "output" : "input", "\(operand.shape)", "\(operand.byteCount)"]
                })
        let billions = problem.floatingPointOperations / 1e9
        if billions > 0 { lines += ["", "\(billions < 0.1 ? "\(billions)" : fixed(billions, 3)) GFLOP"] }
        lines.append("")
        lines += tableLines(
            [["BACKEND", "VERDICT", "TIME", "REASON"]]
                + answers.map { answer in
                    [answer.backend.name, word(answer), time(of: answer.backend.name), text(answer.verdict)]
                }
                + bystanders.map { other in
                    let reason = other.reason + (other.verdict.map { "; " + conditional($0) } ?? "")
                    return [other.name, "not asked", time(of: other.name), reason]
                })
        lines += ["", conclusion]
        return lines.joined(separator: "\n")
    }

    private func word(_ answer: Answer) -> String {
        switch answer.verdict {
        case .notOffered: "does not offer"
        case .declines: "declines"
        case .makes: answer.backend == server ? "serves" : "could serve"
        }
    }

    private func time(of name: String) -> String { times[name].map { fixed($0 * 1e3, 3) + " ms" } ?? "" }

    /// Why there is no kernel, or which one there is.
    package func text(_ verdict: Verdict) -> String {
        switch verdict {
        case .notOffered: "no " + ((problem.op.map { "\($0)" } ?? "such op") + (problem.elementType.map { " in \($0)" } ?? ""))
        case .declines(let reason): reason
        case .makes(let kernel, let scratch): "\(kernel), scratch \(scratch) bytes"
        }
    }

    private func conditional(_ verdict: Verdict) -> String {
        switch verdict {
        case .notOffered: "it offers \(text(verdict))"
        case .declines(let reason): "it would decline: \(reason)"
        case .makes: "it could serve: \(text(verdict))"
        }
    }

    private var conclusion: String {
        if let server { return "served by \(server.name)" }
        guard let refuser else { return "served by nobody" }
        return "served by nobody: \(refuser.name) declines, and KANTO_STRICT=1 forbids to ask the next"
    }
}
