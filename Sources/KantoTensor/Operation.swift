import KantoCommunication
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
    case add, subtract, divide, divideOrZero, maximum, minimum
    /// Inputs: two factors. Their product, summed down to the output's shape.
    case multiply
    /// Inputs: a, b, c. a b + c.
    case multiplyAdd
    /// Inputs: a, b, c. (a − b) c.
    case normalize
    /// Inputs: a condition, the elements where it is not 0, those where it is.
    case select
    case affine(scale: Double)
    case square, sqrt, reciprocal, exp, expMinusOne, log, logOnePlus, tanh, sigmoid, softplus, erf, absolute
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
    case gather(rows: [Int])
    case scatterAdd(rows: [Int])
    case windowSum(Pooling)
    case windowSpread(Pooling)

    /// The sum over all ranks.
    case allReduce(Communicator)

    // Statistics and what is made of them, see Normalization.swift.
    case variance(axes: [Int])
    case normalization(axes: [Int], inverseDeviation: Tensor)
    /// Inputs: gradient, normalized tensor, inverse deviation. The products are the sums of those of the first two.
    case normalizationAdjoint(axes: [Int], products: Tensor)
    /// Inputs: tensor, the same normalized.
    case inverseDeviation(axes: [Int])
    /// The Euclidean norm over all axes but the first.
    case sampleNorm

    /// Whether the rule is written in the op's output.
    var ruleNeedsOutput: Bool {
        switch self {
        case .matmul(_, _, let activation), .convolution(_, let activation): activation != .none
        case .divide, .divideOrZero, .sqrt, .reciprocal, .exp, .sigmoid, .leakyReLU, .sampleNorm: true
        case .normalization, .normalizationAdjoint, .inverseDeviation: true
        default: false
        }
    }

    /// For errors.
    var name: String { Mirror(reflecting: self).children.first?.label ?? "\(self)" }
}
