import Glibc
import KantoABI
import OneDNNAdapter

/// The last step of an epilogue.
enum Activation {
    case none
    case leakyReLU(slope: Float)
    case tanh
    case sigmoid

    init(_ problem: kanto_problem) throws(Refusal) {
        switch problem.activation {
        case UInt32(KANTO_ACTIVATION_NONE): self = .none
        case UInt32(KANTO_ACTIVATION_RELU): self = .leakyReLU(slope: 0)
        case UInt32(KANTO_ACTIVATION_LEAKY_RELU): self = .leakyReLU(slope: Float(problem.parameter))
        case UInt32(KANTO_ACTIVATION_TANH): self = .tanh
        case UInt32(KANTO_ACTIVATION_SIGMOID): self = .sigmoid
        default: throw .declined("the oneDNN plugin does not know activation \(problem.activation)")
        }
    }

    var isPresent: Bool { if case .none = self { false } else { true } }

    /// oneDNN's function with its parameter; nil where there is nothing to apply or oneDNN has no such function: its ReLU
    /// takes the maximum of NaN and 0 for 0, and the logistic function of NaN is 0 in its convolutions `gemm:jit`.
    var function: (dnnl_alg_kind_t, alpha: Float)? {
        switch self {
        case .none, .leakyReLU(slope: 0), .sigmoid: nil
        case .leakyReLU(let slope): (dnnl_eltwise_relu, slope)
        case .tanh: (dnnl_eltwise_tanh, 0)
        }
    }

    func apply(to values: UnsafeMutablePointer<Float>, count: Int) {
        switch self {
        case .none: break
        case .leakyReLU(let slope):
            for index in 0..<count {
                let value = values[index]
                values[index] = value <= 0 ? (slope == 0 ? 0 : slope * value) : value
            }
        case .tanh: for index in 0..<count { values[index] = Glibc.tanh(values[index]) }
        case .sigmoid: for index in 0..<count { values[index] = 1 / (1 + Glibc.exp(-values[index])) }
        }
    }

    /// `values = act'(y) values`, where `y` are outputs of the activation; a NaN of either stays.
    func multiplyByDerivative(_ values: UnsafeMutablePointer<Float>, at y: UnsafePointer<Float>, count: Int) {
        /// A factor of 0 yields 0, of infinity too.
        @inline(__always) func multiply(_ factor: (Float) -> Float) {
            for index in 0..<count {
                let (y, value) = (y[index], values[index])
                let factor = factor(y)
                values[index] = y.isNaN || value.isNaN ? y + value : factor == 0 ? 0 : factor * value
            }
        }
        switch self {
        case .none: break
        case .leakyReLU(let slope): multiply { $0 > 0 ? 1 : slope }
        // Not 1 - y², which cancels.
        case .tanh: multiply { (1 - $0) * (1 + $0) }
        case .sigmoid: multiply { $0 * (1 - $0) }
        }
    }
}
