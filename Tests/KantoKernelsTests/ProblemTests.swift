import KantoABI
import Testing

@testable import KantoKernels

@Suite struct ProblemTests {
    static let geometry = Convolution2D(
        batch: 50, height: 14, width: 14, channels: 64, outputChannels: 128, kernel: (5, 5), stride: (2, 2),
        padding: (2, 2, 2, 2))

    static let lines: [(Problem, String)] = [
        (
            .convolution(.convolution2DForward, .float32, geometry, bias: true, activation: .leakyReLU(slope: 0.2)),
            "conv2d_forward f32 n50 h14 w14 c64 k5x5 s2 p2 o128 bias leaky_relu(0.2)"
        ),
        (
            .convolution(.convolution2DInputGradient, .float64, geometry, accumulate: true),
            "conv2d_input_gradient f64 n50 h14 w14 c64 k5x5 s2 p2 o128 accumulate"
        ),
        (
            .convolution(
                .convolution2DWeightGradient, .float32,
                Convolution2D(
                    batch: 1, height: 7, width: 9, channels: 6, outputChannels: 4, kernel: (3, 2), stride: (2, 1),
                    padding: (1, 0, 2, 3), dilation: (1, 2), groups: 2)),
            "conv2d_weight_gradient f32 n1 h7 w9 c6 k3x2 s2x1 p1,0,2,3 d1x2 g2 o4"
        ),
        (.matmul(m: 3, n: 4, k: 5), "matmul f32 m3 n4 k5"),
        (
            .matmul(.float64, m: 3, n: 4, k: 5, transposeA: true, transposeB: true, bias: true, activation: .relu),
            "matmul f64 m3 n4 k5 transpose_a transpose_b bias relu"
        ),
        (.matmul(m: 1, n: 1, k: 0, activation: .tanh, accumulate: true), "matmul f32 m1 n1 k0 tanh accumulate"),
        (
            .iteration(.unary, .leakyReLU, extents: [8], output: [1], inputs: [[1]], parameter: 0.5),
            "unary f32 leaky_relu(0.5) [8] strides 1>1"
        ),
        (
            .iteration(.binary, .add, extents: [2, 3], output: [3, 1], inputs: [[3, 1], [0, 1]]),
            "binary f32 add [2x3] strides 3,1;0,1>3,1"
        ),
        (
            .iteration(.ternary, .select, extents: [2], output: [1], inputs: [[1], [0], [1]]),
            "ternary f32 select [2] strides 1;0;1>1"
        ),
        (
            .iteration(.reduce, .sum, .float64, extents: [2, 3], output: [1, 0], inputs: [[3, 1]], accumulate: true),
            "reduce f64 sum [2x3] strides 3,1>1,0 accumulate"
        ),
        (.optimize(.adam, count: 100), "optimize f32 adam [100]"),
        (
            .convolution(.convolution2DInputGradient, .float32, geometry, derivative: .leakyReLU(slope: 0.2)),
            "conv2d_input_gradient f32 n50 h14 w14 c64 k5x5 s2 p2 o128 derivative leaky_relu(0.2)"
        ),
        (
            .convolution(.convolution2DWeightGradient, .float32, geometry, bias: true),
            "conv2d_weight_gradient f32 n50 h14 w14 c64 k5x5 s2 p2 o128 bias"
        ),
        (
            .iteration(.reduce, .sumOfProducts, extents: [2, 3], output: [1, 0], inputs: [[3, 1], [0, 1]]),
            "reduce f32 sum_of_products [2x3] strides 3,1;0,1>1,0"
        ),
        (
            .iteration(.statistics, nil, extents: [2, 3], output: [1, 0], inputs: [[3, 1]]),
            "statistics f32 [2x3] strides 3,1>1,0"
        ),
        (.random(.normal, .float64, count: 100), "random f64 normal [100]"),
        (.iteration(.unary, .fill, extents: [8], output: [1], inputs: []), "unary f32 fill [8] strides >1"),
        (.iteration(.unary, .fill, extents: [], output: [], inputs: []), "unary f32 fill [] strides >"),
        (.matmul(m: 3, n: 4, k: 5).with(.relaxed), "matmul f32 m3 n4 k5 relaxed"),
        (
            .convolution(.convolution2DForward, .float32, geometry, bias: true, activation: .relu, accumulate: true)
                .with(.bfloat16),
            "conv2d_forward f32 n50 h14 w14 c64 k5x5 s2 p2 o128 bias relu accumulate bfloat16"
        ),
        (.matmul(m: 3, n: 4, k: 5).with(.float32), "matmul f32 m3 n4 k5"),
        (.matmul(m: 3, n: 4, k: 5).with(outputs: .float64), "matmul f32>f64 m3 n4 k5"),
        (.random(.normal, .float64, count: 100).with(outputs: .float32), "random f64>f32 normal [100]"),
    ]

    @Test(arguments: lines)
    func isOneLine(problem: Problem, line: String) { #expect(problem.description == line) }

    @Test(arguments: [
        "matmul batch2 m2 n2 k2 strides 4,2;4,2>0,2", "matmul m3 n4 k5 strides 0,5;0,4>0,3",
    ])
    func resultsThatOverlapAreRefused(line: String) throws {
        #expect(throws: KernelError.self) { try Problem(parsing: line).operands() }
    }

    @Test func describesWhatItDoesNotKnow() {
        var problem = Problem.matmul(m: 1, n: 1, k: 1)
        problem.raw.op = 77
        #expect(problem.description == "unknown op 77 of element type 1")
        problem = .matmul(m: 1, n: 1, k: 1)
        problem.raw.output_dtype = 9
        #expect(problem.description == "unknown op 1 of element type 1>9")
        problem.raw.output_dtype = 0
        problem.raw.precision = 7
        #expect(problem.description == "matmul f32 m1 n1 k1 unknown precision 7")
        // A rank that no loop nest has.
        var nest = Problem.iteration(.unary, .copy, extents: [1], output: [1], inputs: [[1]])
        nest.raw.iteration.rank = 9
        #expect(nest.description.hasPrefix("unary f32 copy [1x0x0x0x0x0]"))
        nest.raw.iteration.rank = -1
        #expect(nest.description == "unary f32 copy [] strides >")
    }

    @Test func equalityIsOfBytes() {
        let problem = Problem.convolution(.convolution2DForward, .float32, Self.geometry, activation: .leakyReLU(slope: 0))
        let size = MemoryLayout<kanto_problem>.size
        #expect(size % 8 == 0)
        for offset in 0..<size {
            var other = problem
            withUnsafeMutableBytes(of: &other.raw) { $0[offset] ^= 1 }
            #expect(other != problem, "byte \(offset)")
            #expect(other.digest != problem.digest, "byte \(offset)")
            withUnsafeMutableBytes(of: &other.raw) { $0[offset] ^= 1 }
            #expect(other == problem && other.hashValue == problem.hashValue)
        }
        // 0 and -0 are the same number and not the same bytes.
        #expect(problem != .convolution(.convolution2DForward, .float32, Self.geometry, activation: .leakyReLU(slope: -0.0)))
    }

    /// Outputs of the inputs' type are stated in one way only.
    @Test func theSameTypeIsTheSameProblem() {
        let problem = Problem.matmul(m: 1, n: 2, k: 3)
        var raw = problem.raw
        raw.output_dtype = raw.dtype
        #expect(Problem(raw: raw) == problem)
        #expect(problem.with(outputs: .float32) == problem && problem.outputElementType == .float32)
        let wider = problem.with(outputs: .float64)
        #expect(wider != problem && wider.outputElementType == .float64 && wider.elementType == .float32)
        #expect(wider.with(outputs: .float32) == problem)
    }

    @Test func hashesOfNeighborsDiffer() {
        var digests: Set<UInt64> = []
        for m in 1...16 {
            for n in 1...16 { for k in 1...16 { digests.insert(Problem.matmul(m: m, n: n, k: k).digest) } }
        }
        #expect(digests.count == 4096)
        // The standard dictionary takes its bucket from the low bits of a seeded hash of this.
        #expect(Set(digests.map { $0 & 0xFFFF }).count > 3800)
    }

    @Test func countsFloatingPointOperations() {
        #expect(Problem.matmul(m: 3, n: 4, k: 5).floatingPointOperations == 120)
        for op in [Op.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient] {
            // 50 x 7 x 7 outputs of 128 channels, 25 taps of 64 channels.
            #expect(Problem.convolution(op, .float32, Self.geometry).floatingPointOperations == 2 * 2450 * 128 * 25 * 64)
        }
        var grouped = Self.geometry
        grouped.raw.groups = 4
        #expect(Problem.convolution(.convolution2DForward, .float32, grouped).floatingPointOperations == 2 * 2450 * 128 * 25 * 16)
        #expect(Problem.optimize(.adam, count: 5).floatingPointOperations == 0)
    }

    @Test func outputExtents() {
        #expect(Self.geometry.outputHeight == 7 && Self.geometry.outputWidth == 7)
        let tooLarge = Convolution2D(batch: 1, height: 2, width: 9, channels: 1, outputChannels: 1, kernel: (3, 3))
        #expect(tooLarge.outputHeight == 0 && tooLarge.outputWidth == 7)
    }
}
