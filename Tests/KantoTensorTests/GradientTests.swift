import KantoKernels
import Testing

@testable import KantoTensor

/// One op as a function of inputs of fixed shapes, away from its kinks.
struct GradientCase: CustomTestStringConvertible, Sendable {
    let name: String
    let shapes: [[Int]]
    /// Inputs are |x| + 0.5, where the op wants positive ones.
    var isPositive = false
    let body: @Sendable ([Tensor]) throws -> Tensor

    init(_ name: String, _ shapes: [Int]..., isPositive: Bool = false, body: @escaping @Sendable ([Tensor]) throws -> Tensor) {
        (self.name, self.shapes, self.isPositive, self.body) = (name, shapes, isPositive, body)
    }

    var testDescription: String { name }

    func point() throws -> [Tensor] {
        var random = Random(seed: 7, stream: UInt64(truncatingIfNeeded: name.count))
        return try shapes.map { shape in
            let values = try random.normal(shape, elementType: .float64).doubles
            return try Tensor(isPositive ? values.map { abs($0) + 0.5 } : values, shape: shape)
        }
    }

    static let elementwise: [GradientCase] = [
        GradientCase("add", [2, 3, 5], [3, 1]) { try $0[0] + $0[1] },
        GradientCase("subtract", [4], [3, 4]) { try $0[0] - $0[1] },
        GradientCase("multiply", [2, 1, 3], [5, 1]) { try $0[0] * $0[1] },
        GradientCase("divide", [2, 3], [2, 1], isPositive: true) { try $0[0] / $0[1] },
        GradientCase("divideOrZero", [2, 3], [3], isPositive: true) { try $0[0].dividedOrZero(by: $0[1]) },
        GradientCase("affine", [7]) { try $0[0] * -1.5 + 2 },
        GradientCase("square", [7]) { try $0[0].square() },
        GradientCase("sqrt", [7], isPositive: true) { try $0[0].squareRoot() },
        GradientCase("reciprocal", [7], isPositive: true) { try $0[0].reciprocal() },
        GradientCase("exp", [7]) { try $0[0].exp() },
        GradientCase("log", [7], isPositive: true) { try $0[0].log() },
        GradientCase("tanh", [7]) { try $0[0].tanh() },
        GradientCase("sigmoid", [7]) { try $0[0].sigmoid() },
        GradientCase("absolute", [7]) { try $0[0].absolute() * $0[0] },
        GradientCase("leakyReLU", [7]) { try $0[0].leakyReLU(slope: 0.2) * $0[0] },
        GradientCase("relu", [9]) { try $0[0].relu() * $0[0] },
        GradientCase("leakyReLUGradient", [9], [9]) { try $0[0].throughLeakyReLU(output: $0[1], slope: 0.2) * $0[0] * $0[1] },
    ]

    static let shapeOps: [GradientCase] = [
        GradientCase("sum", [3, 2, 5]) { try $0[0].sum(axes: [0, 2]).square() },
        GradientCase("mean", [3, 2, 5]) { try $0[0].mean(axes: [1], keepsAxes: true).square() },
        GradientCase("broadcast", [3, 1]) { try $0[0].broadcast(to: [2, 3, 4]).square() },
        GradientCase("reshape", [3, 4]) { try $0[0].reshaped([2, -1]).square() },
        GradientCase("permute", [3, 4, 5]) { try $0[0].permuted([2, 0, 1]).square() },
        GradientCase("slice", [3, 4, 5]) { try $0[0].sliced(1..<3, axis: 1).square() },
        GradientCase("slice of the first axis", [5, 4]) { try $0[0].sliced(1..<3).square() },
        GradientCase("pad", [3, 4]) { try $0[0].padded(axis: 1, before: 2, after: 1).square() },
        GradientCase("concatenate", [3, 4], [3, 2]) { try Tensor.concatenated([$0[0], $0[1], $0[0]], axis: 1).square() },
        GradientCase("sampleNorm", [3, 2, 5]) { try $0[0].sampleNorm().square() + $0[0].sampleNorm() },
    ]

    static let matrices: [GradientCase] = [false, true].flatMap { transposeA in
        [false, true].flatMap { transposeB in
            [Activation.none, .leakyReLU(slope: 0.2), .tanh, .sigmoid].map { activation in
                GradientCase(
                    "matmul \(transposeA) \(transposeB) \(activation)", transposeA ? [4, 3] : [3, 4], transposeB ? [5, 4] : [4, 5], [5]
                ) {
                    try $0[0].matmul(
                        $0[1], transposeSelf: transposeA, transposeOther: transposeB, bias: $0[2], activation: activation)
                }
            }
        }
    }

    static let windows: [Window] = [
        Window(), Window(stride: 2, padding: 1), Window(stride: 3, padding: 2),
        Window(stride: 2, padding: .init(top: 1, left: 0, bottom: 2, right: 1)), Window(padding: 2, dilation: 2),
        Window(stride: 2, padding: 2, dilation: 3, groups: 2),
    ]
    static let convolutions: [GradientCase] = windows.flatMap { window in
        [
            GradientCase("convolution \(window)", [2, 7, 8, 4], [3, 3, 4 / window.groups, 2], [2]) {
                try $0[0].convolved(with: $0[1], bias: $0[2], window, activation: .tanh)
            },
            GradientCase("weight gradient \(window)", [2, 7, 8, 4], [3, 3, 4 / window.groups, 2]) { inputs in
                // The weight gradient as a function of both operands: the first derivative of <conv(x, w), conv(x, w)>.
                let y = try inputs[0].convolved(with: inputs[1], window)
                return try gradient(of: y.square(), withRespectTo: inputs[1])
            },
        ]
    }
    static let transposed = [
        GradientCase("transposed convolution", [2, 3, 4, 3], [4, 4, 2, 3]) {
            try $0[0].transposedConvolved(with: $0[1], outputSize: (6, 8), Window(stride: 2, padding: 1))
        },
        GradientCase("transposed convolution with output padding", [1, 3, 3, 2], [5, 5, 3, 2]) {
            try $0[0].transposedConvolved(with: $0[1], outputSize: (6, 6), Window(stride: 2, padding: 2))
        },
    ]
}

struct GradientTests {
    @Test(arguments: GradientCase.elementwise + GradientCase.shapeOps + GradientCase.matrices + GradientCase.transposed)
    func firstAndSecondGradient(_ test: GradientCase) throws {
        try Kernels.run {
            let point = try test.point()
            #expect(try gradientCheck(at: point, test.body) < 1e-7)
            #expect(try secondGradientCheck(at: point, test.body) < 1e-6)
        }
    }

    @Test(arguments: GradientCase.convolutions)
    func convolutionGradient(_ test: GradientCase) throws {
        try Kernels.run {
            let point = try test.point()
            if test.name.hasPrefix("convolution") {
                #expect(try gradientCheck(at: point, test.body) < 1e-7)
                #expect(try secondGradientCheck(at: point, test.body) < 1e-6)
            } else {
                #expect(
                    try gradientCheck(at: point) { inputs in
                        try Kernels.recordingGradients(true) { try test.body(inputs.map { $0.isTracked ? $0 : $0.tracked() }) }
                    } < 1e-6)
            }
        }
    }

    @Test func structuralZerosAreAbsent() throws {
        let x = try Tensor([1, -2, 3] as [Double], shape: [3]).tracked()
        let y = try x.leakyReLU(slope: 0.2)
        let first = try gradient(of: y, withRespectTo: x)
        // The first derivative is piecewise constant: it does not depend on x at all.
        #expect(first.doubles == [1, 0.2, 1])
        #expect(try gradient(of: first * x, withRespectTo: x).doubles == [1, 0.2, 1])
    }

    @Test func normOfZeroHasGradientZero() throws {
        let x = try Tensor.zeros([2, 3], elementType: .float64).tracked()
        let first = try gradient(of: x.sampleNorm(), withRespectTo: x)
        #expect(first.doubles == Array(repeating: 0, count: 6))
        #expect(try gradient(of: (first * x).sum(), withRespectTo: x).doubles == Array(repeating: 0, count: 6))
    }

    @Test(arguments: [1e-30, 1, 1e30]) func normNeitherVanishesNorOverflows(scale: Double) throws {
        let x = try Tensor([Float(3 * scale), Float(4 * scale)], shape: [1, 2]).tracked()
        let norm = try x.sampleNorm()
        #expect(abs(try norm.item() / (5 * scale) - 1) < 1e-6)
        let slope = try gradient(of: norm, withRespectTo: x).floats
        #expect(abs(slope[0] - 0.6) < 1e-6 && abs(slope[1] - 0.8) < 1e-6)
    }

    @Test func mistakesAreNamed() throws {
        let a = try Tensor.zeros([2, 3]), b = try Tensor.zeros([4, 5])
        #expect(throws: TensorError("matmul", "inner dimensions differ: 3 of [2, 3], 4 of [4, 5]")) { try a.matmul(b) }
        #expect(throws: TensorError.self) { try a + b }
        #expect(throws: TensorError.self) { try gradients(of: a.tracked() * 2, withRespectTo: [b]) }
        #expect(throws: TensorError.self) { try gradients(of: a, withRespectTo: [b.tracked()]) }
        #expect(throws: TensorError.self) { try a + Tensor.zeros([2, 3], elementType: .float64) }
        #expect(throws: TensorError.self) { try Tensor([1, 2, 3] as [Float], shape: [2, 2]) }
    }

    @Test(arguments: [-0.5, -.infinity, .nan]) func negativeSlopesAreRefused(slope: Double) throws {
        let x = try Tensor.zeros([1, 2, 2, 3]), weight = try Tensor.zeros([1, 1, 3, 4])
        #expect(throws: TensorError.self) { try x.leakyReLU(slope: slope) }
        #expect(throws: TensorError.self) { try x.convolved(with: weight, activation: .leakyReLU(slope: slope)) }
        #expect(throws: TensorError.self) {
            try x.reshaped([4, 3]).matmul(weight.reshaped([3, 4]), activation: .leakyReLU(slope: slope))
        }
    }

    @Test func unreachedVariablesGetZeros() throws {
        let x = try Tensor.scalar(2).tracked(), unused = try Tensor.zeros([3]).tracked()
        let result = try gradients(of: x * x, withRespectTo: [x, unused])
        #expect(try result[0].item() == 4)
        #expect(result[1].floats == [0, 0, 0])
    }

    @Test func deepGraphsAreWalkedAndReleasedWithoutRecursion() throws {
        try Kernels.run {
            let x = try Tensor.scalar(1).tracked()
            var y = x
            for _ in 0..<100_000 { y = try y * 1 }
            #expect(try gradient(of: y, withRespectTo: x, isDifferentiable: false).item() == 1)
        }
    }
}
