import KantoABI
import Testing

@testable import KantoKernels

@Suite struct ProblemParsingTests {
    /// Matrices that are not dense, in batches and alone.
    static let strided: [(Problem, String)] = {
        func product(_ problem: Problem, _ change: (inout kanto_matmul) -> Void) -> Problem {
            var problem = problem
            change(&problem.raw.matmul)
            return problem
        }
        let plain = Problem.matmul(m: 3, n: 4, k: 5)
        let transposed = Problem.matmul(.float64, m: 3, n: 4, k: 5, transposeA: true, transposeB: true, bias: true)
        return [
            (product(plain) { $0.row_stride_a = 8 }, "matmul f32 m3 n4 k5 strides 8;4>4"),
            (product(plain) { ($0.row_stride_b, $0.row_stride_c) = (6, 7) }, "matmul f32 m3 n4 k5 strides 5;6>7"),
            (product(plain) { $0.batch_stride_b = 20 }, "matmul f32 m3 n4 k5 strides 0,5;20,4>0,4"),
            (
                product(plain) {
                    $0.batch = 2
                    ($0.batch_stride_a, $0.batch_stride_b, $0.batch_stride_c) = (15, 20, 12)
                }, "matmul f32 batch2 m3 n4 k5"
            ),
            (
                product(plain) {
                    $0.batch = 2
                    ($0.batch_stride_a, $0.batch_stride_b, $0.batch_stride_c) = (15, 0, 12)
                }, "matmul f32 batch2 m3 n4 k5 strides 15,5;0,4>12,4"
            ),
            (
                product(transposed) { ($0.row_stride_a, $0.row_stride_b) = (4, 9) },
                "matmul f64 m3 n4 k5 transpose_a transpose_b strides 4;9>4 bias"
            ),
        ]
    }()

    static let more: [Problem] = {
        var problems: [Problem] = []
        let geometry = Convolution2D(
            batch: 2, height: 9, width: 8, channels: 6, outputChannels: 4, kernel: (3, 2), stride: (1, 3),
            padding: (1, 1, 1, 2), dilation: (2, 2), groups: 2)
        let activations: [Activation] = [
            .none, .relu, .leakyReLU(slope: 0.1), .leakyReLU(slope: -0.0), .leakyReLU(slope: 1e-300), .tanh, .sigmoid,
        ]
        for type in ElementType.allCases {
            for activation in activations {
                for isSet in [false, true] {
                    problems.append(
                        .matmul(type, m: 0, n: 7, k: 1, transposeA: isSet, bias: !isSet, activation: activation, accumulate: isSet))
                    problems.append(
                        .convolution(
                            .convolution2DForward, type, geometry, bias: isSet, activation: activation, accumulate: !isSet))
                }
            }
            for op in [Op.convolution2DInputGradient, .convolution2DWeightGradient] {
                problems.append(.convolution(op, type, geometry, accumulate: true))
            }
            for function in Function.allCases {
                let slope = function.hasSlope ? 0.2 : 0, inputCount = Int(function.info.input_count)
                switch Op(rawValue: function.info.op)! {
                case .unary:
                    problems.append(
                        .iteration(
                            .unary, function, type, extents: [], output: [], inputs: Array(repeating: [], count: inputCount),
                            parameter: slope))
                    problems.append(
                        .iteration(
                            .unary, function, type, extents: [2, 3, 4, 1, 0, 6], output: [72, 24, 6, 6, 6, 1],
                            inputs: Array(repeating: [1, 0, 2, 3, 4, 5], count: inputCount), parameter: slope))
                case .binary:
                    problems.append(
                        .iteration(
                            .binary, function, type, extents: [5, 7], output: [7, 1], inputs: [[0, 1], [1, 5]], parameter: slope))
                    problems.append(.iteration(.binary, function, type, extents: [], output: [], inputs: [[], []], parameter: slope))
                case .ternary:
                    problems.append(
                        .iteration(.ternary, function, type, extents: [2, 3], output: [3, 1], inputs: [[0, 0], [3, 1], [1, 2]]))
                case .reduce:
                    let inputs = Array(repeating: [7, 1], count: inputCount)
                    problems.append(
                        .iteration(
                            .reduce, function, type, extents: [5, 7], output: [0, 1], inputs: inputs, accumulate: function == .sum))
                case .optimize: problems.append(.optimize(function, type, count: 12345))
                default: problems.append(.random(function, type, count: 12345))
                }
            }
            problems.append(.iteration(.statistics, nil, type, extents: [5, 7], output: [0, 1], inputs: [[1, 5]]))
            problems.append(.matmul(type, m: 2, n: 3, k: 4, derivative: .tanh, accumulate: true))
            problems.append(.matmul(type, m: 2, n: 3, k: 5).with(outputs: type == .float32 ? .float64 : .float32))
        }
        for precision in [Precision.relaxed, .bfloat16] {
            for op in [Op.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient] {
                problems.append(.convolution(op, .float32, geometry, accumulate: true).with(precision))
            }
        }
        return problems
    }()

    /// What the same thing is called elsewhere.
    @Test(arguments: [
        ("unary relu [3]", "unary leaky_relu(0) [3]"), ("unary f64 abs [3]", "unary f64 absolute [3]"),
        ("unary expm1 [2x3]", "unary exp_minus_one [2x3]"), ("unary log1p [3]", "unary log_one_plus [3]"),
        ("unary identity [3]", "unary copy [3]"), ("binary relu_gradient [3]", "binary leaky_relu_gradient(0) [3]"),
        ("binary max [3]", "binary maximum [3]"), ("binary mul [3]", "binary multiply [3]"),
        ("ternary where [3]", "ternary select [3]"), ("reduce max [3] strides 1>0", "reduce maximum [3] strides 1>0"),
        ("conv2d h4 w4 c3 o4 k3", "conv2d_forward h4 w4 c3 o4 k3"), ("gemm float64 m1 n2 k3", "matmul f64 m1 n2 k3"),
        ("matmul float32 m1 n2 k3 relu", "matmul f32 m1 n2 k3 relu"),
        ("matmul float32>f64 m1 n2 k3", "matmul f32>f64 m1 n2 k3"), ("matmul f64>float64 m1 n2 k3", "matmul f64 m1 n2 k3"),
        ("matmul m1 n2 k3 float32", "matmul m1 n2 k3"), ("matmul bfloat16 m1 n2 k3", "matmul m1 n2 k3 bfloat16"),
    ])
    func usualNamesAreUnderstood(_ line: String, _ own: String) throws {
        let problem = try Problem(parsing: line)
        #expect(problem == (try Problem(parsing: own)))
        #expect(problem == (try Problem(parsing: problem.description)))
    }

    @Test(arguments: ProblemTests.lines + strided)
    func linesAreRead(problem: Problem, line: String) throws {
        #expect(problem.description == line)
        #expect(try Problem(parsing: line) == problem)
    }

    @Test func everyProblemComesBack() throws {
        #expect(Set(Self.more.map(\.description)).count == Self.more.count)
        for problem in Self.more {
            let line = problem.description
            #expect(try Problem(parsing: line) == problem, "\(line)")
            #expect(try Problem(parsing: line).description == line)
        }
    }

    @Test(arguments: [
        ("matmul k5 m3 n4", "matmul f32 m3 n4 k5"),
        ("  matmul \t f64 accumulate n4\nbias m3 k5 transpose_b  ", "matmul f64 m3 n4 k5 transpose_b bias accumulate"),
        ("matmul f32 m3 n4 k5 batch1 strides 5;4>4", "matmul f32 m3 n4 k5"),
        ("conv2d_forward h8 w9 c3 o4 k3", "conv2d_forward f32 n1 h8 w9 c3 k3x3 s1 p0 o4"),
        (
            "conv2d_forward f64 relu o4 g1 d1x1 p0,0,0,0 s2x2 k3x3 c4 w9 h8 n2",
            "conv2d_forward f64 n2 h8 w9 c4 k3x3 s2 p0 o4 relu"
        ),
        ("unary exp [2x3]", "unary f32 exp [2x3] strides 3,1>3,1"),
        ("binary [4] add", "binary f32 add [4] strides 1;1>1"),
        ("ternary f64 select [2x2x2]", "ternary f64 select [2x2x2] strides 4,2,1;4,2,1;4,2,1>4,2,1"),
        ("reduce strides 1>0 maximum [8]", "reduce f32 maximum [8] strides 1>0"),
        ("optimize adam [7]", "optimize f32 adam [7]"),
    ])
    func wordsMayBeLeftOutAndMoved(line: String, understood: String) throws {
        #expect(try Problem(parsing: line).description == understood)
    }

    @Test(arguments: [
        ("", "an empty problem: expected an op, one of matmul, conv2d_forward"),
        ("Matmul m1 n1 k1", "word 1, 'Matmul': expected an op, one of matmul"),
        ("matmul f16 m1 n1 k1", "word 2, 'f16': matmul does not know it; it knows f32, f64, batch8, m50"),
        ("matmul m1 f32 n1 k1", "word 3, 'f32': matmul does not know it; it knows batch8, m50, n128, k64, transpose_a"),
        ("matmul f32 m1 n1 k1 h4", "word 6, 'h4': matmul does not know it"),
        ("matmul m1 n1", "matmul lacks the inner size, as k64"),
        ("matmul m1 n1 k1 m2", "word 5, 'm2': m was given already, by word 2"),
        ("matmul m-1 n1 k1", "word 2, 'm-1': expected the rows of C, 0 or more, as m50"),
        ("matmul m+1 n1 k1", "word 2, 'm+1': expected the rows of C"),
        ("matmul m n1 k1", "word 2, 'm': expected the rows of C"),
        ("matmul m1x2 n1 k1", "word 2, 'm1x2': expected the rows of C"),
        ("matmul m9223372036854775808 n1 k1", "word 2, 'm9223372036854775808': expected the rows of C"),
        ("matmul m9223372036854775807 n1 k1", "A has more than 2^48 elements"),
        ("matmul m1000000000 n1000000000 k0", "C has more than 2^48 elements"),
        ("matmul batch2 m2 n1 k1 strides 1,281474976710657;1,1>2,1", "A has more than 2^48 elements"),
        ("matmul m1 n1 k1 bias1", "word 5, 'bias1': expected bias alone"),
        ("matmul f32>f16 m1 n1 k1", "word 2, 'f32>f16': matmul does not know it"),
        ("matmul f32> m1 n1 k1", "word 2, 'f32>': matmul does not know it"),
        ("matmul m1 n1 k1 relaxed bfloat16", "word 6, 'bfloat16': the precision is relaxed already"),
        ("matmul m1 n1 k1 relaxed1", "word 5, 'relaxed1': expected relaxed alone"),
        ("matmul f64 m1 n1 k1 relaxed", "matmul in f64 has no precision, but relaxed is asked for; products in f32 have one"),
        ("unary exp [3] relaxed", "word 4, 'relaxed': unary does not know it"),
        ("unary fill [3] strides 1>1", "word 5, '1>1': expected as many strides as axes, inputs > output, such as >1"),
        ("matmul m1 n1 k1 tanh relu", "word 6, 'relu': the activation is tanh already"),
        ("matmul m1 n1 k1 leaky_relu", "word 5, 'leaky_relu': expected a slope, as leaky_relu(0.2)"),
        ("matmul m1 n1 k1 leaky_relu(inf)", "word 5, 'leaky_relu(inf)': expected a slope"),
        ("matmul m1 n1 k1 strides", "word 5, 'strides': expected strides and, as the next word"),
        ("matmul m1 n1 k1 strides 1;1", "word 6, '1;1': expected row strides of A;B>C, as 4;5>5"),
        ("matmul m1 n1 k1 strides 1;1>-1", "word 6, '1;1>-1': expected row strides"),
        ("matmul m1 n1 k1 strides 1,1;1>1", "word 6, '1,1;1>1': expected row strides"),
        ("matmul batch2 m1 n1 k1 strides 1;1>1", "word 7, '1;1>1': expected batch and row strides"),
        ("conv2d_forward h4 w4 c3 o4", "conv2d_forward lacks the height and width of the kernel, as k5x5"),
        ("conv2d_forward w4 c3 o4 k3", "conv2d_forward lacks the height of the input, as h14"),
        ("conv2d_forward h4 w4 c3 o4 k3x3x3", "word 6, 'k3x3x3': expected the height and width of the kernel, 0 or more"),
        ("conv2d_forward h4 w4 c3 o4 k3 s0", "word 7, 's0': expected the stride, 1 or more, as s2 or s2x1"),
        ("conv2d_forward h4 w4 c3 o4 k3 s1x0", "word 7, 's1x0': expected the stride"),
        ("conv2d_forward h4 w4 c3 o4 k3 d0", "word 7, 'd0': expected the dilation, 1 or more"),
        ("conv2d_forward h4 w4 c3 o4 k3 p1,1", "word 7, 'p1,1': expected the padding, 0 or more, as p2 or p1,2,1,2"),
        ("conv2d_forward h4 w4 c3 o4 k3 g0", "word 7, 'g0': expected the number of groups, 1 or more"),
        ("conv2d_forward h4 w4 c3 o4 k3 g3", "3 groups, expected a divisor of the 3 input and 4 output channels"),
        ("conv2d_forward h4 w4 c4 o3 k3 g2", "2 groups, expected a divisor of the 4 input and 3 output channels"),
        ("conv2d_forward h4 w4 c3 o4 k3 p9223372036854775807", "a size or padding of 9223372036854775807, expected 0 to 2147483647"),
        ("conv2d_forward h4 w4 c3 o4 k3 s2147483648", "a stride or dilation of 2147483648, expected 1 to 2147483647"),
        ("conv2d_forward h2147483647 w2147483647 c0 o0 k1", "x has more than 2^48 elements"),
        ("conv2d_forward h4 w4 c0 o0 k2147483647", "w has more than 2^48 elements"),
        ("conv2d_forward h4 w4 c1 o1 k1 p2147483647", "y has more than 2^48 elements"),
        ("unary [3]", "unary lacks its function, one of copy, fill, affine"),
        ("unary add [3]", "word 2, 'add': unary does not know it"),
        ("unary log exp [3]", "word 3, 'exp': the function is log already"),
        ("unary exp3 [3]", "word 2, 'exp3': expected exp alone"),
        ("unary leaky_relu [3]", "word 2, 'leaky_relu': expected a slope"),
        ("unary exp", "unary lacks the extents, as [64x128]"),
        ("unary exp [3", "word 3, '[3': expected the extents of at most 6 axes, as [64x128]"),
        ("unary exp [3x-1]", "word 3, '[3x-1]': expected the extents"),
        ("unary exp [1x1x1x1x1x1x1]", "word 3, '[1x1x1x1x1x1x1]': expected the extents of at most 6 axes"),
        ("unary exp [3] [4]", "word 4, '[4]': the extents were given already, by word 3"),
        ("unary exp [3] 4", "word 4, '4': unary does not know it; it knows copy, fill"),
        ("binary add [2x3] strides 3,1>3,1", "word 5, '3,1>3,1': expected as many strides as axes, inputs > output, such as 3,1;3,1>3,1"),
        ("unary exp [2x3] strides 3>3", "word 5, '3>3': expected as many strides as axes"),
        ("unary exp [2x3] strides 3,1>3,1>3,1", "word 5, '3,1>3,1>3,1': expected as many strides as axes"),
        ("unary exp [3037000500x3037000500]", "a has more than 2^48 elements"),
        ("unary exp [2x3] strides 281474976710657,1>3,1", "a has more than 2^48 elements"),
        ("reduce sum [3]", "reduce lacks the strides (an axis with 0 in the output is reduced), as strides 128,1>1,0"),
        ("optimize adam [2x3]", "word 3, '[2x3]': expected the number of elements, as [1000]"),
        ("optimize adam [2] strides 1>1", "word 4, 'strides': optimize does not know it; it knows adam, momentum, rmsprop, [1000]"),
        ("optimize [2]", "optimize lacks its function, one of adam"),
    ])
    func whatIsWrongIsSaid(line: String, complaint: String) {
        do {
            let problem = try Problem(parsing: line)
            Issue.record("read as \(problem)")
        } catch .problem(let text) {
            #expect(text.hasPrefix(complaint), "\(text)")
            #expect(!text.contains("\n"))
        } catch {
            Issue.record(error)
        }
    }

    /// Lines with words cut, doubled, exchanged and bytes changed are read or refused; nothing traps.
    @Test func damagedLinesDoNotTrap() {
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let alphabet = Array("0123456789x,;>[]()-. abcs_".utf8)
        var read = 0
        for (problem, line) in ProblemTests.lines + Self.strided {
            for _ in 0..<300 {
                var bytes = Array(line.utf8)
                for _ in 0...random(3) {
                    switch random(3) {
                    case 0: bytes[random(bytes.count)] = alphabet[random(alphabet.count)]
                    case 1: bytes.insert(alphabet[random(alphabet.count)], at: random(bytes.count + 1))
                    default: if bytes.count > 1 { bytes.remove(at: random(bytes.count)) }
                    }
                }
                guard let other = try? Problem(parsing: String(decoding: bytes, as: UTF8.self)) else { continue }
                read += 1
                #expect(try! Problem(parsing: other.description) == other, "\(problem): \(other)")
            }
        }
        #expect(read > 100)
    }
}

@Suite struct OperandTests {
    private func operands(_ line: String) throws -> [String] {
        try Problem(parsing: line).operands().map { "\($0.isOutput ? "> " : "")\($0.name) \($0.shape) \($0.byteCount)" }
    }

    @Test(arguments: [
        ("matmul m3 n4 k5 bias", ["A [3, 5] 60", "B [5, 4] 80", "bias [4] 16", "> C [3, 4] 48"]),
        (
            "matmul f64 batch2 m3 n4 k5 transpose_a strides 15,3;0,6>20,4",
            ["A [2, 5, 3] 240", "B [1, 5, 4] 224", "> C [2, 3, 4] 256"]
        ),
        ("matmul m3 n4 k0", ["A [3, 0] 0", "B [0, 4] 0", "> C [3, 4] 48"]),
        ("conv2d_forward n2 h7 w9 c4 o6 k3x2 s2x1 p1 g2", ["x [2, 7, 9, 4] 2016", "w [3, 2, 2, 6] 288", "> y [2, 4, 10, 6] 1920"]),
        ("conv2d_input_gradient h3 w3 c1 o1 k3", ["dy [1, 1, 1, 1] 4", "w [3, 3, 1, 1] 36", "> dx [1, 3, 3, 1] 36"]),
        ("conv2d_weight_gradient h2 w3 c1 o1 k3", ["x [1, 2, 3, 1] 24", "dy [1, 0, 1, 1] 0", "> dw [3, 3, 1, 1] 36"]),
        ("unary fill [4]", ["> output [4] 16"]),
        ("binary add [2x3] strides 0,1;1,2>3,1", ["a [1, 3] 12", "b [2, 3] 24", "> output [2, 3] 24"]),
        ("ternary select [2]", ["a [2] 8", "b [2] 8", "c [2] 8", "> output [2] 8"]),
        ("reduce f64 sum [2x0] strides 1,1>1,0", ["a [2, 0] 0", "> output [2, 1] 16"]),
        ("unary exp []", ["a [] 4", "> output [] 4"]),
        ("unary f32>f64 exp [3]", ["a [3] 12", "> output [3] 24"]),
        ("matmul f64>f32 m1 n2 k3 derivative relu", ["A [1, 3] 24", "B [3, 2] 48", "saved [1, 2] 16", "> C [1, 2] 8"]),
        (
            "conv2d_forward f32>f64 h3 w3 c2 o1 k3 bias",
            ["x [1, 3, 3, 2] 72", "w [3, 3, 2, 1] 72", "bias [1] 4", "> y [1, 1, 1, 1] 8"]
        ),
        (
            "matmul m3 n4 k5 derivative relu strides 5;4>9",
            ["A [3, 5] 60", "B [5, 4] 80", "saved [3, 4] 88", "> C [3, 4] 88"]
        ),
        (
            "conv2d_input_gradient h3 w3 c2 o1 k3 derivative relu",
            ["dy [1, 1, 1, 1] 4", "w [3, 3, 2, 1] 72", "saved [1, 3, 3, 2] 72", "> dx [1, 3, 3, 2] 72"]
        ),
        (
            "conv2d_weight_gradient h3 w3 c1 o2 k3 bias",
            ["x [1, 3, 3, 1] 36", "dy [1, 1, 1, 2] 8", "> dw [3, 3, 1, 2] 72", "> db [2] 8"]
        ),
        ("reduce sum_of_products [2x3] strides 3,1;3,1>0,1", ["a [2, 3] 24", "b [2, 3] 24", "> output [1, 3] 12"]),
        ("statistics [2x3] strides 3,1>0,1", ["a [2, 3] 24", "> mean [1, 3] 12", "> variance [1, 3] 12"]),
        ("random f64 uniform [5]", ["> output [5] 40"]),
        ("optimize momentum [5]", ["gradient [5] 20", "> parameter [5] 20", "> moment 1 [5] 20"]),
        ("optimize adam [5]", ["gradient [5] 20", "> parameter [5] 20", "> moment 1 [5] 20", "> moment 2 [5] 20"]),
    ])
    func shapesAndBytes(line: String, expected: [String]) throws { #expect(try operands(line) == expected) }

    /// Problems that no text made.
    @Test func oddProblemsAreRefused() {
        var negative = Problem.matmul(m: -1, n: 2, k: 3)
        #expect(throws: KernelError.problem("A has a size or stride of -1, expected 0 or more")) { try negative.operands() }
        negative.raw.op = 77
        #expect(throws: KernelError.problem("unknown op 77 of element type 1")) { try negative.operands() }
        let words = "unary in f32 has no precision, but bfloat16 is asked for; products in f32 have one"
        #expect(throws: KernelError.problem(words)) {
            try Problem.iteration(.unary, .exp, extents: [1], output: [1], inputs: [[1]]).with(.bfloat16).operands()
        }
        var unknown = Problem.matmul(m: 1, n: 2, k: 3)
        unknown.raw.precision = 7
        #expect(throws: KernelError.problem("an unknown precision, 7")) { try unknown.operands() }
        var geometry = ProblemTests.geometry
        geometry.raw.stride_x = 0
        #expect(throws: KernelError.problem("a stride or dilation of 0, expected 1 to 2147483647")) {
            try Problem.convolution(.convolution2DForward, .float32, geometry).operands()
        }
        geometry.raw.groups = 0
        #expect(throws: KernelError.self) { try Problem.convolution(.convolution2DForward, .float32, geometry).operands() }
    }
}
