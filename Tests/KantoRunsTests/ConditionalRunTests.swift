import Foundation
import KantoData
import KantoDescriptions
import KantoGAN
@testable import KantoRuns
import KantoTensor
import TestSupport
import Testing

/// Runs whose networks are told the class of each sample.
@Suite struct ConditionalRunTests {
    private func configuration(_ kind: String, _ words: [String: String] = [:]) throws -> RunConfiguration {
        var words = words
        words["conditioning.name"] = kind
        return try RunConfiguration(
            completing: .object(["preset": .text("digits"), "iterations": .integer(6), "sample_interval": .integer(2)]),
            setting: words.map { ($0, .word($1)) })
    }

    @Test(arguments: ["concat", "projection"]) func goesOnWithTheSameBitsAndDrawsEachClass(_ kind: String) throws {
        let folder = try TemporaryFolder()
        let (whole, ended) = (folder.path + "/whole", folder.path + "/ended")
        for (path, count) in [(whole, 6), (ended, 3)] {
            let run = try Run(configuration(kind), folder: path)
            var shown: [[Int]] = []
            run.onSnapshot = { shown.append($0.samples.shape) }
            for _ in 0..<count { _ = try run.step() }
            #expect(shown.allSatisfy { $0 == [80, 8, 8, 1] }, "eight of each digit")
            if count == 6 { try run.writeSnapshot("final") }
        }
        let run = try Run(resuming: ended) { Issue.record("noted: \($0)") }
        #expect(run.configuration.networks.conditioning?.classes == (0..<10).map { "\($0)" })
        while run.trainer.iteration < 6 { _ = try run.step() }
        try run.writeSnapshot("final")
        let name = "/checkpoints/final.safetensors"
        #expect(try Data(contentsOf: URL(filePath: ended + name)) == Data(contentsOf: URL(filePath: whole + name)))

        // The checkpoint says all that there is to know.
        let trained = try TrainedGenerator(contentsOf: whole + name)
        #expect(trained.classes == run.configuration.networks.conditioning?.classes)
        let (threes, sevens) = try (trained.samples(2, labels: [3, 3], seed: 1), trained.samples(2, labels: [7, 7], seed: 1))
        #expect(threes.floats != sevens.floats)
        #expect(throws: TensorError.self) { try trained.samples(2, seed: 1) }
        #expect(throws: TensorError.self) { try trained.samples(2, labels: [3, 10], seed: 1) }
    }

    /// Labels as data have them: names, numbers with gaps between.
    @Test func classesAreThoseThatOccur() throws {
        let folder = try TemporaryFolder()
        let rows = (0..<8).map { "\($0),\(2 * $0 % 5),\(["cat", "\"a, b\""][$0 % 2])" }.joined(separator: "\n")
        let file = try folder.write("x,y,kind\n" + rows, to: "rows.csv")
        func run(_ change: (inout RunConfiguration) -> Void = { _ in }) throws -> Run {
            var configuration = try RunConfiguration(
                completing: .object([
                    "architecture": .text("mlp"), "batch_size": .integer(4), "conditioning": .text("concat"),
                    "data": .object(["path": .text(file), "labels": .text("kind")]),
                ]))
            change(&configuration)
            return try Run(configuration, folder: folder.path + "/run\(UInt64.random(in: 0...UInt64.max))")
        }
        let made = try run()
        _ = try made.step()
        #expect(made.configuration.networks.conditioning?.classes == ["a, b", "cat"])
        #expect(made.configuration.networks.sampleShape == [2])

        let numbers = try folder.write("x,y,kind\n1,2,3\n4,5,7\n6,7,3\n8,9,3\n", to: "numbers.csv")
        #expect(try run { $0.data.path = numbers }.configuration.networks.conditioning?.classes == ["3", "7"])

        func fault(_ change: @escaping (inout RunConfiguration) -> Void) -> String {
            "\(#expect(throws: DataError.self) { try run(change) }!)"
        }
        let one = try folder.write("x,y,kind\n1,2,3\n4,5,3\n6,7,3\n8,9,3\n", to: "one.csv")
        #expect(fault { $0.data.path = one } == "\(one): samples of 1 class, expected 2 to 4096")
        #expect(fault { $0.data = DataDescription(path: "ring8") } == "ring8: the data have no labels, which 'conditioning' wants; data.labels names a file or a column of classes")
        #expect(fault { $0.networks.conditioning!.classes = ["dog"] }.contains("but conditioning.classes is [\"dog\"]"))
    }

    @Test func aCheckpointWithoutClassesIsTold() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/file.safetensors"
        let networks = Preset.digits.configuration.networks
        try Checkpoint.write(
            ["generator": networks.makeNetworks(seed: 1).generator],
            metadata: ["networks": networks.descriptionValue.json, "conditioning": #"{"name": "concat", "classes": []}"#], to: path)
        let error = #expect(throws: DataError.self) { try TrainedGenerator(contentsOf: path) }
        #expect(error?.description == "\(path): metadata: conditioning: names no classes")
    }

    @Test func aProjectionWantsADenseEnd() throws {
        let folder = try TemporaryFolder()
        var configuration = try configuration("projection")
        configuration.networks.critic.layers.append(configuration.networks.critic.layers[1])
        let error = #expect(throws: DataError.self) { try Run(configuration, folder: folder.path + "/run") }
        #expect(error?.kind == .badInput)
        #expect(error?.description == #"networks: projection wants a critic whose last layer is {"layer": "dense", "outputs": 1}"#)
        #expect(throws: (any Error).self) { try self.configuration("projektion") }
    }
}
