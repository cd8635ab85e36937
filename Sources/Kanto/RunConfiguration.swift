import FoundationEssentials
import KantoData
import KantoGAN

/// Everything that repeats a training run, as `config.json` in its folder holds it.
public struct RunConfiguration: Encodable, Sendable, Equatable {
    public var preset: String
    /// A path, or nil for the data that ship with the preset.
    public var data: String?
    public var iterations: Int
    public var seed: UInt64
    public var batchSize: Int
    public var criticSteps: Int
    public var learningRate: Double
    public var beta1: Double
    public var beta2: Double
    public var penaltyWeight: Double
    /// Automatic if nil. In a run's folder it is the method that was taken: the two round differently.
    public var criticStep: CriticStepMethod?
    /// Iterations between sample pictures and checkpoints.
    public var sampleInterval: Int
    /// Who computed it: informative, since the same bits need the same backend, instruction set and thread count.
    public var backends: [String]?
    public var instructionSet: String?
    public var threadCount: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case preset, data, iterations, seed, beta1, beta2, backends
        case batchSize = "batch_size"
        case criticSteps = "critic_steps"
        case learningRate = "learning_rate"
        case penaltyWeight = "penalty_weight"
        case criticStep = "critic_step"
        case sampleInterval = "sample_interval"
        case instructionSet = "instruction_set"
        case threadCount = "thread_count"
    }

    public init(_ preset: Preset) {
        let numbers = preset.configuration
        self.preset = preset.name
        iterations = preset.iterations
        seed = numbers.seed
        batchSize = numbers.batchSize
        criticSteps = numbers.criticSteps
        learningRate = numbers.learningRate
        beta1 = numbers.beta1
        beta2 = numbers.beta2
        penaltyWeight = numbers.penaltyWeight
        sampleInterval = 500
    }

    /// The names that `set` takes.
    public static let settable = [
        "iterations", "seed", "batch_size", "critic_steps", "learning_rate", "beta1", "beta2", "penalty_weight", "critic_step",
        "sample_interval",
    ]

    /// Sets one number by its name in `config.json`.
    ///
    /// - Throws: `DataError.badInput` for a name or a value that is not valid.
    public mutating func set(_ name: String, to text: String) throws {
        func parsed<Value: LosslessStringConvertible>(_ expected: String, where isValid: (Value) -> Bool) throws -> Value {
            guard let value = Value(text), isValid(value) else {
                throw DataError(.badInput, "\(name)=\(text) is not valid: expected \(expected)")
            }
            return value
        }
        // The products of two such numbers can still be counted.
        func positive() throws -> Int { try parsed("a whole number from 1 to 1000000000") { 1...1_000_000_000 ~= $0 } }
        switch name {
        case "iterations": iterations = try positive()
        case "seed": seed = try parsed("a whole number of at least 0") { (_: UInt64) in true }
        case "batch_size": batchSize = try positive()
        case "critic_steps": criticSteps = try positive()
        // Adam moves each weight by about that much a step: with more than 1 nothing of what was learned is left.
        case "learning_rate": learningRate = try parsed("a number from 1e-12 to 1") { (1e-12...1).contains($0) }
        case "beta1": beta1 = try parsed("a number from 0 to below 1") { (0..<1).contains($0) }
        case "beta2": beta2 = try parsed("a number from 0 to below 1") { (0..<1).contains($0) }
        case "penalty_weight": penaltyWeight = try parsed("a number from 0 to 1e9") { (0...1e9).contains($0) }
        case "critic_step":
            let names = CriticStepMethod.allCases.map(\.rawValue)
            criticStep = CriticStepMethod(rawValue: try parsed(names.joined(separator: ", ")) { names.contains($0) })
        case "sample_interval": sampleInterval = try positive()
        default:
            throw DataError(.badInput, unknownName("there is no setting", name, plural: "settings", known: Self.settable))
        }
    }

    public var training: TrainingConfiguration {
        var training = TrainingConfiguration()
        training.batchSize = batchSize
        training.criticSteps = criticSteps
        training.learningRate = learningRate
        training.beta1 = beta1
        training.beta2 = beta2
        training.penaltyWeight = penaltyWeight
        training.criticStep = criticStep ?? .automatic
        training.seed = seed
        return training
    }

    // MARK: - Files

    /// What a file may hold, 1 MiB.
    private static let largestFile = 1 << 20

    /// - Throws: `DataError` if the file is missing or is not such a configuration; a key that is unknown, stands twice, is
    ///   missing or has a value that is not valid is named, with what was expected.
    public init(contentsOf path: String) throws {
        let bytes = try readFile(path, atMost: Self.largestFile)
        do { try self.init(json: bytes) } catch let error as DataError { throw DataError(.badInput, "\(path): \(error)") }
    }

    private init(json bytes: [UInt8]) throws {
        let members = try Self.members(bytes)
        let known = CodingKeys.allCases.map(\.rawValue)
        if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw DataError(.badInput, unknownName("there is no key", unknown, plural: "keys", known: known))
        }
        func value(_ key: CodingKeys) -> JSONValue? {
            if case .null? = members[key.rawValue] { nil } else { members[key.rawValue] }
        }
        func required(_ key: CodingKeys) throws -> JSONValue {
            guard let value = members[key.rawValue] else { throw DataError(.badInput, "'\(key.rawValue)' is missing") }
            return value
        }
        func text(_ key: CodingKeys) throws -> String? {
            guard let value = value(key) else { return nil }
            guard case .text(let text) = value else {
                throw DataError(.badInput, "\(key.rawValue)=\(value.asSetting) is not valid: expected a text in quotes")
            }
            return text
        }
        guard case .text(let preset) = try required(.preset) else {
            throw DataError(.badInput, "preset=\(try required(.preset).asSetting) is not valid: expected a name in quotes")
        }
        self.init(try Preset(named: preset))
        for key in [
            CodingKeys.iterations, .seed, .batchSize, .criticSteps, .learningRate, .beta1, .beta2, .penaltyWeight,
            .sampleInterval,
        ] { try set(key.rawValue, to: required(key).asSetting) }
        if let method = try text(.criticStep) { try set(CodingKeys.criticStep.rawValue, to: method) }
        data = try text(.data)
        instructionSet = try text(.instructionSet)
        if let list = value(.backends) {
            let names: [String]? = list.list?.compactMap { if case .text(let name) = $0 { name } else { nil } }
            guard let names, names.count == list.list?.count else {
                throw DataError(.badInput, "backends is not valid: expected a list of names in quotes")
            }
            backends = names
        }
        if let number = value(.threadCount) {
            guard let count = Int(number.asSetting) else {
                throw DataError(.badInput, "thread_count=\(number.asSetting) is not valid: expected a whole number")
            }
            threadCount = count
        }
    }

    /// The members of a text that must be one JSON object.
    private static func members(_ bytes: [UInt8]) throws -> [String: JSONValue] {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw DataError(.badInput, "not a JSON object that describes a run: it is no UTF-8 text")
        }
        do {
            guard case .object(let members) = try JSONValue(parsing: bytes) else {
                throw DataError(.badInput, "not a JSON object that describes a run")
            }
            return Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
        } catch let fault as JSONFault {
            throw DataError(.badInput, "byte \(fault.position): \(fault.reason)")
        }
    }

    /// - Throws: `DataError.cannotWrite`.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(self) else {
            throw DataError(.cannotWrite, "\(path): the configuration holds a number that JSON cannot")
        }
        try AtomicFile.write(Array(bytes) + [0x0A], to: path)
    }
}

extension JSONValue {
    /// As `set` takes it; of what it does not take, a text that says what it is.
    fileprivate var asSetting: String {
        switch self {
        case .null: return "null"
        case .boolean(let value): return value ? "true" : "false"
        // Some programs write whole numbers as 64.0.
        case .number(let text):
            guard Int(text) == nil, let whole = Double(text).flatMap({ Int(exactly: $0) }) else { return text }
            return String(whole)
        case .text(let text): return "\"\(text)\""
        case .list: return "[…]"
        case .object: return "{…}"
        }
    }
}
