import KantoABI
import Testing

@Suite struct ConvolutionTests {
    struct Geometry: CustomTestStringConvertible, Sendable {
        var batch: Int64 = 2
        let height, width, channels, outputChannels: Int64
        let kernel: (y: Int64, x: Int64)
        var stride: (y: Int64, x: Int64) = (1, 1)
        var pads: (top: Int64, left: Int64, bottom: Int64, right: Int64) = (0, 0, 0, 0)
        var dilation: (y: Int64, x: Int64) = (1, 1)
        var groups: Int64 = 1

        var testDescription: String {
            "n\(batch) \(height)x\(width)x\(channels) k\(kernel) s\(stride) p\(pads) d\(dilation) g\(groups) o\(outputChannels)"
        }

        func problem(_ op: Int, _ epilogue: Epilogue = Epilogue.all[0]) -> kanto_problem {
            var problem = kanto_problem(
                op: op, flags: epilogue.flags, activation: epilogue.activation, slope: epilogue.slope)
            problem.convolution = kanto_convolution(
                batch: batch, height: height, width: width, channels: channels, output_channels: outputChannels,
                kernel_height: kernel.y, kernel_width: kernel.x, stride_y: stride.y, stride_x: stride.x,
                pad_top: pads.top, pad_left: pads.left, pad_bottom: pads.bottom, pad_right: pads.right,
                dilation_y: dilation.y, dilation_x: dilation.x, groups: groups)
            return problem
        }
    }

    static let ops = [KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT, KANTO_OP_CONV2D_WEIGHT_GRADIENT]
    static let accumulate = Epilogue.all[2]

    static let geometries = [
        Geometry(height: 8, width: 8, channels: 16, outputChannels: 32, kernel: (3, 3), pads: (1, 1, 1, 1)),
        Geometry(height: 7, width: 9, channels: 3, outputChannels: 5, kernel: (3, 2), stride: (2, 1), pads: (1, 0, 0, 2)),
        Geometry(height: 14, width: 14, channels: 1, outputChannels: 16, kernel: (5, 5), stride: (2, 2), pads: (2, 2, 2, 2)),
        Geometry(height: 14, width: 11, channels: 3, outputChannels: 20, kernel: (5, 5), stride: (2, 3), pads: (1, 2, 2, 1)),
        Geometry(height: 7, width: 7, channels: 32, outputChannels: 48, kernel: (5, 5), stride: (2, 2), pads: (2, 2, 2, 2)),
        Geometry(height: 9, width: 10, channels: 16, outputChannels: 16, kernel: (3, 3), pads: (2, 2, 1, 3), dilation: (2, 2)),
        Geometry(
            height: 11, width: 10, channels: 6, outputChannels: 7, kernel: (3, 2), stride: (2, 1), pads: (3, 1, 2, 0),
            dilation: (2, 3)),
        Geometry(height: 6, width: 6, channels: 32, outputChannels: 32, kernel: (3, 3), pads: (1, 1, 1, 1), groups: 2),
        Geometry(
            height: 7, width: 6, channels: 6, outputChannels: 9, kernel: (3, 3), stride: (2, 1), pads: (1, 0, 1, 2), groups: 3),
        Geometry(height: 8, width: 8, channels: 16, outputChannels: 16, kernel: (3, 3), pads: (1, 1, 1, 1), groups: 16),
        Geometry(height: 5, width: 5, channels: 24, outputChannels: 40, kernel: (1, 1)),
        Geometry(height: 6, width: 6, channels: 16, outputChannels: 16, kernel: (1, 1), stride: (2, 2)),
        Geometry(height: 4, width: 4, channels: 8, outputChannels: 1, kernel: (4, 4)),
        Geometry(batch: 5, height: 2, width: 2, channels: 17, outputChannels: 33, kernel: (3, 3), pads: (1, 1, 1, 1)),
    ]

    @Test(arguments: geometries, ops)
    func convolves(geometry: Geometry, op: Int) throws { try verify(geometry.problem(op)) }

    @Test(arguments: geometries, ops)
    func accumulates(geometry: Geometry, op: Int) throws {
        try verify(geometry.problem(op, ConvolutionTests.accumulate))
    }

    @Test(arguments: Epilogue.all, [geometries[0], geometries[1], geometries[7]])
    func appliesEpilogue(epilogue: Epilogue, geometry: Geometry) throws {
        try verify(geometry.problem(KANTO_OP_CONV2D_FORWARD, epilogue))
    }

    static let emptyGeometries = [
        Geometry(batch: 0, height: 5, width: 5, channels: 4, outputChannels: 3, kernel: (3, 3)),
        Geometry(height: 5, width: 5, channels: 0, outputChannels: 3, kernel: (3, 3)),
        Geometry(height: 5, width: 5, channels: 4, outputChannels: 0, kernel: (3, 3)),
        Geometry(height: 2, width: 5, channels: 4, outputChannels: 3, kernel: (3, 3)),
        Geometry(height: 0, width: 5, channels: 4, outputChannels: 3, kernel: (3, 3), pads: (2, 0, 2, 0)),
    ]

    @Test(arguments: emptyGeometries, ops)
    func emptySizes(geometry: Geometry, op: Int) throws {
        try verify(geometry.problem(op))
        try verify(geometry.problem(op, ConvolutionTests.accumulate))
    }

    @Test func emptyChannelsYieldEpilogueOfZero() throws {
        for epilogue in Epilogue.all {
            try verify(ConvolutionTests.emptyGeometries[1].problem(KANTO_OP_CONV2D_FORWARD, epilogue))
        }
    }

    /// Zero times infinity is NaN: padding must be left out, not multiplied.
    @Test(arguments: geometries.filter { $0.pads != (0, 0, 0, 0) })
    func paddingContributesNothingAgainstInfiniteWeights(geometry: Geometry) throws {
        let problem = geometry.problem(KANTO_OP_CONV2D_FORWARD)
        let counts = problem.counts
        for threadCount in [1, 2] {
            let kernel = try Kernel(problem, threadCount: threadCount)
            let output = try kernel.run(
                inputs: [
                    [Float](repeating: 1, count: counts.first), [Float](repeating: .infinity, count: counts.second),
                ], output: [Float](repeating: 0, count: counts.output), threadCount: threadCount)
            #expect(!output.contains { $0.isNaN }, "\(kernel.description)")
        }
    }
}
