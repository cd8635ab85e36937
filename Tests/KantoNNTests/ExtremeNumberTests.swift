import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// Layers at the ends of the range of numbers, on every backend that computes element by element.
struct ExtremeNumberTests {
    static let backends: [String] = {
        do { return try Backend.available.filter { $0.offers(.unary, .float32) }.map(\.name) } catch { fatalError("\(error)") }
    }()

    /// Layers that a factor on their input does not change, and the shape of an input.
    static let scaleInvariant: [LayerCase] = [
        LayerCase("layer norm", 2, 4) { _ in try LayerNorm(shape: [4]) },
        LayerCase("layer norm of images", 2, 3, 2, 4) { _ in try LayerNorm(channels: 4) },
        LayerCase("group norm", 2, 3, 2, 6) { _ in try GroupNorm(groups: 2, channels: 6) },
        LayerCase("instance norm", 2, 3, 3, 2) { _ in try InstanceNorm(2) },
        LayerCase("batch norm", 5, 3) { _ in try BatchNorm(3) },
        LayerCase("pixel norm", 2, 3, 2, 4) { _ in PixelNorm() },
    ]

    private struct Results { var value, slope, second: [Float] }

    /// The value, the gradient and the gradient of a projection of that, times the power of the scale that they lose.
    private func results(_ test: LayerCase, scale: Double) throws -> Results {
        var random = Random(seed: 2)
        let layer = try test.layerOfFloats()
        let shape = try test.input().shape
        let x = try (random.normal(shape) * scale).tracked()
        let value = try layer(x)
        let slope = try gradient(of: value, withRespectTo: x, seed: random.normal(value.shape) * scale)
        let second = try gradient(of: slope, withRespectTo: x, seed: random.normal(shape) * scale)
        return Results(value: value.floats, slope: slope.floats, second: second.floats)
    }

    @Test(arguments: scaleInvariant, backends) func hugeInputsAreNormalizedAsOthers(_ test: LayerCase, _ backend: String) throws {
        try withBackend(backend) {
            // Powers of two round alike. With the larger one squares overflow; at the smaller one ε is far below them already.
            let ordinary = try results(test, scale: 0x1p20)
            let huge = try results(test, scale: 0x1p100)
            for (found, expected) in [(huge.value, ordinary.value), (huge.slope, ordinary.slope), (huge.second, ordinary.second)]
            {
                let largest = expected.reduce(0) { max($0, abs($1)) }
                #expect(largest > 0.1 && zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
            }
        }
    }

    @Test(arguments: backends) func theSlopesOfFlatActivationsAreRight(_ backend: String) throws {
        func slope(_ layer: any Layer, at point: Float) throws -> Double {
            let x = try Tensor([point], shape: [1]).tracked()
            return try gradient(of: layer(x), withRespectTo: x).item()
        }
        let power = 2.061153622438558e-9
        try withBackend(backend) { () throws in
            #expect(try abs(slope(ELU(), at: -20) / power - 1) < 1e-5)
            #expect(try abs(slope(ELU(alpha: 0.5), at: -20) / (0.5 * power) - 1) < 1e-5)
            #expect(try abs(slope(SELU(), at: -20) / (1.0507009873554805 * 1.6732632423543772 * power) - 1) < 1e-5)
            #expect(try slope(ELU(), at: 20) == 1)
            #expect(try abs(slope(SmoothELU(), at: -10) / 1.5229979512760e-8 - 1) < 1e-5)
        }
    }
}
