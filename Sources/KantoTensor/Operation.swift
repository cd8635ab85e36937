import KantoKernels

/// The differentiable ops, with what they need beside their inputs. `Gradients.swift` has a rule for each.
enum Operation: Sendable {
    /// Inputs: none. A leaf that gradients can be asked of.
    case variable

    // Matrices and convolutions. Inputs: the two operands, then the bias if there is one.
    case matmul(transposeA: Bool, transposeB: Bool, activation: Activation)
    case convolution(Convolution2D, activation: Activation)
    case convolutionInputGradient(Convolution2D)
    case convolutionWeightGradient(Convolution2D)

    // Element by element.
    case add, subtract, multiply, divide, divideOrZero
    case affine(scale: Double)
    case square, sqrt, reciprocal, exp, log, tanh, sigmoid, absolute
    case leakyReLU(slope: Double)
    /// Inputs: gradient, output of the leaky ReLU.
    case leakyReLUGradient(slope: Double)

    // Shapes.
    case sum(axes: [Int])
    case broadcast
    case reshape
    case permute([Int])
    case slice(axis: Int, start: Int)
    case pad(axis: Int, before: Int, after: Int)
    case concatenate(axis: Int)

    /// The Euclidean norm over all axes but the first.
    case sampleNorm

    /// Whether the rule is written in the op's output.
    var ruleNeedsOutput: Bool {
        switch self {
        case .matmul(_, _, let activation), .convolution(_, let activation): activation != .none
        case .divide, .divideOrZero, .sqrt, .reciprocal, .exp, .tanh, .sigmoid, .leakyReLU, .sampleNorm: true
        default: false
        }
    }

    /// For errors.
    var name: String {
        let text = "\(self)"
        return String(text.prefix { $0 != "(" })
    }
}
