import ArgumentParser
import Kanto
import KantoPictures

struct SampleCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Draw samples from a trained generator.",
        discussion: """
            A PNG holds a grid of pictures, or points of a plane. A .npy file holds the numbers themselves: float32, [count, height, \
            width, channels] of pictures, [count, columns] of rows. A .csv file holds rows under the names of their columns. Rows are \
            in the units of the data that the generator was trained on.
            """)

    @Argument(help: ArgumentHelp("The folder of a run, or a checkpoint: a .safetensors file.", valueName: "run"))
    var run: String

    @Option(help: "How many samples.")
    var count = 64

    @Option(help: "Seed of the noise.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Where they go, as .png, .npy or .csv. (default: seed-<seed>.png, or .csv for rows, in the run's samples, or here for a checkpoint)",
            valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("Which of the run's checkpoints, 'interrupted' say.", valueName: "name"))
    var checkpoint = "final"

    mutating func execute() throws {
        guard (1...65_536).contains(count) else { throw Failure.usage("--count \(count): expected a number from 1 to 65536") }
        let name = (isCheckpoint ? "" : "\(run)/samples/") + "seed-\(seed)"
        // What is asked for in vain is told before the samples are drawn.
        if let out { try check(out) }
        let trained = try trainedGenerator()
        let shape = trained.networks.sampleShape
        let isDrawn = shape == [2] || shape.count == 3 && [1, 3].contains(shape[2])
        let path = out ?? name + (isDrawn ? ".png" : shape.count == 1 ? ".csv" : ".npy")
        try check(path)
        guard isDrawn || !path.hasSuffix(".png") else {
            throw Failure.usage(
                "--out \(path): samples of shape \(shape) are neither pictures nor points of a plane; expected .npy"
                    + (shape.count == 1 ? " or .csv" : ""))
        }
        guard shape.count == 1 || !path.hasSuffix(".csv") else {
            throw Failure.usage("--out \(path): samples of shape \(shape) are pictures, not rows; expected .png or .npy")
        }
        let samples = try trained.samples(count, seed: seed)
        let units = trained.units
        // Pictures stay in the range of training, which is what other programs want of a generator.
        let values = shape.count == 1 ? units.restored(samples.floats) : samples.floats
        if path.hasSuffix(".npy") {
            try NPY.write(NumericArray(shape: samples.shape, values), to: path)
        } else if path.hasSuffix(".csv") {
            try CSV.write(values, columns: units.columns ?? (1...shape[0]).map { "\($0)" }, to: path)
        } else if shape == [2] {
            try PNG.write(PointCloud.picture([("generated", values)]), to: path)
        } else {
            let range = Float(units.brightness.lower)...Float(units.brightness.upper)
            try PNG.write(ImageGrid.picture(of: values, shape: samples.shape, range: range), to: path)
        }
        print("wrote \(path)")
    }

    private func check(_ path: String) throws {
        guard [".png", ".npy", ".csv"].contains(where: path.hasSuffix) else {
            throw Failure.usage("--out \(path): expected a name that ends in .png, .npy or .csv")
        }
        if path.hasSuffix(".png") {
            do throws(DataError) { try PNG.requireAvailable(for: path) } catch {
                throw Failure(message: "\(error); --out FILE.npy writes the numbers themselves", code: Failure.cannotWrite)
            }
        }
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
