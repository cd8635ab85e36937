import KantoABI

/// Small whole numbers: sums of their products are exact in float32 in any order, so that results are compared exactly.
func wholeNumbers(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int(state >> 33 % 9) - 4)
    }
}

/// Outputs of an activation, of which derivatives are exact in float32.
func savedOutputs(_ count: Int, seed: UInt64) -> [Float] { wholeNumbers(count, seed: seed).map { $0 / 4 } }

/// What an epilogue adds and applies.
struct Finish: Sendable {
    var accumulates = false
    var hasBias = false
    /// Slope of a leaky ReLU, or nil.
    var slope: Double?
    /// The activation by whose derivative the sum is multiplied, or nil.
    var derivative: Int?

    static let plain = Finish()
    static let all = Finish(accumulates: true, hasBias: true, slope: 0.25)
    static let derivatives = [
        Finish(slope: 0, derivative: KANTO_ACTIVATION_RELU),
        Finish(accumulates: true, slope: 0.25, derivative: KANTO_ACTIVATION_LEAKY_RELU),
        Finish(accumulates: true, derivative: KANTO_ACTIVATION_TANH),
        Finish(derivative: KANTO_ACTIVATION_SIGMOID),
    ]

    func apply(_ sum: Double, bias: Float, old: Float, saved: Float) -> Float {
        let value = sum + (hasBias ? Double(bias) : 0) + (accumulates ? Double(old) : 0)
        let y = Double(saved)
        switch derivative {
        case KANTO_ACTIVATION_TANH: return Float(value * (1 - y * y))
        case KANTO_ACTIVATION_SIGMOID: return Float(value * y * (1 - y))
        case .some: return Float(y > 0 ? value : value * slope!)
        case nil: break
        }
        guard let slope, value <= 0 else { return Float(value) }
        return Float(slope == 0 ? 0 : value * slope)
    }

    func write(to problem: inout kanto_problem) {
        if accumulates { problem.flags |= UInt32(KANTO_FLAG_ACCUMULATE) }
        if hasBias { problem.flags |= UInt32(KANTO_FLAG_BIAS) }
        if let slope {
            problem.activation = UInt32(slope == 0 ? KANTO_ACTIVATION_RELU : KANTO_ACTIVATION_LEAKY_RELU)
            problem.parameter = slope
        }
        if let derivative {
            problem.flags |= UInt32(KANTO_FLAG_DERIVATIVE)
            problem.activation = UInt32(derivative)
        }
    }
}

extension kanto_convolution {
    var outputHeight: Int {
        Int(kanto_output_extent(height, pad_top, pad_bottom, kernel_height, stride_y, dilation_y))
    }
    var outputWidth: Int {
        Int(kanto_output_extent(width, pad_left, pad_right, kernel_width, stride_x, dilation_x))
    }
    var inputCount: Int { Int(batch * height * width * channels) }
    var outputCount: Int { Int(batch * output_channels) * outputHeight * outputWidth }
    var weightCount: Int { Int(kernel_height * kernel_width * (channels / groups) * output_channels) }

    /// Calls `body` with the indices in x, w and y of every product that a convolution sums.
    func forEachProduct(_ body: (Int, Int, Int) -> Void) {
        let inputs = Int(channels / groups)
        let outputs = Int(output_channels / groups)
        for n in 0..<Int(batch) {
            for oy in 0..<outputHeight {
                for ox in 0..<outputWidth {
                    for ky in 0..<Int(kernel_height) {
                        for kx in 0..<Int(kernel_width) {
                            let y = oy * Int(stride_y) - Int(pad_top) + ky * Int(dilation_y)
                            let x = ox * Int(stride_x) - Int(pad_left) + kx * Int(dilation_x)
                            guard 0..<Int(height) ~= y, 0..<Int(width) ~= x else { continue }
                            for co in 0..<Int(output_channels) {
                                let group = co / outputs
                                for ci in 0..<inputs {
                                    body(
                                        ((n * Int(height) + y) * Int(width) + x) * Int(channels) + group * inputs + ci,
                                        ((ky * Int(kernel_width) + kx) * inputs + ci) * Int(output_channels) + co,
                                        ((n * outputHeight + oy) * outputWidth + ox) * Int(output_channels) + co)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
