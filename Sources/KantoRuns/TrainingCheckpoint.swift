import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

// A run's checkpoint: the networks, and all else that the training has come to. The moments of an optimizer stand under
// `critic_optimizer.<path of the parameter>.<number>`; what is counted stands in the metadata.

extension Checkpoint {
    /// What a run's checkpoint holds of a training.
    static func arrays(of trainer: Trainer) throws -> [String: NumericArray] {
        var arrays = try arrays(of: ["critic": trainer.critic, "generator": trainer.generator])
        if let average = trainer.average {
            try average.applied {
                arrays.merge(try Self.arrays(of: [TrainedGenerator.averageName: trainer.generator])) { $1 }
            }
        }
        let state = trainer.state
        for (name, network, moments) in [
            (criticOptimizer, trainer.critic, state.criticOptimizer.moments),
            (generatorOptimizer, trainer.generator, state.generatorOptimizer.moments),
        ] {
            for (path, moments) in zip(paths(of: network), moments) {
                for (index, moment) in moments.enumerated() { arrays["\(name).\(path).\(index)"] = try NumericArray(moment) }
            }
        }
        return arrays
    }

    /// What a run's checkpoint says of a training.
    static func metadata(of trainer: Trainer) throws -> [String: String] {
        let state = trainer.state
        var metadata = [
            Counter.iteration.rawValue: "\(state.iteration)",
            Counter.criticSteps.rawValue: "\(state.criticOptimizer.stepCount)",
            Counter.generatorSteps.rawValue: "\(state.generatorOptimizer.stepCount)",
            Counter.batches.rawValue: "\(state.batchCount)",
        ]
        metadata[kernelsKey] = try Registry.shared().choices
        return metadata
    }

    /// Brings a training, made of the same configuration and data, to where the one stood that wrote a checkpoint.
    ///
    /// - Throws: `DataError` if the file is damaged, lacks anything or is of another configuration; the training is then not to
    ///   be used.
    static func restore(_ trainer: Trainer, from file: SafetensorsFile) throws {
        try file.checkDigest()
        if let choices = file.metadata[kernelsKey] { try Registry.shared().replay(choices) }
        try read("critic", into: trainer.critic, from: file)
        try read("generator", into: trainer.generator, from: file)
        func moments(_ name: String, _ network: any Layer, _ optimizer: Optimizer) throws -> [[Tensor]] {
            try zip(paths(of: network), optimizer.parameters).map { path, parameter in
                try (0..<optimizer.rule.momentCount).map { try tensor("\(name).\(path).\($0)", like: parameter, in: file) }
            }
        }
        let state = TrainingState(
            iteration: try Counter.iteration.value(in: file),
            criticOptimizer: Optimizer.State(
                stepCount: try Counter.criticSteps.value(in: file),
                moments: try moments(criticOptimizer, trainer.critic, trainer.criticOptimizer)),
            generatorOptimizer: Optimizer.State(
                stepCount: try Counter.generatorSteps.value(in: file),
                moments: try moments(generatorOptimizer, trainer.generator, trainer.generatorOptimizer)),
            averages: try trainer.average.map { average in
                try zip(paths(of: trainer.generator), average.parameters).map {
                    try tensor("\(TrainedGenerator.averageName).\($0)", like: $1, in: file)
                }
            },
            batchCount: try Counter.batches.value(in: file))
        do { try trainer.restore(state) } catch let error as TensorError {
            throw DataError(.badInput, "\(file.name): is of another configuration or other data: \(error)")
        }
    }

    /// The key of the backends that were chosen by measured times.
    private static let kernelsKey = "kernels"
    private static let criticOptimizer = "critic_optimizer"
    private static let generatorOptimizer = "generator_optimizer"

    /// In the order of `parameters`.
    private static func paths(of network: any Layer) -> [String] {
        var seen: Set<ObjectIdentifier> = []
        return network.namedParameters.filter { seen.insert(ObjectIdentifier($0.parameter)).inserted }.map(\.path)
    }

    /// What is counted, by its name in the metadata.
    private enum Counter: String {
        case iteration
        case criticSteps = "critic_optimizer_steps"
        case generatorSteps = "generator_optimizer_steps"
        case batches = "batches_of_data"

        func value(in file: SafetensorsFile) throws(DataError) -> Int {
            guard let text = file.metadata[rawValue] else {
                throw DataError(
                    .badInput,
                    "\(file.name): the metadata have no '\(rawValue)': expected a checkpoint that a run can go on from, as this "
                        + "version of 'kanto train' writes it")
            }
            guard let value = Int(text), value >= 0 else {
                throw DataError(.badInput, "\(file.name): metadata: \(rawValue): expected a whole number, found '\(text)'")
            }
            return value
        }
    }

    /// The iteration that a checkpoint was written after, by its header; nil if it does not say.
    ///
    /// - Throws: `DataError` if the header cannot be read.
    static func iteration(ofFile path: String) throws -> Int? {
        iteration(in: try SafetensorsFile.metadata(ofFile: path))
    }

    /// The same of its metadata.
    static func iteration(in metadata: [String: String]) -> Int? { metadata[Counter.iteration.rawValue].flatMap { Int($0) } }
}
