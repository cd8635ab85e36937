import KantoData
import KantoGAN
import KantoNN
import KantoRuns
import KantoTensor

/// What the critic says around samples, measured as a snapshot is taken and kept beside its picture, as
/// `samples/NAME.safetensors`: some kilobytes.
///
/// Lines lead from a generated sample x̃ to a real one x, as those on which the penalty is taken: x̂ = x̃ + t (x − x̃). A critic
/// that gives optimal transport has slope 1 along the lines that couple the two (Gulrajani et al. 2017, Proposition 1).
struct CriticView {
    /// The run's iteration.
    let iteration: Int
    /// Scores along lines, D(x̂) − D(x̃): one row a line, `steps` evenly spaced from x̃ to x.
    let lines: [[Float]]
    /// ‖x − x̃‖ of each line.
    let distances: [Float]
    /// Of points of a plane.
    let plane: Plane?

    static let steps = 17
    private static let lineCount = 32

    /// The critic over a square around 0.
    struct Plane {
        /// The square goes from −reach to reach on both axes.
        let reach: Double
        /// x and y of generated points, in turn.
        let points: [Float]
        /// D at the centers of `side`² cells, rows from the lowest y up.
        let scores: [Float]
        /// x and y of x̂, then those of ∇D(x̂); `slopesPerLine` on each line.
        let slopes: [[Float]]
        /// x and y of x̃, then of x.
        let ends: [[Float]]

        static let side = 48
        static let pointCount = 600
        static let slopesPerLine = 3
        static let lineCount = 16
    }

    /// Nil where the critic is told classes, which a line between two samples has not.
    init?(_ snapshot: Run.Snapshot) throws {
        guard snapshot.configuration.networks.conditioning == nil, let iteration = snapshot.history.last?.iteration else {
            return nil
        }
        try self.init(
            samples: snapshot.samples, real: snapshot.real, critic: snapshot.critic, iteration: iteration)
    }

    /// - Parameters:
    ///   - samples: generated ones, [n] + the sample's shape.
    ///   - real: [m] + the sample's shape.
    init(samples: Tensor, real data: Tensor, critic: any Layer, iteration: Int) throws {
        self.iteration = iteration
        let count = min(Self.lineCount, samples.shape[0], data.shape[0])
        let shape = Array(samples.shape.dropFirst()), size = shape.reduce(1, *)
        let (fake, real) = (Array(samples.floats.prefix(count * size)), Array(data.floats.prefix(count * size)))
        func scores(_ values: [Float]) throws -> [Float] {
            try withoutGradient { try critic.output(Tensor(values, shape: [values.count / size] + shape), classes: nil).floats }
        }
        let columns = try (0..<Self.steps).map { step in
            let t = Float(step) / Float(Self.steps - 1)
            return try scores(zip(fake, real).map { $0 + t * ($1 - $0) })
        }
        lines = (0..<count).map { line in columns.map { $0[line] - columns[0][line] } }
        distances = (0..<count).map { line in
            var sum: Float = 0
            for index in line * size..<(line + 1) * size {
                let difference = real[index] - fake[index]
                sum += difference * difference
            }
            return sum.squareRoot()
        }
        plane = shape == [2] ? try Plane(samples.floats, data.floats, critic, lines: count, scores: scores) : nil
    }
}

extension CriticView.Plane {
    fileprivate init(
        _ fake: [Float], _ real: [Float], _ critic: any Layer, lines: Int, scores: ([Float]) throws -> [Float]
    ) throws {
        let largest = real.lazy.filter(\.isFinite).map(\.magnitude).max() ?? 1
        let reach = Double(max(largest, .leastNormalMagnitude)) * 1.25
        self.reach = reach
        points = Array(fake.prefix(2 * Self.pointCount))
        func coordinate(_ cell: Int) -> Float { Float(((Double(cell) + 0.5) / Double(Self.side) * 2 - 1) * reach) }
        self.scores = try scores(
            (0..<Self.side * Self.side).flatMap { [coordinate($0 % Self.side), coordinate($0 / Self.side)] })
        ends = (0..<min(Self.lineCount, lines)).map { [fake[2 * $0], fake[2 * $0 + 1], real[2 * $0], real[2 * $0 + 1]] }
        let places = ends.flatMap { end in
            (1...Self.slopesPerLine).flatMap { step in
                let t = Float(step) / Float(Self.slopesPerLine + 1)
                return [end[0] + t * (end[2] - end[0]), end[1] + t * (end[3] - end[1])]
            }
        }
        let points = try Tensor(places, shape: [places.count / 2, 2]).tracked()
        let slope = try gradient(of: critic.output(points, classes: nil).sum(), withRespectTo: points).floats
        slopes = (0..<places.count / 2).map { [places[2 * $0], places[2 * $0 + 1], slope[2 * $0], slope[2 * $0 + 1]] }
    }
}

// MARK: - In a file

extension CriticView {
    private enum Key: String {
        case iteration, reach
        case lines = "scores_along_lines"
        case distances = "lengths_of_lines"
        case points
        case scores
        case slopes
        case ends = "ends_of_lines"
    }

    static func path(ofSnapshot name: String, ofRun folder: String) -> String { "\(folder)/samples/\(name).safetensors" }

    /// - Throws: `DataError` of kind `.cannotWrite`.
    func write(to path: String) throws(DataError) {
        func table(_ rows: [[Float]]) throws(DataError) -> NumericArray {
            try NumericArray(shape: [rows.count, rows.first?.count ?? 0], values: .float32(rows.flatMap { $0 }))
        }
        var arrays = [
            Key.lines.rawValue: try table(lines),
            Key.distances.rawValue: try NumericArray(shape: [distances.count], values: .float32(distances)),
        ]
        var metadata = [Key.iteration.rawValue: "\(iteration)"]
        if let plane {
            metadata[Key.reach.rawValue] = "\(plane.reach)"
            arrays[Key.points.rawValue] = try NumericArray(shape: [plane.points.count / 2, 2], values: .float32(plane.points))
            arrays[Key.scores.rawValue] = try NumericArray(shape: [Plane.side, Plane.side], values: .float32(plane.scores))
            arrays[Key.slopes.rawValue] = try table(plane.slopes)
            arrays[Key.ends.rawValue] = try table(plane.ends)
        }
        try SafetensorsFile.write(arrays, metadata: metadata, to: path)
    }

    /// - Throws: `DataError` if there is no such file, or it does not hold what it should.
    init(contentsOf path: String) throws {
        let file = try SafetensorsFile(contentsOf: path)
        func fault(_ what: String) -> DataError {
            DataError(.badInput, "\(path): \(what): expected what 'kanto train' writes beside a picture of samples")
        }
        guard let iteration = file.metadata[Key.iteration.rawValue].flatMap({ Int($0) }), iteration >= 0 else {
            throw fault("metadata: '\(Key.iteration.rawValue)' is missing")
        }
        self.iteration = iteration
        func rows(_ key: Key, of width: Int) throws -> [[Float]] {
            let array = try file.array(key.rawValue)
            guard array.shape.count == 2, array.shape[1] == width else { throw fault("\(key.rawValue) has shape \(array.shape)") }
            let values = array.floats
            return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
        }
        lines = try rows(.lines, of: Self.steps)
        distances = try file.array(Key.distances.rawValue).floats
        guard distances.count == lines.count else { throw fault("\(distances.count) lengths of \(lines.count) lines") }
        guard let text = file.metadata[Key.reach.rawValue] else {
            plane = nil
            return
        }
        guard let reach = Double(text), reach > 0, reach.isFinite else {
            throw fault("metadata: '\(Key.reach.rawValue)' is '\(text)'")
        }
        plane = Plane(
            reach: reach, points: try rows(.points, of: 2).flatMap { $0 },
            scores: try rows(.scores, of: Plane.side).flatMap { $0 },
            slopes: try rows(.slopes, of: 4), ends: try rows(.ends, of: 4))
        guard plane!.scores.count == Plane.side * Plane.side else { throw fault("\(plane!.scores.count) scores") }
    }
}
