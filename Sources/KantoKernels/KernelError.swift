/// What can go wrong between a problem and its result. Each description is one line for people.
public enum KernelError: Error, Sendable, Equatable {
    /// A `KANTO_…` variable, or a backend list given in code, holds what it may not.
    case configuration(String)
    /// A text is not the one-line form of a problem, or the sizes of a problem make no sense.
    case problem(String)
    /// A plugin that was asked for by its file is missing or is not a plugin of this version.
    case plugin(path: String, reason: String)
    /// Nobody serves the problem; the reasons are those of the backends that were asked.
    case unserved(problem: String, reasons: [String])
    /// The system has no such amount of memory to give.
    case memory(byteCount: Int)
    /// A kernel failed while it ran. Its output may be half written, so nobody else is asked.
    case failed(backend: String, problem: String, reason: String)
}

extension KernelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .configuration(let text), .problem(let text): text
        case .plugin(let path, let reason): "plugin \(path): \(reason)"
        case .unserved(let problem, let reasons):
            "no backend serves \(problem)" + (reasons.isEmpty ? "" : ": " + reasons.joined(separator: "; "))
        case .memory(let byteCount): "out of memory: the system refuses \(byteCount) bytes"
        case .failed(let backend, let problem, let reason): "\(backend) failed on \(problem): \(reason)"
        }
    }
}
