import Foundation
import KantoMetrics
import KantoTensor
import TestSupport
import Testing

/// The metrics against the Python packages prdc, pot and scipy: against values that Reference/metrics.py printed, and against
/// what it prints here, where the packages are installed. `KANTO_PYTHON` names another interpreter than `python3`.
@Suite struct ReferenceTests {
    @Test func storedValues() throws { try compare(with: Self.stored) }

    @Test(.enabled(if: ReferenceTests.printed != nil, "python3 has prdc, pot and scipy"))
    func packagesThatAreInstalled() throws {
        let printed = try #require(Self.printed)
        #expect(Set(printed.keys) == Set(Self.stored.keys))
        try compare(with: printed)
    }

    /// prdc 0.2, pot 0.9.7, scipy 1.17.1, NumPy 2.4.6.
    private static let stored: [String: [Double]] = [
        "neighborhoods": [0.98, 0.3, 1.6253333333333335, 0.805],
        "neighborhoods of points": [1.0, 0.825, 1.1266666666666667, 0.85],
        "transport": [1.8156193081002625, 1.8504075965445832],
        "transport of points": [0.364522227031349, 0.42650374197132046],
        "assignment": [-71.73664855957031, 21.0, 55.0, 18.0, 6.0, 32.0, 17.0, 16.0, 34.0],
        "column": [0.5531053088960194, 0.407972668844556, 0.27350238618396583, 0.12172238788907491, 0.14035097152467768],
        "correlations": [0.8900516177950105],
        "frechet": [34.587910011634236],
        "pyramid": [0.14382941834628582, -0.16743295965716243, -0.1655597761273384, -0.5035296082496643, 0.07156448066234589, 0.09327158331871033, 2.0],
        "sliced": [51.48069161161711, 48.064785765447574],
    ]

    /// Nil where the script ends otherwise than well, because a package is missing.
    static let printed: [String: [Double]]? = {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Reference/metrics.py")
        guard let outcome = try? ProgramOutcome(of: [python, script.path]), outcome.status == 0 else { return nil }
        return try? JSONDecoder().decode([String: [Double]].self, from: outcome.output)
    }()

    private func compare(with reference: [String: [Double]]) throws {
        for (name, found) in try Self.found() {
            let expected = try #require(reference[name])
            #expect(found.count == expected.count, "\(name)")
            // Patches and directions of sliced distances are drawn, here others than there.
            let tolerance = name == "sliced" ? 0.03 : 2e-5
            for (found, expected) in zip(found, expected) {
                #expect(abs(found - expected) <= tolerance * max(1, abs(expected)), "\(name): \(found), expected \(expected)")
            }
        }
    }

    /// What Kanto finds, under the names of the script.
    private static func found() throws -> [String: [Double]] {
        func neighborhoods(_ real: Tensor, _ generated: Tensor) throws -> [Double] {
            let found = try NeighborhoodMetrics(real: real, generated: generated)
            return [found.precision, found.recall, found.density, found.coverage]
        }
        func transport(_ a: Tensor, _ b: Tensor) throws -> [Double] {
            try [1, 2].map { try TransportDistance(order: $0, between: a, and: b).value }
        }
        let costs = try Samples.costs()
        let assignment = try Assignment(costs: costs)
        let cost = assignment.columns.enumerated().reduce(0) { $0 + costs[$1.offset * 60 + $1.element] }
        let columns = try ColumnMetrics(real: Samples.table(), generated: Samples.rows())
        return try [
            "neighborhoods": neighborhoods(Samples.wide(), Samples.others()),
            "neighborhoods of points": neighborhoods(Samples.points(), Samples.moved()),
            "transport": transport(Samples.wide().sliced(0..<150), Samples.others()),
            "transport of points": transport(Samples.points(), Samples.moved()),
            "assignment": [cost] + assignment.columns.prefix(8).map(Double.init),
            "column": columns.distances,
            "correlations": [columns.largestCorrelationDifference(Bootstrap(seed: 1))!.value],
            "frechet": [FrechetDistance(real: Samples.features(), generated: Samples.drawnFeatures()).value],
            "pyramid": pyramid(Samples.pictures().sliced(0..<1)),
            "sliced": SlicedWasserstein(between: Samples.pictures(), and: Samples.noise(), seed: 1).levels.map(\.value),
        ]
    }

    private static func pyramid(_ picture: Tensor) throws -> [Double] {
        let shape = picture.shape
        let levels = LaplacianPyramid(
            .init(height: shape[1], width: shape[2], channels: shape[3], values: picture.floats)
        ).levels
        return levels.flatMap { level in [0, 77, level.values.count - 1].map { Double(level.values[$0]) } } + [Double(levels.count)]
    }
}
