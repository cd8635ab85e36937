/// Who serves a problem, and what each backend says to it.
public struct Explanation: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// The backend does not set out to serve this op in this element type.
        case notOffered
        /// It sets out to, but not for this problem.
        case declines(reason: String)
        /// It makes a kernel, which it calls so and which borrows so many bytes for each run.
        case makes(kernel: String, scratchByteCount: Int)
    }

    public struct Answer: Sendable {
        public let backend: Backend
        public let verdict: Verdict
    }

    public let problem: Problem
    /// Those of all selected backends, in the order in which they are asked for a kernel until one makes it.
    public let answers: [Answer]
    /// Who serves the problem; `nil` if nobody does.
    public let server: Backend?
    /// The named backend that declines, where `KANTO_STRICT=1` forbids to ask the next one.
    public let refuser: Backend?
    /// Seconds of a run by the names of backends, where `auto` goes by measured times and this problem's are known.
    public let times: [String: Double]
}
