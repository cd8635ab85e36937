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

    public static let keys: [DescriptionKey<Self>] = [
        DescriptionKey("backends", \.backends), DescriptionKey("instruction_set", \.instructionSet),
        DescriptionKey("thread_count", \.threadCount), DescriptionKey("version", \.version),
    ]
}
