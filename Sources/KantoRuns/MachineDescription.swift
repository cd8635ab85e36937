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
    /// Processes that share the run.
    public var rankCount = 1
    /// Kanto's version.
    public var version = ""
    /// Its own name; nil of a run of an earlier version.
    public var processor: String?
    /// Billions of floating-point operations a second that its multiply-adds reached on these threads when the run began; nil if
    /// nobody measured it.
    public var multiplyAddRate: Double?

    public init() {}

    /// What a process computes with.
    public init(_ configuration: Configuration) {
        backends = configuration.backends
        instructionSet = configuration.instructionSet.rawValue
        threadCount = configuration.threadCount
        rankCount = configuration.communicator == nil ? 1 : configuration.launch?.rankCount ?? 1
        version = Kernels.version
        processor = Processor.name
    }

    /// What a process computes with, and how fast its multiply-adds are: the best of some short tries, some hundredths of a
    /// second.
    public static func measured(_ configuration: Configuration) throws -> MachineDescription {
        var machine = MachineDescription(configuration)
        let rates = try (0..<4).map { _ in try MachineLimit.multiplyAddRate() }
        machine.multiplyAddRate = (rates.max()! * 10).rounded() / 10
        return machine
    }

    /// The first word of a processor's name: `Intel`, `AMD`.
    private func maker(_ processor: String) -> String { String(processor.prefix { $0.isLetter }) }

    /// What is different in this process and can change the bits of what is computed, for people; nil if nothing is.
    func change() throws -> String? {
        let now = MachineDescription(try Registry.shared().configuration)
        var changes: [String] = []
        func compare(_ what: String, _ before: String, _ after: String) {
            if before != after { changes.append("\(what) \(before) before, \(after) now") }
        }
        compare("backend", backends.joined(separator: ","), now.backends.joined(separator: ","))
        compare("instruction set", instructionSet, now.instructionSet)
        // Which convolutions are computed by minimal filtering goes by the maker.
        if let before = processor.map(maker), let after = now.processor.map(maker) { compare("processor", before, after) }
        // These two find the same bits on any number of threads.
        if !now.backends.allSatisfy({ $0.hasPrefix("simd") || $0 == "reference" }) {
            compare("threads", "\(threadCount)", "\(now.threadCount)")
        }
        compare("ranks", "\(rankCount)", "\(now.rankCount)")
        compare("version", version, now.version)
        guard !changes.isEmpty else { return nil }
        return "what follows will not have the bits of a run that was not ended: " + changes.joined(separator: "; ")
    }

    public static let keys: [DescriptionKey<Self>] = [
        DescriptionKey("backends", \.backends), DescriptionKey("instruction_set", \.instructionSet),
        DescriptionKey("thread_count", \.threadCount), DescriptionKey("rank_count", \.rankCount),
        DescriptionKey("version", \.version), DescriptionKey("processor", \.processor),
        DescriptionKey("multiply_add_rate", \.multiplyAddRate),
    ]
}
