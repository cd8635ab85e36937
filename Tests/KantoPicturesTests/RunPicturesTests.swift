import Foundation
import KantoData
import KantoPictures
import KantoRuns
import TestSupport
import Testing

@Suite(.enabled(if: PNG.isAvailable)) struct RunPicturesTests {
    /// The picture can be drawn again, the weights cannot be had again.
    @Test func anUnfinishedPictureCostsNoWeights() throws {
        let folder = try TemporaryFolder()
        let run = try Run(Preset.digits.configuration, folder: folder.path + "/run")
        run.onSnapshot = { try $0.drawPictures() }
        _ = try run.step()
        try FileManager.default.removeItem(atPath: run.folder + "/samples")
        let error = #expect(throws: DataError.self) { try run.writeSnapshot("final") }
        #expect(error?.kind == .cannotWrite && error?.description.contains("samples/final.png") == true)
        #expect(run.lastCheckpoint == run.folder + "/checkpoints/final.safetensors")
        #expect(try SafetensorsFile(contentsOf: run.lastCheckpoint!).names.contains("generator.0.weight"))
    }

    @Test func aSnapshotIsDrawnIntoTheFolder() throws {
        let folder = try TemporaryFolder()
        let run = try Run(Preset.digits.configuration, folder: folder.path + "/run")
        run.onSnapshot = { try $0.drawPictures() }
        for _ in 0..<2 { _ = try run.step() }
        try run.writeSnapshot("final")
        // Eight rows of eight pictures of 48x48, gaps of 1 between and around them, and below, apart, a row of real ones.
        let samples = try PNG.read(contentsOf: run.folder + "/samples/final.png")
        #expect((samples.width, samples.height, samples.channels) == (393, 393 + 8 + 49, 1))
    }
}
