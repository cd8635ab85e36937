import FoundationEssentials
import KantoData
import KantoGAN

/// Everything that repeats a training run, as `config.json` in its folder holds it.
public struct RunConfiguration: Codable, Sendable, Equatable {
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

    enum CodingKeys: String, CodingKey {
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
        case "learning_rate": learningRate = try parsed("a positive number") { $0 > 0 && $0.isFinite }
        case "beta1": beta1 = try parsed("a number from 0 to below 1") { (0..<1).contains($0) }
        case "beta2": beta2 = try parsed("a number from 0 to below 1") { (0..<1).contains($0) }
        case "penalty_weight": penaltyWeight = try parsed("a number of at least 0") { $0 >= 0 && $0.isFinite }
        case "critic_step":
            let names = CriticStepMethod.allCases.map(\.rawValue)
            criticStep = CriticStepMethod(rawValue: try parsed(names.joined(separator: ", ")) { names.contains($0) })
        case "sample_interval": sampleInterval = try positive()
        default:
            throw DataError(.badInput, "there is no setting '\(name)'; the settings are \(Self.settable.joined(separator: ", "))")
        }
    }

    /// Checks what a file may have got wrong.
    private func validated() throws -> RunConfiguration {
        var copy = self
        for (name, value) in [
            ("iterations", "\(iterations)"), ("batch_size", "\(batchSize)"), ("critic_steps", "\(criticSteps)"),
            ("learning_rate", "\(learningRate)"), ("beta1", "\(beta1)"), ("beta2", "\(beta2)"),
            ("penalty_weight", "\(penaltyWeight)"), ("sample_interval", "\(sampleInterval)"),
        ] { try copy.set(name, to: value) }
        return copy
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

    /// - Throws: `DataError` if the file is missing or is not such a configuration.
    public init(contentsOf path: String) throws {
        let bytes = try readFile(path)
        do {
            self = try JSONDecoder().decode(RunConfiguration.self, from: Data(bytes)).validated()
        } catch let error as DataError {
            throw DataError(.badInput, "\(path): \(error)")
        } catch DecodingError.keyNotFound(let key, _) {
            throw DataError(.badInput, "\(path): '\(key.stringValue)' is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let name = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw DataError(.badInput, "\(path): '\(name)' has a value of the wrong type")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            let name = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw DataError(.badInput, "\(path): '\(name)' has a value that is not valid")
        } catch {
            throw DataError(.badInput, "\(path): not a JSON object that describes a run")
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
