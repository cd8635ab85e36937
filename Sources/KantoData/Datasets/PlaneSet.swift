import Glibc
import KantoABI
import KantoTensor

/// The generated sets of points in the plane on which generative networks are tried.
enum PlaneSet: String, CaseIterable, Sendable {
    /// Eight normal distributions of deviation 0.01 around points of the unit circle.
    case ring8
    /// Twenty-five of deviation 0.05 around {-4, -2, 0, 2, 4}².
    case grid25
    /// A spiral, with noise across it.
    case swissroll

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    var summary: String {
        switch self {
        case .ring8: "points around 8 places of a circle, without end"
        case .grid25: "points around 25 places of a grid, without end"
        case .swissroll: "points around a spiral, without end"
        }
    }

    /// The deviation of a coordinate, by which training sees it divided. The swiss roll is published divided.
    var scale: Double {
        switch self {
        case .ring8: (0.5 + 0.01 * 0.01).squareRoot()
        case .grid25: (8 + 0.05 * 0.05).squareRoot()
        case .swissroll: 1
        }
    }

    /// A point, in the set's own units.
    func point(using random: inout Random) -> (x: Double, y: Double) {
        switch self {
        case .ring8, .grid25:
            let mixture = mixture!
            let center = mixture.centers[Int.random(in: 0..<mixture.centers.count, using: &random)]
            let noise = normalPair(&random)
            return (center.x + mixture.deviation * noise.first, center.y + mixture.deviation * noise.second)
        case .swissroll:
            // As scikit-learn's make_swiss_roll with noise 0.25, its first and last coordinate over 7.5.
            let angle = 1.5 * Double.pi * (1 + 2 * random.uniform())
            let noise = normalPair(&random)
            return ((angle * cos(angle) + 0.25 * noise.first) / 7.5, (angle * sin(angle) + 0.25 * noise.second) / 7.5)
        }
    }

    /// The modes of the sets that have some.
    var mixture: NormalMixture? {
        switch self {
        case .ring8: Self.ring
        case .grid25: Self.grid
        case .swissroll: nil
        }
    }

    /// Eighths of the unit circle, exactly the same on all machines.
    private static let ring: NormalMixture = {
        let half = 0.5.squareRoot()
        let points: [(Double, Double)] = [
            (1, 0), (half, half), (0, 1), (-half, half), (-1, 0), (-half, -half), (0, -1), (half, -half),
        ]
        return NormalMixture(centers: points.map { NormalMixture.Center(x: $0.0, y: $0.1) }, deviation: 0.01)
    }()

    private static let grid: NormalMixture = {
        let places = [-4.0, -2, 0, 2, 4]
        let centers = places.flatMap { x in places.map { y in NormalMixture.Center(x: x, y: y) } }
        return NormalMixture(centers: centers, deviation: 0.05)
    }()

    private func normalPair(_ random: inout Random) -> kanto_random_pair {
        let words = random.next()
        return kanto_normal_pair(UInt32(truncatingIfNeeded: words), UInt32(words >> 32))
    }
}

/// Points of a generated set. The point of an index follows from the seed and the index, so there are as many as indexes.
struct PlaneDataset: Dataset {
    /// What a pass takes.
    let count = 1 << 20
    let sampleShape = [2]
    var featureNames: [String]? { ["x", "y"] }
    var valueRange: ValueRange? { nil }
    var mixture: NormalMixture? { self.set.mixture }
    var isEndless: Bool { true }
    private let set: PlaneSet
    private let seed: UInt64

    init(_ set: PlaneSet, _ description: DataDescription, seed: UInt64) throws {
        let others = [
            ("data.size", description.size != nil), ("data.channels", description.channels != nil),
            ("data.labels", description.labels != nil), ("data.range", description.range != nil),
        ].filter(\.1).map(\.0)
        guard others.isEmpty else {
            throw DataError(
                .badInput,
                "\(set.rawValue): points of a plane, which are generated; \(others.joined(separator: ", ")) (of the preset or your "
                    + "own) cannot be said of them")
        }
        (self.set, self.seed) = (set, seed)
    }

    /// - Precondition: indexes are not negative; there is no largest one.
    func read(_ indexes: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        precondition(buffer.count == 2 * indexes.count && indexes.allSatisfy { $0 >= 0 })
        for (place, index) in indexes.enumerated() {
            var random = Random(seed: seed, stream: UInt64(index))
            let point = set.point(using: &random)
            buffer[2 * place] = Float(point.x / set.scale)
            buffer[2 * place + 1] = Float(point.y / set.scale)
        }
    }

    var units: SampleUnits { SampleUnits(AffineMap(multipliers: [1 / set.scale], offsets: [0]), columns: featureNames) }
}
