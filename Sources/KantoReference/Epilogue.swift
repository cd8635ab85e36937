import KantoABI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The last step of matmul and of the convolutions: act(sum + bias + old), or act′(saved) · (sum + old); rounded once.
struct Epilogue {
    private let accumulates: Bool, addsBias: Bool, multipliesByDerivative: Bool
    private let activation: UInt32
    private let slope: Double

    init(_ problem: kanto_problem) {
        accumulates = problem.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
        addsBias = problem.flags & UInt32(KANTO_FLAG_BIAS) != 0
        multipliesByDerivative = problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0
        activation = problem.activation
        slope = problem.parameter
    }

    /// - Parameters:
    ///   - bias, saved: read only where the problem has one.
    func write<T: Element>(
        _ sums: UnsafePointer<Double>, to output: UnsafeMutablePointer<T>, bias: UnsafePointer<T>, saved: UnsafePointer<T>,
        count: Int
    ) {
        for index in 0..<count {
            var value = sums[index]
            if addsBias { value += bias[index].wide }
            if accumulates { value += output[index].wide }
            if multipliesByDerivative {
                let y = saved[index].wide, factor = derivative(atOutput: y)
                output[index] = value.isNaN || y.isNaN ? T(value + y) : factor == 0 ? 0 : T(factor * value)
            } else {
                output[index] = T(activate(value))
            }
        }
    }

    private func derivative(atOutput y: Double) -> Double {
        switch Int(activation) {
        case KANTO_ACTIVATION_RELU: y > 0 ? 1 : 0
        case KANTO_ACTIVATION_LEAKY_RELU: y > 0 ? 1 : slope
        case KANTO_ACTIVATION_TANH: 1 - y * y
        case KANTO_ACTIVATION_SIGMOID: y * (1 - y)
        default: 1
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

/// log(1 + eˣ), without overflow.
func softplus(_ x: Double) -> Double { x.isNaN ? x : max(x, 0) + log1p(exp(-x.magnitude)) }

/// x > 0 ? x : slope · x, where a slope of 0 yields 0, of minus infinity too; NaN stays NaN.
@inline(__always)
func leakyReLU(_ x: Double, slope: Double) -> Double {
    x > 0 || x.isNaN ? x : slope == 0 ? 0 : slope * x
}
