import ArgumentParser
import Kanto
import KantoPictures

struct SampleCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Draw samples from a trained generator.",
        discussion: """
            A PNG holds a grid of pictures, or points of a plane as training has them. A .npy file holds the numbers themselves: \
            float32, [count, height, width, channels] of pictures, [count, columns] of rows. A .csv file holds rows under the names \
            of their columns. There rows are in the units of the data that the generator was trained on.

            A generator of classes (see 'conditioning' in the README) draws some of each, a row of the grid a class; --label draws one \
            class. A .csv file says the class of each row in its last column.

            --interpolate 1,2 goes from the noise of one seed to that of another: a row a way, --steps samples on each.
            """)

    @Argument(
        help: ArgumentHelp("The folder of a run, or a checkpoint: a .safetensors file.", valueName: "run"), completion: .directory
    )
    var run: String

    @Option(
        help: """
            How many samples; of a generator of classes, how many of each; of an interpolation, how many ways. (default: 64, of \
            classes and of an interpolation 8)
            """)
    var count: Int?

    @Option(
        help: ArgumentHelp("The class of the samples, by its name or its number from 0. (default: all)", valueName: "class"))
    var label: String?

    @Option(help: "Seed of the noise.")
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Where they go, as .png, .npy or .csv. (default: seed-<seed>.png, or .csv for rows, in the run's samples, or here for a checkpoint)",
            valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("Which of the run's checkpoints, 'best' say. (default: the newest)", valueName: "name"))
    var checkpoint: String?

    @Option(
        help: ArgumentHelp("Latent vectors in place of fresh noise: [n, width of the noise], as .npy.", valueName: "file.npy"))
    var latent: String?

    @Option(help: ArgumentHelp("Where the latent vectors of the samples go, as .npy.", valueName: "file.npy"))
    var saveLatent: String?

    @Option(help: ArgumentHelp("From the noise of one seed to that of another.", valueName: "seed,seed"))
    var interpolate: String?

    @Option(help: "Samples on the way of an interpolation, both ends included.")
    var steps = 8

    mutating func execute() throws {
        let ways = try seedsOfInterpolation()
        if let count, !(1...65_536).contains(count) {
            throw Failure.usage("--count \(count): expected a number from 1 to 65536")
        }
        guard (2...1024).contains(steps) else { throw Failure.usage("--steps \(steps): expected a number from 2 to 1024") }
        guard latent == nil || ways == nil else {
            throw Failure.usage("--latent and --interpolate both say where samples begin; expected one of them")
        }
        if let saveLatent, !saveLatent.hasSuffix(".npy") {
            throw Failure.usage("--save-latent \(saveLatent): expected a name that ends in .npy")
        }
        let what = latent == nil ? ways.map { "from-\($0.from)-to-\($0.to)" } ?? "seed-\(seed)" : "latent"
        let ofClass = label.map { "class-\($0.replacing("/", with: "-"))-" } ?? ""
        let name = (isCheckpoint ? "" : "\(run)/samples/") + ofClass + what
        // What is asked for in vain is told before the samples are drawn.
        if let out { try check(out) }
        let trained = try trainedGenerator()
        let shape = trained.networks.sampleShape
        let drawing = SamplePicture(sampleShape: shape)
        let path = out ?? name + (drawing != nil ? ".png" : shape.count == 1 ? ".csv" : ".npy")
        try check(path)
        guard drawing != nil || !path.hasSuffix(".png") else {
            throw Failure.usage(
                "--out \(path): samples of shape \(shape) are neither pictures nor points of a plane; expected .npy"
                    + (shape.count == 1 ? " or .csv" : ""))
        }
        guard shape.count == 1 || !path.hasSuffix(".csv") else {
            throw Failure.usage("--out \(path): samples of shape \(shape) are pictures, not rows; expected .png or .npy")
        }
        let rows = try rows(of: trained)
        let latents = try latents(of: trained, rows.count, ways)
        let labels = try labels(for: latents.shape[0], of: trained, rows.perClass)
        if let saveLatent { try NPY.write(NumericArray(latents), to: saveLatent) }
        let samples = try trained.samples(from: latents, labels: labels)
        let units = trained.units
        if let drawing, path.hasSuffix(".png") {
            let columns = ways == nil ? rows.perClass : steps
            try PNG.write(drawing.picture(of: samples, brightness: units.brightness, columns: columns), to: path)
        } else {
            // Pictures stay in the range of training, which is what other programs want of a generator.
            let values = shape.count == 1 ? units.restored(samples.floats) : samples.floats
            if path.hasSuffix(".npy") {
                try NPY.write(NumericArray(shape: samples.shape, values), to: path)
            } else {
                let classes = labels.map { labels in labels.map { trained.classes![$0] } }
                try CSV.write(
                    values, columns: units.columns ?? (1...shape[0]).map { "\($0)" }, classes: classes, to: path)
            }
        }
        print("wrote \(path)")
    }

    /// How many samples, or ways of an interpolation, and how many of each class where all classes have some.
    private func rows(of trained: TrainedGenerator) throws -> (count: Int, perClass: Int?) {
        guard let classes = trained.classes, label == nil, latent == nil, interpolate == nil else {
            return (count ?? (interpolate == nil ? 64 : 8), nil)
        }
        let perClass = count ?? 8
        guard perClass * classes.count <= 65_536 else {
            throw Failure.usage("--count \(perClass): of \(classes.count) classes; expected at most 65536 samples in all")
        }
        return (perClass * classes.count, perClass)
    }

    /// The class of each sample: the one that is asked for, some of each, or, on given ways and vectors, each in turn.
    private func labels(for count: Int, of trained: TrainedGenerator, _ perClass: Int?) throws -> [Int]? {
        guard let classes = trained.classes else {
            guard let label else { return nil }
            throw Failure.usage("--label \(label): the generator of \(run) is told no classes")
        }
        guard let label else {
            let run = perClass ?? (interpolate == nil ? 1 : steps)
            return (0..<count).map { $0 / run % classes.count }
        }
        guard let number = classes.firstIndex(of: label) ?? Int(label), classes.indices ~= number else {
            throw Failure.usage("--label: \(unknown("class", label, among: classes))")
        }
        return Array(repeating: number, count: count)
    }

    private func seedsOfInterpolation() throws -> (from: UInt64, to: UInt64)? {
        guard let interpolate else { return nil }
        let seeds = interpolate.split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
        guard seeds.count == 2, let from = seeds[0], let to = seeds[1] else {
            throw Failure.usage("--interpolate \(interpolate): expected two seeds, such as 1,2")
        }
        return (from, to)
    }

    private func latents(
        of trained: TrainedGenerator, _ count: Int, _ ways: (from: UInt64, to: UInt64)?
    ) throws -> Tensor {
        if let ways {
            return try TrainedGenerator.latents(
                from: trained.latents(count, seed: ways.from), to: trained.latents(count, seed: ways.to), steps: steps)
        }
        guard let latent else { return try trained.latents(count, seed: seed) }
        let array = try NPY.read(contentsOf: latent)
        let width = trained.networks.latentSize
        guard array.shape.count == 2, array.shape[1] == width, (1...65_536).contains(array.shape[0]) else {
            throw DataError(
                .badInput, "\(latent): latent vectors of shape \(array.shape), expected [n, \(width)], n from 1 to 65536")
        }
        return try Tensor(array.floats, shape: array.shape)
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
        try checkRun(run)
        return try TrainedGenerator(run: run, checkpoint: checkpoint)
    }
}
