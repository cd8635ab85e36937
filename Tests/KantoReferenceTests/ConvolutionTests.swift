import KantoABI
import KantoConsistency
import KantoKernels
import KantoReference
import Testing

@Suite struct ConvolutionTests {
    @Test func paddingByHand() throws {
        // 1 2 3        1 2     padded by a row of zeros above and a column of zeros at the right
        // 4 5 6   by   3 4
        let geometry = Convolution2D(
            batch: 1, height: 2, width: 3, channels: 1, outputChannels: 1, kernel: (2, 2), padding: (1, 0, 0, 1))
        let y = try reference(.convolution(.convolution2DForward, .float32, geometry), [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4]])
        #expect(y == [11, 18, 9, 37, 47, 21])
    }

    @Test func strideAndDilationByHand() throws {
        // Taps on the first and the third row, at every second column.
        let geometry = Convolution2D(
            batch: 1, height: 3, width: 3, channels: 1, outputChannels: 1, kernel: (2, 1), stride: (1, 2), dilation: (2, 1))
        let y = try reference(
            .convolution(.convolution2DForward, .float32, geometry), [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 10]])
        #expect(y == [71, 93])
    }

    @Test func groupsByHand() throws {
        // Two positions of two channels, each channel with its own two outputs: w[channel of the group][output].
        let geometry = Convolution2D(batch: 1, height: 1, width: 2, channels: 2, outputChannels: 4, kernel: (1, 1), groups: 2)
        let y = try reference(.convolution(.convolution2DForward, .float32, geometry), [[1, 2, 3, 4], [1, 10, 100, 1000]])
        #expect(y == [1, 10, 200, 2000, 3, 30, 400, 4000])
    }

    @Test func epilogueByHand() throws {
        let geometry = Convolution2D(batch: 1, height: 1, width: 2, channels: 1, outputChannels: 2, kernel: (1, 1))
        let problem = Problem.convolution(
            .convolution2DForward, .float32, geometry, bias: true, activation: .leakyReLU(slope: 0.5), accumulate: true)
        let y = try reference(problem, [[1, 2], [3, -4], [10, 1]], old: [[1, 1, 0, -1]])
        // 3 + 10 + 1, half of -4 + 1 + 1, 6 + 10 + 0, half of -8 + 1 - 1
        #expect(y == [14, -1, 16, -4])
    }

    @Test func gradientsByHand() throws {
        let geometry = Convolution2D(
            batch: 1, height: 1, width: 3, channels: 1, outputChannels: 1, kernel: (1, 2), padding: (0, 1, 0, 0))
        // y[0] = 20 x[0], y[1] = 10 x[0] + 20 x[1], y[2] = 10 x[1] + 20 x[2]
        let dx = try reference(
            .convolution(.convolution2DInputGradient, .float32, geometry), [[1, 2, 3], [10, 20]])
        #expect(dx == [40, 70, 60])
        let dw = try reference(
            .convolution(.convolution2DWeightGradient, .float32, geometry), [[5, 6, 7], [1, 2, 3]])
        #expect(dw == [28, 38])
    }

    @Test func paddingContributesNothingAgainstInfiniteWeights() throws {
        let geometry = Convolution2D(
            batch: 1, height: 1, width: 1, channels: 1, outputChannels: 1, kernel: (1, 2), padding: (0, 1, 0, 0))
        let y = try reference(.convolution(.convolution2DForward, .float32, geometry), [[3], [.infinity, 2]])
        #expect(y == [6])
    }

    @Test func aKernelLargerThanTheInputHasNoOutput() throws {
        let geometry = Convolution2D(batch: 1, height: 2, width: 2, channels: 1, outputChannels: 1, kernel: (3, 3))
        #expect(
            try reference(
                .convolution(.convolution2DForward, .float32, geometry), [[1, 2, 3, 4], Array(repeating: 1, count: 9)]) == [])
        #expect(
            try reference(.convolution(.convolution2DInputGradient, .float32, geometry), [[], Array(repeating: 1, count: 9)])
                == [0, 0, 0, 0])
    }

    @Test func withoutInputChannelsTheEpilogueOfZeroIsLeft() throws {
        let geometry = Convolution2D(batch: 1, height: 1, width: 2, channels: 0, outputChannels: 2, kernel: (1, 1))
        let problem = Problem.convolution(.convolution2DForward, .float32, geometry, bias: true, activation: .relu)
        #expect(try reference(problem, [[], [], [3, -3]]) == [3, 0, 3, 0])
    }

    /// ⟨dy, conv(x, w)⟩ = ⟨dx, x⟩ = ⟨dw, w⟩
    @Test(arguments: convolutionGeometries)
    func gradientsAreAdjoint(_ geometry: Convolution2D) throws {
        var random = Random(seed: 1)
        let shapes = operands(of: Problem.convolution(.convolution2DForward, .float32, geometry).raw)
        let x = random.normals(shapes.inputs[0].span)
        let w = random.normals(shapes.inputs[1].span)
        let dy = random.normals(shapes.outputs[0].span)
        let y = try reference(.convolution(.convolution2DForward, .float32, geometry), [x, w])
        let dx = try reference(.convolution(.convolution2DInputGradient, .float32, geometry), [dy, w])
        let dw = try reference(.convolution(.convolution2DWeightGradient, .float32, geometry), [x, dy])
        let magnitude = 1 + zip(dy, y).reduce(0) { $0 + abs($1.0 * $1.1) }
        #expect(abs(inner(dy, y) - inner(dx, x)) <= 1e-12 * magnitude)
        #expect(abs(inner(dy, y) - inner(dw, w)) <= 1e-12 * magnitude)
    }

    private func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}

/// The first output in float64 on the reference backend.
func reference(
    _ problem: Problem, _ inputs: [[Double]], old: [[Double]] = [], scalars: [Double] = []
) throws -> [Double] {
    try outputs(problem, inputs, old: old, scalars: scalars)[0]
}

/// All outputs.
func outputs(
    _ problem: Problem, _ inputs: [[Double]], old: [[Double]] = [], scalars: [Double] = []
) throws -> [[Double]] {
    var raw = problem.raw
    raw.dtype = UInt32(KANTO_DTYPE_F64)
    return try run(raw, on: referenceBackend(), inputs: inputs, outputs: old, scalars: scalars)
}
