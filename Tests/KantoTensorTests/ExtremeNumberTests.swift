import KantoKernels
import KantoTensor
import Testing

/// Numbers at the ends of their range, on every backend that computes element by element.
struct ExtremeNumberTests {
    static let backends: [String] = {
        do { return try Backend.available.filter { $0.offers(.unary, .float32) }.map(\.name) } catch { fatalError("\(error)") }
    }()

    private func on<R>(_ backend: String, _ body: () throws -> R) throws -> R {
        try withBackend(backend) { try Kernels.run { try body() } }
    }

    private func isClose(_ found: [Float], _ expected: [Double], _ tolerance: Double = 1e-6) -> Bool {
        found.count == expected.count && zip(found, expected).allSatisfy { abs(Double($0) - $1) <= tolerance * abs($1) }
    }

    @Test(arguments: backends) func theNormOfAnInfiniteElementIsInfinite(_ backend: String) throws {
        try on(backend) {
            let rows = try Tensor(
                [.infinity, 0, -.infinity, 1, 3e38, 0, 3, 4, .infinity, -.infinity] as [Float], shape: [5, 2])
            #expect(try rows.sampleNorm().floats == [.infinity, .infinity, 3e38, 5, .infinity])
            #expect(
                try Tensor([.nan, 1, .nan, .infinity] as [Float], shape: [2, 2]).sampleNorm().floats.allSatisfy { $0.isNaN })
        }
        #expect(try Tensor([.infinity, 0] as [Double], shape: [1, 2]).sampleNorm().doubles == [.infinity])
    }

    /// Squares of deviations leave the range of float32 from 1.8e19 on, differences from 1.7e38 on.
    @Test(arguments: backends, [1e18, 1e19, 1e30, 1.7e38]) func rowsOfHugeNumbersAreNormalized(_ backend: String, _ scale: Double)
        throws
    {
        try on(backend) { try expectNormalizedRows(scale) }
    }

    private func expectNormalizedRows(_ scale: Double) throws {
        // The first row has ordinary numbers and stays as it is, the third is constant.
        let values = [1, 2, -1, 0, scale, 2 * scale, -scale, 0, scale, scale, scale, scale].map(Float.init)
        let x = try Tensor(values, shape: [3, 4]).tracked()
        let y = try x.normalized(axes: [1], epsilon: 1e-5)
        let normalized = [1, 3, -3, -1].map { $0 / 5.0.squareRoot() }
        #expect(isClose(y.floats, (normalized.map { $0 * (1.25 / 1.25001).squareRoot() }) + normalized + [0, 0, 0, 0]))

        // P(g) / scale, where P is that of the ordinary row.
        let seed: [Float] = [1, 0, 0, 0]
        let slope = try gradient(of: y, withRespectTo: x, seed: Tensor(seed + seed + seed, shape: [3, 4]))
        let weights = normalized.map { $0 * normalized[0] / 4 }
        let expected = zip([0.75, -0.25, -0.25, -0.25], weights).map { ($0 - $1) / 1.25.squareRoot() / scale }
        #expect(isClose(Array(slope.floats[4..<8]), expected, 1e-5))

        // The second gradient goes with 1 / scale²; a factor brings it into range where there is one that large.
        let direction = try Tensor([1, 2, 3, -1], shape: [1, 4])
        let second = try gradient(of: (slope * direction).sum() * min(scale, 1e30), withRespectTo: x).floats
        #expect(second.allSatisfy { $0.isFinite })
        let reference = try self.second(values.map(Double.init), direction, min(scale, 1e30))
        let largest = reference[4..<8].reduce(0) { max($0, abs($1)) }
        #expect(zip(second[4..<8], reference[4..<8]).allSatisfy { abs(Double($0) - $1) <= 1e-5 * largest + 1e-44 })
    }

    /// The same in float64, where it is in range.
    private func second(_ values: [Double], _ direction: Tensor, _ scale: Double) throws -> [Double] {
        let x = try Tensor(values, shape: [3, 4]).tracked()
        let seed = try Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0] as [Double], shape: [3, 4])
        let slope = try gradient(of: x.normalized(axes: [1], epsilon: 1e-5), withRespectTo: x, seed: seed)
        return try gradient(of: (slope * Tensor(direction.doubles, shape: [1, 4])).sum() * scale, withRespectTo: x).doubles
    }

    @Test(arguments: backends) func statisticsThatAreInRangeAreFound(_ backend: String) throws {
        try on(backend) {
            // Squares of 4e19 are not, a thousandth of their sum is.
            var values = [Float](repeating: 0, count: 1000)
            values[7] = 4e19
            let (mean, variance) = try Tensor(values, shape: [1, 1000]).statistics(axes: [1])
            #expect(isClose(mean.floats, [4e16]) && isClose(variance.floats, [1.6e39 / 1000 * 0.999]))
            // The mean of numbers whose differences are not.
            let (middle, spread) = try Tensor([3e38, -3e38, 3e38, -1e38] as [Float], shape: [4]).statistics(axes: [0])
            #expect(isClose(middle.floats, [0.5e38]) && spread.floats == [.infinity])
            // What is not finite stays so.
            #expect(
                try Tensor([.infinity, 1] as [Float], shape: [2]).normalized(axes: [0], epsilon: 1e-5).floats.allSatisfy {
                    $0.isNaN
                })
        }
    }

    @Test func rowsOfHugeDoublesAreNormalized() throws {
        let doubles = try Tensor([1e300, 2e300, -1e300, 0] as [Double], shape: [1, 4]).normalized(axes: [1], epsilon: 1e-5)
            .doubles
        #expect(zip(doubles, [1, 3, -3, -1].map { $0 / 5.0.squareRoot() }).allSatisfy { abs($0 - $1) < 1e-14 })
    }

    /// Where a function is flat its slope is small, not 0.
    struct Tail: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let point: Float
        let slope: Double
        let second: Double
        let body: @Sendable (Tensor) throws -> Tensor

        init(
            _ name: String, at point: Float, _ slope: Double, _ second: Double,
            _ body: @escaping @Sendable (Tensor) throws -> Tensor
        ) {
            (testDescription, self.point, self.slope, self.second, self.body) = (
                "\(name) at \(point)", point, slope, second, body
            )
        }
    }

    static let tails: [Tail] = [
        Tail("expMinusOne", at: -20, 2.061153622438558e-9, 2.061153622438558e-9) { try $0.expMinusOne() },
        Tail("tanh", at: 10, 8.24461445577e-9, -1.64892288436e-8) { try $0.tanh() },
        Tail("tanh", at: -10, 8.24461445577e-9, 1.64892288436e-8) { try $0.tanh() },
        Tail("sigmoid", at: 20, 2.061153613942e-9, -2.061153605445e-9) { try $0.sigmoid() },
        Tail("sigmoid", at: -20, 2.061153613942e-9, 2.061153605445e-9) { try $0.sigmoid() },
        Tail("softplus", at: 20, 0.99999999793884642, 2.061153613942e-9) { try $0.softplus() },
        Tail("softplus", at: -20, 2.061153618190e-9, 2.061153613942e-9) { try $0.softplus() },
        Tail("logOnePlus", at: -0.99999994, 16_777_216, -281_474_976_710_656) { try $0.logOnePlus() },
        Tail("logOnePlus", at: 1e15, 1e-15, -1e-30) { try $0.logOnePlus() },
        Tail("erf", at: 4, 1.2698234672e-7, -1.0158587738e-6) { try $0.erf() },
        // x σ(x): σ + x σ′, and 2 σ′ + x σ″.
        Tail("silu", at: -20, -3.916191876e-8, -3.710076488e-8) { try $0 * $0.sigmoid() },
        Tail("silu", at: 20, 1.00000003916, -3.710076488e-8) { try $0 * $0.sigmoid() },
    ]

    @Test(arguments: tails, backends) func slopesOfFlatPartsAreRight(_ tail: Tail, _ backend: String) throws {
        try on(backend) {
            let x = try Tensor([tail.point], shape: [1]).tracked()
            let slope = try gradient(of: tail.body(x), withRespectTo: x)
            let second = try gradient(of: slope, withRespectTo: x)
            #expect(isClose(slope.floats, [tail.slope], 1e-5), "\(slope)")
            #expect(isClose(second.floats, [tail.second], 1e-5), "\(second)")
        }
    }
}
