import KantoData
import KantoNN
import KantoTensor

// What a run's folder says of it, for whoever reads it from outside.

extension Run {
    private static let namePrefix = "iteration-"

    /// The name of the snapshot at an iteration.
    static func name(ofIteration iteration: Int) -> String {
        let digits = "\(iteration)"
        return namePrefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// Whether a snapshot, or a checkpoint, is one of those at the sample intervals.
    static func isOfInterval(_ name: String) -> Bool { name.hasPrefix(namePrefix) }

    /// The iteration after which a snapshot was taken, by its name or by the checkpoint that was written with it; nil if neither
    /// says.
    package static func iteration(ofSnapshot name: String, ofRun folder: String) -> Int? {
        if name.hasPrefix(namePrefix) { return Int(name.dropFirst(namePrefix.count)) }
        guard [Snapshot.final, Snapshot.interrupted].contains(name) else { return nil }
        return try? Checkpoint.iteration(ofFile: TrainedGenerator.path(ofCheckpoint: name, ofRun: folder))
    }

    /// Whether the run was ended on purpose after an iteration: its checkpoint `final` is that.
    package static func isEnded(_ folder: String, after iteration: Int) -> Bool {
        self.iteration(ofSnapshot: Snapshot.final, ofRun: folder) == iteration
    }

    /// The networks of the newest checkpoint of a run that are told no classes.
    ///
    /// - Throws: `DataError` if the checkpoint is broken or does not describe its networks.
    package static func trainedNetworks(
        ofRun folder: String
    ) throws -> (iteration: Int, generator: TrainedGenerator, critic: any Layer)? {
        guard let name = TrainedGenerator.checkpoints(ofRun: folder).first else { return nil }
        let file = try SafetensorsFile(contentsOf: TrainedGenerator.path(ofCheckpoint: name, ofRun: folder))
        let generator = try TrainedGenerator(file)
        guard let iteration = Checkpoint.iteration(in: file.metadata), generator.classes == nil else { return nil }
        try Checkpoint.check("critic", generator.networks.critic.parameterShapes(), in: file)
        var random = Random(seed: 0)
        let critic = try generator.networks.critic.makeNetwork(using: &random)
        try Checkpoint.read("critic", into: critic, from: file)
        return (iteration, generator, critic)
    }

    /// Whether a process trains in a run's folder now.
    package static func isTraining(_ folder: String) -> Bool { RunLock.isHeld(folder: folder) }
}
