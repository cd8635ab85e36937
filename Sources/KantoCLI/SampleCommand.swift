import ArgumentParser
import Kanto
import KantoPictures

struct SampleCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Draw samples from a trained generator.",
        discussion: "A PNG holds a grid of them, a .npy file the numbers themselves: float32, [count, height, width, channels].")

    @Argument(help: ArgumentHelp("The folder of a run, or a checkpoint: a .safetensors file.", valueName: "run"))
    var run: String

    @Option(help: "How many samples.")
    var count = 64

    @Option(help: "Seed of the noise.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Where they go, as .png or .npy. (default: <run>/samples/seed-<seed>.png, or seed-<seed>.png for a checkpoint)",
            valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("Which of the run's checkpoints, 'interrupted' say.", valueName: "name"))
    var checkpoint = "final"

    mutating func execute() throws {
        guard (1...65_536).contains(count) else { throw Failure.usage("--count \(count): expected a number from 1 to 65536") }
        let path = out ?? (isCheckpoint ? "" : "\(run)/samples/") + "seed-\(seed).png"
        guard path.hasSuffix(".png") || path.hasSuffix(".npy") else {
            throw Failure.usage("--out \(path): expected a name that ends in .png or .npy")
        }
        if path.hasSuffix(".png") {
            do throws(DataError) { try PNG.requireAvailable(for: path) } catch {
                throw Failure(message: "\(error); --out FILE.npy writes the numbers themselves", code: Failure.cannotWrite)
            }
        }
        let samples = try trainedGenerator().samples(count, seed: seed)
        if path.hasSuffix(".npy") {
            try NPY.write(NumericArray(samples), to: path)
        } else {
            try PNG.write(ImageGrid.picture(of: samples.floats, shape: samples.shape), to: path)
        }
        print("wrote \(path)")
    }

    private var isCheckpoint: Bool { run.hasSuffix(".safetensors") }

    private func trainedGenerator() throws -> TrainedGenerator {
        if isCheckpoint { return try TrainedGenerator(contentsOf: run) }
        do { return try TrainedGenerator(run: run, checkpoint: checkpoint) } catch let error as DataError {
            let names = TrainedGenerator.checkpoints(ofRun: run)
            guard error.kind == .missingInput, let newest = names.first, !names.contains(checkpoint) else { throw error }
            throw Failure(message: "\(error): --checkpoint \(newest)", code: Failure.missingInput)
        }
    }
}
