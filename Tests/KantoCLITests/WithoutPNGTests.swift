import Foundation
import KantoData
import TestSupport
import Testing

/// What a build without libpng does: `KANTO_PNG=off swift test --filter KantoCLITests` makes one.
@Suite(.disabled(if: PNG.isAvailable)) struct WithoutPNGTests {
    private let way = ["apt-get install libpng-dev", "'swift package purge-cache'"]

    @Test func aTrainingKeepsEverythingButPictures() throws {
        let folder = try TemporaryFolder(), run = folder.path + "/run"
        let training = try kanto("train", "--iterations", "2", "--set", "sample_interval=1", "--out", run)
        #expect(training.status == 0)
        // One warning for all pictures.
        #expect(training.errors.split(separator: "\n").count == 1 && training.errors.contains("without pictures"), "\(training.errors)")
        #expect(way.allSatisfy(training.errors.contains))
        #expect(training.output.contains("wrote \(run)/checkpoints/final.safetensors"))
        for file in ["config.json", "metrics.jsonl", "checkpoints/iteration-000001.safetensors", "checkpoints/final.safetensors", "report.html"] {
            #expect(FileManager.default.fileExists(atPath: run + "/" + file), "\(file)")
        }
        #expect(try kanto("sample", run, "--out", folder.path + "/samples.npy").status == 0)
        for words in [["sample", run], ["sample", run, "--out", folder.path + "/samples.png"]] { try expectRefusal(words) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["run", "samples.npy"])
    }

    @Test func aPlotIsRefusedBeforeAnythingIsMeasured() throws {
        try expectRefusal(["bench", "convolutions", "--plot", "bench.png"])
    }

    private func expectRefusal(_ words: [String]) throws {
        let outcome = try kanto(words)
        #expect(outcome.status == 73 && outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty, "\(outcome)")
        #expect((way + [".png: this build writes no PNG"]).allSatisfy(outcome.errors.contains), "\(outcome.errors)")
    }
}
