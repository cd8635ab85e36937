import KantoDescriptions
import KantoKernels
import KantoNN

/// What computed a run; informative.
public struct MachineDescription: Describable {
    /// As `KANTO_BACKEND` names them.
    public var backends: [String] = []
    /// `avx2`, say.
    public var instructionSet = ""
    /// The caller's thread included.
    public var threadCount = 0
    /// Kanto's version.
    public var version = ""

    public init() {}

    /// What a process computes with.
    public init(_ configuration: Configuration) {
        backends = configuration.backends
        instructionSet = configuration.instructionSet.rawValue
        threadCount = configuration.threadCount
        version = Kernels.version
    }

    /// What is different in this process and can change the bits of what is computed, for people; nil if nothing is.
    func change() throws -> String? {
        let now = MachineDescription(try Registry.shared().configuration)
        var changes: [String] = []
        func compare(_ what: String, _ before: String, _ after: String) {
            if before != after { changes.append("\(what) \(before) before, \(after) now") }
        }
        compare("backend", backends.joined(separator: ","), now.backends.joined(separator: ","))
        compare("instruction set", instructionSet, now.instructionSet)
        // These two find the same bits on any number of threads.
        if !now.backends.allSatisfy({ $0.hasPrefix("simd") || $0 == "reference" }) {
            compare("threads", "\(threadCount)", "\(now.threadCount)")
        }
        compare("version", version, now.version)
        guard !changes.isEmpty else { return nil }
        return "what follows will not have the bits of a run that was not ended: " + changes.joined(separator: "; ")
    }

    public static let keys: [DescriptionKey<Self>] = [
        DescriptionKey("backends", \.backends), DescriptionKey("instruction_set", \.instructionSet),
        DescriptionKey("thread_count", \.threadCount), DescriptionKey("version", \.version),
    ]
}
