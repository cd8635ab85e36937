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
        GradientCase("multiplyAdd", [2, 1, 3], [5, 1], [3]) { try $0[0].multiplied(by: $0[1], adding: $0[2]) },
        GradientCase("normalize", [2, 5, 3], [2, 1, 1], [3]) { try $0[0].normalized(mean: $0[1], inverseDeviation: $0[2]) },
        GradientCase("select", [3, 5], [5], [3, 1]) { inputs in
            try .select(inputs[1].square(), where: inputs[0].isGreater(than: inputs[2]), otherwise: inputs[2] * inputs[0])
        },
        GradientCase("maximum", [3, 5], [5]) { try .maximum($0[0].square(), $0[1]) * $0[0] },
        GradientCase("minimum", [3, 1], [3, 5]) { try .minimum($0[0], $0[1].square()) * $0[1] },
        GradientCase("divide", [2, 3], [2, 1], isPositive: true) { try $0[0] / $0[1] },
        GradientCase("divideOrZero", [2, 3], [3], isPositive: true) { try $0[0].dividedOrZero(by: $0[1]) },
        GradientCase("affine", [7]) { try $0[0] * -1.5 + 2 },
        GradientCase("square", [7]) { try $0[0].square() },
        GradientCase("sqrt", [7], isPositive: true) { try $0[0].squareRoot() },
        GradientCase("reciprocal", [7], isPositive: true) { try $0[0].reciprocal() },
        GradientCase("exp", [7]) { try $0[0].exp() },
        GradientCase("expMinusOne", [7]) { try $0[0].expMinusOne() },
        GradientCase("log", [7], isPositive: true) { try $0[0].log() },
        GradientCase("logOnePlus", [7], isPositive: true) { try $0[0].logOnePlus() },
        GradientCase("tanh", [7]) { try $0[0].tanh() },
        GradientCase("sigmoid", [7]) { try $0[0].sigmoid() },
        GradientCase("softplus", [7]) { try $0[0].softplus() },
        GradientCase("erf", [7]) { try $0[0].erf() },
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
        GradientCase("gather", [4, 2, 3]) { try $0[0].gathered([2, 0, 2, 3, 3]).square() },
        GradientCase("scatterAdd", [5, 3]) { try $0[0].scatterAdded(to: [2, 0, 2, 3, 3], count: 4).square() },
        GradientCase("averagePool", [2, 4, 6, 3]) { try $0[0].averagePooled(2).square() },
        GradientCase("averagePool with a rest", [2, 7, 5, 3]) { try $0[0].averagePooled(3).square() },
        GradientCase("upsample", [2, 3, 1, 3]) { try $0[0].upsampled(2).square() * $0[0].upsampled(2) },
        GradientCase("upsample by 3", [1, 2, 3, 2]) { try $0[0].upsampled(3).square() },
        GradientCase("sum of products", [4, 3, 5], [3, 1]) { try .product($0[0], $0[1].square(), to: [3, 1]) },
        GradientCase("sum of products of repeated factors", [4, 1, 5], [1, 5]) { try .product($0[0], $0[1], to: [3, 1]).square() },
        GradientCase("sum of products to a scalar", [4, 3], [4, 3]) { try .product($0[0].square(), $0[1], to: []) },
        GradientCase("sampleNorm", [3, 2, 5]) { try $0[0].sampleNorm().square() + $0[0].sampleNorm() },
    ]

    static let normalizations: [GradientCase] = [
        GradientCase("variance", [3, 4, 5]) { try $0[0].variance(axes: [0, 2]) },
        GradientCase("normalization over the last axes", [3, 2, 5]) { try $0[0].normalized(axes: [1, 2], epsilon: 1e-5) },
        GradientCase("normalization over the first axes", [3, 2, 5]) { try $0[0].normalized(axes: [0, 1], epsilon: 0.1) },
        GradientCase("normalization over an axis between", [3, 4, 2]) { try $0[0].normalized(axes: [1], epsilon: 1e-5).square() },
        GradientCase("normalizationAdjoint", [3, 2, 5], [3, 2, 5], [3, 1, 1]) {
            try $0[0].throughNormalization($0[1], $0[2], axes: [1, 2])
        },
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

    static let windows: [(window: Window, kernel: [Int])] = [
        (Window(), [3, 3]), (Window(stride: 2), [1, 1]), (Window(stride: 2, padding: 1), [4, 4]),
        (Window(stride: 3, padding: 2), [3, 3]), (Window(padding: 2, dilation: 2), [3, 3]),
        (Window(stride: 2, padding: .init(top: 1, left: 0, bottom: 2, right: 1)), [5, 2]), (Window(groups: 2), [2, 3]),
        (Window(stride: 2, padding: 2, dilation: 3, groups: 2), [3, 3]), (Window(padding: 1, groups: 4), [3, 3]),
    ]
    /// Each of the three ops, as a function of both its operands.
    static let convolutions: [GradientCase] = windows.flatMap { window, kernel in
        let (x, weight) = ([2, 5, 6, 4], kernel + [4 / window.groups, window.groups == 1 ? 3 : window.groups])
        let geometry = try! Convolution2D(input: x, weight: .zeros(weight), window, for: "test")
        return [
            GradientCase("convolution \(kernel) \(window)", x, weight, [weight[3]]) {
                try $0[0].convolved(with: $0[1], bias: $0[2], window, activation: .tanh)
            },
            GradientCase("input gradient \(kernel) \(window)", geometry.outputShape, weight) {
                try $0[0].convolutionInputGradient($0[1], geometry)
            },
            GradientCase("weight gradient \(kernel) \(window)", x, geometry.outputShape) {
                try $0[0].convolutionWeightGradient($0[1], geometry)
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

    static let all = elementwise + shapeOps + normalizations + matrices + convolutions + transposed
}
