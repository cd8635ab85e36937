import Foundation
import KantoData
import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoNN
@testable import KantoRuns
import KantoTensor
import TestSupport
import Testing

@Suite struct RunTests {
    private func configuration(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
        var configuration = Preset.digits.configuration
        change(&configuration)
        return configuration
    }

    @Test func aFolderIsChosenOnlyForARunThatCanBegin() throws {
        let wrong = [
            configuration { $0.data.path = "/nowhere" }, configuration { $0.training.batchSize = 2000 },
            configuration { $0.networks.critic.input = [8, 8, 3] },
        ]
        for configuration in wrong {
            #expect(throws: DataError.self) {
                _ = try Run(configuration) {
                    Issue.record("asked for a folder")
                    return "/nowhere"
                }
            }
        }
    }

    /// Rows of numbers are trained on, and drawn in their own units.
    @Test func rowsAreDrawnInTheirOwnUnits() throws {
        let folder = try TemporaryFolder()
        let rows = (0..<64).map { "\(1000 + $0),\(Double($0 % 7) * 1e-3 - 5)" }.joined(separator: "\n")
        var configuration = RunConfiguration()
        configuration.data.path = try folder.write("size,\"depth, m\"\n" + rows + "\n", to: "rows.csv")
        configuration.architecture = ArchitectureDescription(kind: PerceptronArchitecture(), common: ArchitectureKinds.Common())
        configuration.training.batchSize = 16
        let run = try Run(configuration, folder: folder.path + "/run")
        #expect(run.configuration.architecture == nil && run.configuration.networks.sampleShape == [2])
        _ = try run.step()
        try run.writeSnapshot("final")
        // What was made for the data stands in the configuration.
        #expect(try RunConfiguration(contentsOf: run.folder + "/config.json").networks == run.configuration.networks)

        let trained = try TrainedGenerator(run: run.folder)
        #expect(trained.units.columns == ["size", "depth, m"])
        let means = trained.units.restored([0, 0, 0, 0])
        #expect(abs(means[0] - 1031.5) < 1e-2 && abs(means[1] + 4.997) < 1e-2 && means[0] == means[2])
    }

    /// Mirrored or not, a batch is the same each time it is read, and others are mirrored the next time.
    @Test func flipsFollowTheBatch() throws {
        let data = try Datasets.open(DataDescription(path: "digits"))
        func batches(flips: Bool, _ numbers: [Int]) throws -> [[Float]] {
            var description = DataDescription(path: "digits")
            description.flip = flips
            let batches = try DatasetBatches(data, description, batchSize: 32, seed: 3)
            return try numbers.map { try batches.batch($0).floats }
        }
        let (plain, flipped) = (try batches(flips: false, [0, 1, 2]), try batches(flips: true, [0, 1, 2]))
        #expect(try batches(flips: true, [2, 0, 1]) == [flipped[2], flipped[0], flipped[1]])
        let counts = (0..<3).map { number in
            (0..<32).count { plain[number][$0 * 64..<($0 + 1) * 64] != flipped[number][$0 * 64..<($0 + 1) * 64] }
        }
        #expect(counts.allSatisfy { 6...26 ~= $0 }, "\(counts)")
    }

    /// The digits' values are 0 to 16: each moves up by less than one of 17 parts, and by another part the next time.
    @Test func whatIsBetweenWholeNumbersIsFilledIn() throws {
        func batches(_ change: (inout DataDescription) -> Void = { _ in }) throws -> DatasetBatches {
            var description = DataDescription(path: "digits")
            description.range = ValueRange(0, 16)
            change(&description)
            return try DatasetBatches(Datasets.open(description), description, batchSize: 256, seed: 3)
        }
        let plain = try batches().batch(0).floats
        for range in [ValueRange(0, 1), ValueRange(-1, 1)] {
            let filled = try batches {
                $0.scaledTo = range
                $0.dequantize = true
            }
            let values = try filled.batch(0).floats
            let parts = zip(values, plain).map { value, whole in
                (Double(value) - range.lower) / (range.upper - range.lower) * 17 - Double(whole) * 16
            }
            #expect(parts.allSatisfy { -1e-4...1.0001 ~= $0 })
            #expect(abs(parts.reduce(0, +) / Double(parts.count) - 0.5) < 0.01)
            #expect(try filled.batch(0).floats == values)
            #expect(try filled.batch(7).floats != values)
        }
        let error = #expect(throws: DataError.self) {
            var description = DataDescription(path: "ring8")
            description.dequantize = true
            _ = try DatasetBatches(Datasets.open(description), description, batchSize: 8, seed: 3)
        }
        #expect(error?.description.contains("data.dequantize is of pictures of whole numbers") == true)
    }

    /// The same configuration with other data is told; with the same data elsewhere it is not.
    @Test func otherDataAreTold() throws {
        let folder = try TemporaryFolder()
        func rows(_ first: Int) -> String { (0..<80).map { "\(first + $0),\($0 * $0)" }.joined(separator: "\n") }
        var configuration = try RunConfiguration(completing: .object(["architecture": .text("mlp"), "batch_size": .integer(8)]))
        func notes(_ text: String, _ name: String) throws -> (RunConfiguration, [String]) {
            var said: [String] = []
            configuration.data.path = try folder.write(text, to: name + ".csv")
            let run = try Run(configuration, note: { said.append($0) }) { folder.path + "/" + name }
            return (run.configuration, said.filter { $0.contains("digest") })
        }
        let (written, said) = try notes(rows(0), "first")
        #expect(said.isEmpty && written.dataDigest?.count == 16)
        configuration = try RunConfiguration(contentsOf: folder.path + "/first/config.json")
        #expect(configuration.dataDigest == written.dataDigest)
        #expect(try notes(rows(0), "moved").1.isEmpty)
        let others = try notes(rows(1).replacing("1,", with: "2,"), "others").1
        #expect(others.count == 1 && others[0].contains("others.csv: not the data that the configuration was written with"))
    }

    /// Numbers that grow without end are told before they are infinite; the last good checkpoint is named.
    @Test func aTrainingThatDivergesEnds() throws {
        let folder = try TemporaryFolder()
        let run = try Run(
            configuration {
                $0.training.optimizer = OptimizerDescription(Adam.Description(), learningRate: 0.5)
                $0.sampleInterval = 1
            }, folder: folder.path + "/run")
        let failure = #expect(throws: TrainingFailure.self) { for _ in 0..<200 { _ = try run.step() } }
        let text = failure?.description ?? ""
        #expect(text.contains("the training diverges") && text.contains("A smaller learning_rate"), "\(text)")
        let checkpoint = try #require(failure?.lastCheckpoint)
        #expect(text.contains("the last good checkpoint is \(checkpoint)"))
        _ = try SafetensorsFile(contentsOf: checkpoint)
        // The log tells it too.
        let log = try String(contentsOfFile: run.folder + "/metrics.jsonl", encoding: .utf8)
        #expect(log.split(separator: "\n").count == failure?.iteration)
    }

    @Test func weightsThatAreNoNumbersAreNotWritten() throws {
        let folder = try TemporaryFolder()
        let run = try Run(configuration(), folder: folder.path + "/run")
        let bias = try #require(run.trainer.generator.namedParameters.first { $0.path == "0.bias" }).parameter
        var values = bias.value.floats
        values[3] = .nan
        bias.value = try Tensor(values, shape: bias.shape)
        let failure = #expect(throws: TrainingFailure.self) { try run.writeSnapshot("final") }
        #expect(failure?.description.contains("generator.0.bias holds a value that is not a finite number") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.folder + "/checkpoints").isEmpty)
    }

    @Test func theCheckpointsThatThereAreAreNamed() throws {
        let folder = try TemporaryFolder()
        let run = try Run(configuration(), folder: folder.path + "/run")
        func complaint(_ name: String?) -> String {
            "\(#expect(throws: DataError.self) { _ = try TrainedGenerator(run: run.folder, checkpoint: name) }!)"
        }
        #expect(complaint(nil) == "\(run.folder): there is no checkpoint; this run has none")
        _ = try run.step()
        for name in ["iteration-000500", "interrupted", "iteration-001000"] { try run.writeSnapshot(name) }
        #expect(complaint("final") == "\(run.folder): there is no checkpoint 'final'; this run has 'interrupted', 'iteration-001000', 'iteration-000500'")
        #expect(try TrainedGenerator(run: run.folder, checkpoint: "interrupted").samples(2, seed: 1).shape == [2, 8, 8, 1])
    }

    /// A run that was done may have gone on, and was ended then.
    @Test func theNewestCheckpointIsTaken() throws {
        let folder = try TemporaryFolder()
        let run = try Run(configuration(), folder: folder.path + "/run")
        func samples(_ name: String?) throws -> [Float] {
            try TrainedGenerator(run: run.folder, checkpoint: name).samples(2, seed: 1).floats
        }
        for name in ["iteration-000001", "final", "interrupted"] {
            _ = try run.step()
            try run.writeSnapshot(name)
            #expect(try samples(nil) == samples(name))
        }
        #expect(TrainedGenerator.checkpoints(ofRun: run.folder) == ["interrupted", "final", "iteration-000001"])
        #expect(try samples("final") != samples(nil))
    }

    /// A checkpoint needs nothing beside it; where there is an average, it is what samples are drawn with.
    @Test(arguments: [nil, 0.5]) func aCheckpointIsCompleteInItself(averageDecay: Double?) throws {
        let folder = try TemporaryFolder()
        let run = try Run(configuration { $0.training.averageDecay = averageDecay }, folder: folder.path + "/run")
        for _ in 0..<2 { _ = try run.step() }
        try run.writeSnapshot("final")
        let moved = folder.path + "/alone.safetensors"
        try FileManager.default.moveItem(atPath: run.lastCheckpoint!, toPath: moved)
        try FileManager.default.removeItem(atPath: run.folder)

        let trained = try TrainedGenerator(contentsOf: moved)
        #expect(trained.networks == run.configuration.networks)
        let noise = try Random(seed: 3).normalNoise([4, 32])
        func expected() throws -> [Float] { try withoutGradient { try run.trainer.generator(noise).floats } }
        let latest = try expected()
        let drawn = try withoutGradient { try trained.generator(noise).floats }
        #expect(try drawn == run.trainer.average?.applied(expected) ?? latest)
        #expect((drawn == latest) == (averageDecay == nil))
    }

    /// The way between two latent vectors is an arc, whose ends are the vectors.
    @Test func aWayBetweenLatentVectorsIsAnArc() throws {
        let start = try Tensor([3, 0, 0, 2, 0, 0], shape: [2, 3]), end = try Tensor([0, 3, 0, -2, 0, 0], shape: [2, 3])
        let way = try TrainedGenerator.latents(from: start, to: end, steps: 3)
        #expect(way.shape == [6, 3])
        let expected: [Float] = [3, 0, 0, 2.1213203, 2.1213203, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, -2, 0, 0]
        #expect(zip(way.floats, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(way.floats)")
        #expect(throws: TensorError.self) { try TrainedGenerator.latents(from: start, to: Tensor([1], shape: [1, 1]), steps: 3) }
        #expect(throws: TensorError.self) { try TrainedGenerator.latents(from: start, to: end, steps: 1) }
    }

    @Test func aFileThatIsNoCheckpointIsTold() throws {
        let folder = try TemporaryFolder()
        var random = Random(seed: 1)
        let path = folder.path + "/other.safetensors"
        try Checkpoint.write(["generator": Dense(1, 1, using: &random)], metadata: [:], to: path)
        let error = #expect(throws: DataError.self) { _ = try TrainedGenerator(contentsOf: path) }
        #expect(error?.description.contains("do not describe its networks") == true)
        try Checkpoint.write(["generator": Dense(1, 1, using: &random)], metadata: ["networks": "{\"critic\": {}}"], to: path)
        let other = #expect(throws: DataError.self) { _ = try TrainedGenerator(contentsOf: path) }
        #expect(other?.description.contains("metadata: networks: 'generator' is missing") == true)
    }

    /// A few bytes can describe 4 TB of weights: none are made that the file does not hold.
    @Test func aCheckpointMustHoldWhatItDescribes() throws {
        let folder = try TemporaryFolder()
        var random = Random(seed: 1)
        let path = folder.path + "/other.safetensors"
        let networks = NetworkPairDescription(
            generator: NetworkDescription(input: [65536], Dense.Description(1 << 24), Reshape(4096, 4096, 1)),
            critic: NetworkDescription(input: [4096, 4096, 1], GlobalAveragePool(), Dense.Description(1)))
        try Checkpoint.write(
            ["generator": Sequential(Dense(1, 1, using: &random))], metadata: ["networks": networks.descriptionValue.json], to: path)
        let error = #expect(throws: DataError.self) { _ = try TrainedGenerator(contentsOf: path) }
        #expect(error?.description == "\(path): generator.0.weight has shape [1, 1], expected [65536, 16777216]")
    }
}

extension Random {
    fileprivate func normalNoise(_ shape: [Int]) throws -> Tensor {
        var copy = self
        return try copy.normal(shape)
    }
}
