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

    /// oneDNN's function with its parameter; nil where there is nothing to apply.
    var function: (dnnl_alg_kind_t, alpha: Float)? {
        switch self {
        case .none: nil
        case .leakyReLU(let slope): (dnnl_eltwise_relu, slope)
        case .tanh: (dnnl_eltwise_tanh, 0)
        case .sigmoid: (dnnl_eltwise_logistic, 0)
        }
    }

    func callAsFunction(_ value: Float) -> Float {
        switch self {
        case .none: value
        case .leakyReLU(let slope): value > 0 ? value : slope == 0 ? (value.isNaN ? value : 0) : slope * value
        case .tanh: Glibc.tanh(value)
        case .sigmoid: 1 / (1 + Glibc.exp(-value))
        }
    }
}
