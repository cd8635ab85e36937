import Testing

@testable import KantoData

@Suite struct PlaneSetTests {
    private func points(_ name: String, _ indexes: [Int], seed: UInt64 = 0) throws -> [(x: Double, y: Double)] {
        var options = Datasets.Options()
        options.seed = seed
        let data = try open(name, options)
        let values = data.restored(try data.samples(indexes)).map(Double.init)
        return indexes.indices.map { (values[2 * $0], values[2 * $0 + 1]) }
    }

    @Test(arguments: [("ring8", 8, 0.01), ("grid25", 25, 0.05)]) func modes(name: String, count: Int, deviation: Double) throws {
        let points = try points(name, Array(0..<20_000))
        var modes: [[Int]: Int] = [:]
        var squares = 0.0
        let corner = 0.5.squareRoot()
        for point in points {
            let (x, y) =
                name == "grid25"
                ? ((point.x / 2).rounded() * 2, (point.y / 2).rounded() * 2)
                : [(1, 0), (corner, corner), (0, 1), (-corner, corner), (-1, 0), (-corner, -corner), (0, -1), (corner, -corner)]
                    .min {
                        ($0.0 - point.x) * ($0.0 - point.x) + ($0.1 - point.y) * ($0.1 - point.y) < ($1.0 - point.x)
                            * ($1.0 - point.x) + ($1.1 - point.y) * ($1.1 - point.y)
                    }!
            modes[[Int(x * 1000), Int(y * 1000)], default: 0] += 1
            squares += (point.x - x) * (point.x - x) + (point.y - y) * (point.y - y)
        }
        #expect(modes.count == count)
        #expect(modes.values.allSatisfy { abs(Double($0) - 20_000 / Double(count)) < 5 * (20_000 / Double(count)).squareRoot() })
        #expect(abs((squares / 40_000).squareRoot() / deviation - 1) < 0.02)
    }

    @Test func theRollIsASpiral() throws {
        for point in try points("swissroll", Array(0..<1000)) {
            // The distance from the middle is the angle, from 1.5 to 4.5 pi, within six deviations of the noise.
            let radius = 7.5 * (point.x * point.x + point.y * point.y).squareRoot()
            #expect(1.5 * Double.pi - 1.5 < radius && radius < 4.5 * Double.pi + 1.5)
        }
    }

    @Test(arguments: PlaneSet.allCases) func trainingSeesUnitVariance(set: PlaneSet) throws {
        let values = try open(set.rawValue).samples(Array(0..<20_000)).map(Double.init)
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
        #expect(abs(deviation - 1) < (set == .swissroll ? 0.3 : 0.02))
    }

    @Test(arguments: PlaneSet.allCases) func anIndexIsAlwaysTheSamePoint(set: PlaneSet) throws {
        let name = set.rawValue
        let all = try points(name, [5, 1 << 40, 0])
        let again = try points(name, [0, 5, 1 << 40])
        #expect(all[0] == again[1] && all[1] == again[2] && all[2] == again[0])
        #expect(try points(name, [0], seed: 1)[0] != again[0])
    }

    @Test func keysThatSayNothingAreRefused() {
        #expect(dataError { _ = try open("ring8") { $0.size = PictureSize(height: 2, width: 2) } }?.kind == .badInput)
    }
}
