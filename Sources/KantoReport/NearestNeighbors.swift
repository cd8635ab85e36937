import KantoMetrics
import KantoTensor

/// Which real pictures samples are like: a generator that has learned some by heart draws copies of them.
///
/// Distances are Euclidean, of pixels from 0 to 1. The yardstick is how far real pictures are from the nearest other one.
struct NearestNeighbors {
    private let toReal: SquaredDistances
    /// From a real picture to the nearest other one, in rising order.
    private let ownDistances: [Double]

    /// How many real pictures have their distance to the others measured.
    private static let ofYardstick = 1000

    /// Nil where there are too few to compare.
    ///
    /// - Parameter tiles: the real ones.
    init?(_ tiles: SampleTiles) throws {
        guard tiles.count >= 20 else { return nil }
        let real = try Self.brightness(of: tiles)
        toReal = try SquaredDistances(to: real)
        let count = min(tiles.count, Self.ofYardstick), all = tiles.count
        let places = (0..<count).map { $0 * all / count }
        ownDistances = try toReal.from(real.gathered(places)).nearest(except: places).map {
            Double($0.squaredDistance).squareRoot()
        }
        .sorted()
    }

    struct Neighbor {
        let index: Int
        let distance: Double
    }

    /// The nearest real picture of each sample.
    func nearest(to tiles: SampleTiles) throws -> [Neighbor] {
        try toReal.from(Self.brightness(of: tiles)).nearest().map {
            Neighbor(index: $0.index, distance: Double($0.squaredDistance).squareRoot())
        }
    }

    /// The median distance of real pictures to the nearest other.
    var usual: Double { percentile(ownDistances, 50) }
    /// One in a hundred real pictures is nearer to another than this.
    var nearlyCopied: Double { percentile(ownDistances, 1) }

    private static func brightness(of tiles: SampleTiles) throws -> Tensor {
        try Tensor(tiles.pixels.map { Float($0) / 255 }, shape: [tiles.count, tiles.size])
    }
}
