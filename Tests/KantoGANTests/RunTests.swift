import Foundation
import Kanto
import TestSupport
import Testing

@testable import Kanto

@Suite struct RunTests {
    private func configuration(_ change: (inout RunConfiguration) throws -> Void = { _ in }) rethrows -> RunConfiguration {
        var configuration = RunConfiguration(.digits)
        try change(&configuration)
        return configuration
    }

    /// The picture can be drawn again, the weights cannot be had again.
    @Test func anUnfinishedPictureCostsNoWeights() throws {
        let folder = try TemporaryFolder()
        let run = try Run(configuration(), folder: folder.path + "/run")
        _ = try run.step()
        try FileManager.default.removeItem(atPath: run.folder + "/samples")
        let error = #expect(throws: DataError.self) { try run.writeSnapshot("final") }
        #expect(error?.kind == .cannotWrite && error?.description.contains("samples/final.png") == true)
        #expect(run.lastCheckpoint == run.folder + "/checkpoints/final.safetensors")
        #expect(try SafetensorsFile(contentsOf: run.lastCheckpoint!).names.contains("generator.0.weight"))
    }

    @Test func aFolderIsChosenOnlyForARunThatCanBegin() throws {
        let wrong = try [
            configuration { $0.data = "/nowhere" }, configuration { $0.preset = "nonsense" }, configuration { try $0.set("batch_size", to: "2000") },
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

    /// Numbers that grow without end are told before they are infinite; the last good checkpoint is named.
    @Test func aTrainingThatDivergesEnds() throws {
        let folder = try TemporaryFolder()
        let run = try Run(
            configuration {
                try $0.set("learning_rate", to: "0.5")
                try $0.set("sample_interval", to: "1")
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
        func complaint() -> String { "\(#expect(throws: DataError.self) { _ = try TrainedGenerator(run: run.folder) }!)" }
        #expect(complaint() == "\(run.folder): there is no checkpoint 'final'; this run has none")
        _ = try run.step()
        for name in ["iteration-000500", "interrupted", "iteration-001000"] { try run.writeSnapshot(name) }
        #expect(complaint() == "\(run.folder): there is no checkpoint 'final'; this run has 'interrupted', 'iteration-001000', 'iteration-000500'")
        #expect(try TrainedGenerator(run: run.folder, checkpoint: "interrupted").samples(2, seed: 1).shape == [2, 8, 8, 1])
    }
}
