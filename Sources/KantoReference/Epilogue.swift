import KantoABI

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The last step of matmul and of the convolutions: act(sum + bias + old), rounded once.
struct Epilogue {
    private let accumulates: Bool, addsBias: Bool
    private let activation: UInt32
    private let slope: Double

    init(_ problem: kanto_problem) {
        accumulates = problem.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
        addsBias = problem.flags & UInt32(KANTO_FLAG_BIAS) != 0
        activation = problem.activation
        slope = problem.parameter
    }

    func write<T: Element>(
        _ sums: UnsafePointer<Double>, to output: UnsafeMutablePointer<T>, bias: UnsafePointer<T>, count: Int
    ) {
        for index in 0..<count {
            var value = sums[index]
            if addsBias { value += bias[index].wide }
            if accumulates { value += output[index].wide }
            output[index] = T(activate(value))
        }
    }

    private func activate(_ value: Double) -> Double {
        switch Int(activation) {
        case KANTO_ACTIVATION_RELU: leakyReLU(value, slope: 0)
        case KANTO_ACTIVATION_LEAKY_RELU: leakyReLU(value, slope: slope)
        case KANTO_ACTIVATION_TANH: hyperbolicTangent(value)
        case KANTO_ACTIVATION_SIGMOID: sigmoid(value)
        default: value
        }
    }
}

func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// x > 0 ? x : slope · x, where a slope of 0 yields 0, of minus infinity too; NaN stays NaN.
@inline(__always)
func leakyReLU(_ x: Double, slope: Double) -> Double {
    x > 0 || x.isNaN ? x : slope == 0 ? 0 : slope * x
}
