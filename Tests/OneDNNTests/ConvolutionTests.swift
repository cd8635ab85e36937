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
            "n\(batch) \(height)x\(width)x\(channels) k\(kernel) s\(stride) p\(pads) d\(dilation) g\(groups) "
                + "o\(outputChannels)"
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
        Geometry(height: 7, width: 9, channels: 3, outputChannels: 5, kernel: (3, 2), stride: (2, 1), pads: (1, 0, 0, 1)),
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
    func convolves(geometry: Geometry, op: Int) throws { try verifyUnlessWeak(geometry.problem(op)) }

    @Test(arguments: geometries, ops)
    func accumulates(geometry: Geometry, op: Int) throws {
        try verifyUnlessWeak(geometry.problem(op, ConvolutionTests.accumulate))
    }

    /// False where oneDNN has a known weakness and the plugin declines with its reason.
    @discardableResult
    func verifyUnlessWeak(_ problem: kanto_problem) throws -> Bool {
        do {
            try verify(problem)
            return true
        } catch let failure as Failure {
            let weaknesses = [
                "has only its reference implementation", "which multiplies the padding",
            ]
            guard weaknesses.contains(where: { failure.description.contains($0) }) else { throw failure }
            return false
        }
    }

    /// Nothing of what a WGAN-GP is made of may fall to the weaknesses.
    @Test(arguments: [1, 3, 16, 64, 128], [(3, 1, 1), (4, 2, 1), (5, 2, 2)])
    func servesUsualLayers(channels: Int64, window: (kernel: Int64, stride: Int64, pad: Int64)) throws {
        for (outputChannels, op) in [Int64(16), 64, 128].flatMap({ o in ConvolutionTests.ops.map { (o, $0) } }) {
            let geometry = Geometry(
                batch: 1, height: 8, width: 8, channels: channels, outputChannels: outputChannels,
                kernel: (window.kernel, window.kernel), stride: (window.stride, window.stride),
                pads: (window.pad, window.pad, window.pad, window.pad))
            _ = try Kernel(geometry.problem(op), threadCount: 2)
        }
    }

    @Test(arguments: Epilogue.all, [geometries[0], geometries[1], geometries[7]])
    func appliesEpilogue(epilogue: Epilogue, geometry: Geometry) throws {
        try verifyUnlessWeak(geometry.problem(KANTO_OP_CONV2D_FORWARD, epilogue))
    }

    @Test(
        arguments: [KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT], Epilogue.derivatives)
    func multipliesByDerivative(op: Int, epilogue: Epilogue) throws {
        let geometries = ConvolutionTests.geometries[0...1] + [ConvolutionTests.geometries[7]]
        for geometry in geometries + ConvolutionTests.emptyGeometries {
            try verify(geometry.problem(op, epilogue))
        }
        // Large enough for the last pass to be shared by threads.
        try verify(
            Geometry(batch: 4, height: 24, width: 24, channels: 16, outputChannels: 16, kernel: (3, 3), pads: (1, 1, 1, 1))
                .problem(op, epilogue))
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

    /// Geometries that nobody chose, most of them with odd channels in padding.
    static let randomGeometries: [Geometry] = {
        var generator = Generator(seed: 5)
        func draw(_ range: ClosedRange<Int64>) -> Int64 {
            range.lowerBound + Int64(generator.bits() >> 33) % (range.upperBound - range.lowerBound + 1)
        }
        return (0..<150).map { _ in
            let groups: Int64 = [1, 1, 1, 2, 3][Int(draw(0...4))]
            return Geometry(
                batch: draw(1...3), height: draw(1...12), width: draw(1...12), channels: groups * draw(1...17),
                outputChannels: groups * draw(1...17), kernel: (draw(1...5), draw(1...5)),
                stride: (draw(1...3), draw(1...3)), pads: (draw(0...5), draw(0...5), draw(0...5), draw(0...5)),
                dilation: (draw(1...2), draw(1...2)), groups: groups)
        }
    }()

    @Test(arguments: ops)
    func convolvesRandomGeometries(op: Int) throws {
        var served = 0
        for (index, geometry) in ConvolutionTests.randomGeometries.enumerated() {
            let epilogues = op == KANTO_OP_CONV2D_FORWARD ? Epilogue.all : [Epilogue.all[0], Epilogue.all[2]]
            let problem = geometry.problem(op, epilogues[index % epilogues.count])
            if try verifyUnlessWeak(problem) { served += 1 }
        }
        // Without AVX-512 oneDNN has little that leaves the padding out.
        let usual = try ConvolutionTests.hasAVX512() ? 75 : 25
        #expect(served > (op == KANTO_OP_CONV2D_WEIGHT_GRADIENT ? 15 : usual))
    }

    /// Whether oneDNN found the instruction set, and may use it.
    private static func hasAVX512() throws -> Bool {
        String(cString: try Plugin.shared.get().backend.pointee.description).contains("avx512")
    }

    /// oneDNN 2.6.3 loses what the output holds, or crashes, with AVX-512; what is served there must be right. oneDNN 3.2,
    /// and 2.6.3 with AVX2, have no implementation for these that leaves the padding out.
    @Test(arguments: Epilogue.all + Epilogue.derivatives)
    func addsWhereWindowsLieInThePadding(epilogue: Epilogue) throws {
        let geometry = Geometry(
            height: 4, width: 12, channels: 7, outputChannels: 9, kernel: (1, 5), pads: (1, 1, 5, 1), dilation: (1, 2))
        let fewChannels = Geometry(
            batch: 5, height: 5, width: 9, channels: 1, outputChannels: 5, kernel: (3, 2), pads: (2, 0, 3, 2))
        let description = String(cString: try Plugin.shared.get().backend.pointee.description)
        let isOffered = try description.hasPrefix("oneDNN 2.") && ConvolutionTests.hasAVX512()
        for geometry in [geometry, fewChannels] {
            let isServed = try verifyUnlessWeak(geometry.problem(KANTO_OP_CONV2D_FORWARD, epilogue))
            #expect(isServed || !isOffered)
        }
    }

    /// Zero times infinity is NaN: padding must be left out, not multiplied.
    @Test(arguments: [KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_WEIGHT_GRADIENT])
    func paddingContributesNothingAgainstInfinity(op: Int) throws {
        for geometry in ConvolutionTests.geometries + ConvolutionTests.randomGeometries {
            let problem = geometry.problem(op)
            let counts = problem.counts
            guard let kernel = try? Kernel(problem, threadCount: 2) else { continue }
            let output = try kernel.run(
                inputs: [
                    [Float](repeating: 1, count: counts.first), [Float](repeating: .infinity, count: counts.second),
                ], output: [Float](repeating: 0, count: counts.output), threadCount: 2)
            #expect(!output.contains { $0.isNaN }, "\(kernel.description) \(geometry.testDescription)")
        }
    }
}
