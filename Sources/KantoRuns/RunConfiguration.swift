import KantoData
import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoNN

/// Everything that repeats a training run: its data, networks and numbers, as `config.json` in its folder holds it.
///
/// Every key has a default but the networks, which a preset may give: `{"preset": "digits", "batch_size": 32}` is whole.
public struct RunConfiguration: Describable {
    /// The preset that this began with.
    public var preset: String?
    /// Where the data are and how they are read.
    public var data = DataDescription()
    /// The generator and the critic.
    public var networks = NetworkPairDescription()
    /// What makes both for the shape of the data, in place of `networks`.
    public var architecture: ArchitectureDescription?
    /// Everything else that the trainer goes by; its keys stand at the top of the file.
    public var training = TrainingConfiguration()
    /// Iterations between sample pictures and checkpoints.
    public var sampleInterval = 500
    /// How many of the checkpoints at these intervals are kept, the last ones; nil for all.
    public var keptCheckpoints: Int? = 5
    /// By what the checkpoint `best` is told.
    public var bestMeasure = BestMeasure.wassersteinEstimate
    /// When a run ends before it has had all iterations.
    public var stopWhen = StopCondition.never
    /// Whether events for TensorBoard are written into the run's folder by whoever trains it, as `kanto train` does.
    public var tensorBoard = false
    /// A digest of the data, as the run found them; see `Dataset.digest`.
    public var dataDigest: String?
    /// Who computed it. The same bits need the same backend, instruction set and, but for `simd`, thread count.
    public var machine: MachineDescription?

    public init() {}

    public static let keys: [DescriptionKey<Self>] =
        [
            DescriptionKey("preset", \.preset, expected: "the name of a preset") { name in
                name == nil || Preset.all.contains { $0.name == name }
            },
            DescriptionKey("data", \.data), DescriptionKey("networks", \.networks),
            DescriptionKey("architecture", \.architecture), DescriptionKey("conditioning", \.networks.conditioning),
        ] + TrainingConfiguration.keys.map { DescriptionKey($0, of: \.training) } + [
            DescriptionKey("sample_interval", \.sampleInterval, in: 1...1_000_000_000),
            DescriptionKey("kept_checkpoints", \.keptCheckpoints, expected: "a whole number from 1, or null for all") {
                $0 == nil || $0! >= 1
            },
            DescriptionKey("best_by", \.bestMeasure), DescriptionKey("stop_when", \.stopWhen),
            DescriptionKey("tensorboard", \.tensorBoard),
            DescriptionKey("data_digest", \.dataDigest), DescriptionKey("machine", \.machine),
        ]

    /// - Throws: `DescriptionError` if there are no networks, or two ways to make them, or the best checkpoint is to be told by
    ///   held-out samples where there are none.
    public func validate() throws(DescriptionError) {
        let hasNetworks = !networks.generator.layers.isEmpty || !networks.critic.layers.isEmpty
        guard hasNetworks || architecture != nil else {
            throw DescriptionError("'networks' is missing, or an 'architecture' in their place")
        }
        guard !hasNetworks || architecture == nil else {
            throw DescriptionError("stands beside 'networks'; expected one of the two", at: "architecture")
        }
        guard bestMeasure != .heldOutEstimate || data.heldOut != nil else {
            throw DescriptionError(
                "'\(bestMeasure.rawValue)' wants samples that are held out from training: data.held_out", at: "best_by")
        }
    }

    /// What a file or a command line says, on top of the preset that it names.
    ///
    /// - Throws: `DescriptionError`, which names the key and what was expected.
    public init(completing value: DescriptionValue) throws(DescriptionError) {
        try self.init(completing: value, setting: [])
    }
}

extension RunConfiguration {
    /// Keys that earlier versions had at the top, and that stand for their place still.
    private static let places = [
        "learning_rate": "optimizer.learning_rate", "beta1": "optimizer.beta1", "beta2": "optimizer.beta2",
        "penalty_weight": "regularizer.weight", "backends": "machine.backends", "instruction_set": "machine.instruction_set",
        "thread_count": "machine.thread_count",
        // A path alone leaves what else a preset says of its data.
        "data": "data.path",
    ]

    /// - Throws: `DescriptionError` if a key stands in both places.
    private static func moved(_ value: DescriptionValue) throws(DescriptionError) -> DescriptionValue {
        guard case .object(var members) = value else { return value }
        var found: [(path: String, value: DescriptionValue)] = []
        for (name, path) in places {
            guard let member = members[name], !member.isObject else { continue }
            members[name] = nil
            guard value.value(at: path) == nil else {
                throw DescriptionError("stands twice: as '\(name)' and as '\(path)'", at: path)
            }
            if member != .null { found.append((path, member)) }
        }
        var moved = DescriptionValue.object(members)
        try moved.set(found)
        return moved
    }

    /// - Throws: `DescriptionError` for a key that has its place in a part, such as `target`.
    private static func checkPlaces(of names: [String]) throws(DescriptionError) {
        let parts: [(name: String, keys: [String])] = [
            ("optimizer", OptimizerKinds.Common.keys.map(\.name) + Adam.Description.keys.map(\.name)),
            ("regularizer", RegularizerKinds.Common.keys.map(\.name) + TwoSidedPenalty.keys.map(\.name)),
            ("networks", NetworkPairDescription.keys.map(\.name)),
            ("conditioning", ConditioningKinds.Common.keys.map(\.name)),
        ]
        let known = keys.map(\.name)
        for name in names where !known.contains(name) {
            guard let near = nearestName(to: name, among: known + parts.flatMap(\.keys)), !known.contains(near),
                let part = parts.first(where: { $0.keys.contains(near) })
            else { continue }
            throw DescriptionError("there is no key '\(name)'; did you mean '\(part.name).\(near)'?")
        }
    }

    /// What a file says, or a preset's name, with the words of a command line on top: `regularizer.weight` and `5`.
    ///
    /// - Throws: `DescriptionError`, which names the key and what was expected.
    public init(
        completing value: DescriptionValue, setting words: [(path: String, value: DescriptionValue)]
    ) throws(DescriptionError) {
        var value = try Self.moved(value)
        guard case .object(let members) = value else {
            throw DescriptionError("not an object that describes a run, found \(value)")
        }
        if let name = members["preset"], name != .null {
            value = value.merged(over: try Preset(named: String(name)).configuration.descriptionValue)
        }
        let isOfOtherNetworks =
            (members["architecture"] ?? .null) != .null
            || words.contains { $0.path == "architecture" || $0.path.hasPrefix("architecture.") }
        if isOfOtherNetworks, members["networks"] == nil, case .object(var members) = value {
            // The preset's own.
            members["networks"] = nil
            value = .object(members)
        }
        if case .object(var members) = value {
            // One network's own optimizer is at first that of both.
            for key in ["critic_optimizer", "generator_optimizer"] where words.contains(where: { $0.path.hasPrefix(key + ".") }) {
                members[key] = members[key] ?? members["optimizer"]
            }
            value = .object(members)
        }
        try value.set(words.map { (path: Self.places[$0.path] ?? $0.path, value: $0.value) })
        if case .object(let members) = value { try Self.checkPlaces(of: members.keys.sorted()) }
        try self.init(value)
    }
}

extension RunConfiguration {
    /// What a file says, on top of the preset that it names.
    ///
    /// - Throws: `DataError` if the file is missing or is not such a configuration; it names the key and what was expected.
    public init(contentsOf path: String) throws {
        let value = try DescriptionValue(contentsOf: path)
        do throws(DescriptionError) { try self.init(completing: value) } catch { throw DataError(.badInput, "\(path): \(error)") }
    }

    /// Writes everything, defaults too, so that the file means the same to later versions.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public func write(to path: String) throws(DataError) {
        try AtomicFile.write(Array((described(isWhole: true).json + "\n").utf8), to: path)
    }
}
