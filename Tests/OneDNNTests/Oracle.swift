import Glibc
import KantoABI

/// What a problem must yield, in double precision, by the plainest loops.
struct Expectation {
    /// Before the activation; only where `isWritten`.
    var sums: [Double]
    /// Sum of the magnitudes of the terms: what rounding errors are proportional to.
    var magnitudes: [Double]
    var isWritten: [Bool]
    /// The most terms of one sum.
    var termCount = 0
    private var terms: [Int]

    init(count: Int) {
        sums = Array(repeating: 0, count: count)
        magnitudes = sums
        isWritten = Array(repeating: false, count: count)
        terms = Array(repeating: 0, count: count)
    }

    mutating func add(_ term: Double, at index: Int) {
        sums[index] += term
        magnitudes[index] += abs(term)
        terms[index] += 1
        termCount = max(termCount, terms[index])
    }
}

/// The same numbers for the same seed.
struct Generator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in -1 ..< 1.
    mutating func uniform(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int64(bits() >> 40) - (1 << 23)) / Float(1 << 23) }
    }
}

extension kanto_problem {
    init(op: Int, flags: Int = 0, activation: Int = 0, slope: Double = 0) {
        self.init()
        struct_size = UInt32(MemoryLayout<kanto_problem>.size)
        self.op = UInt32(op)
        dtype = UInt32(KANTO_DTYPE_F32)
        self.flags = UInt32(flags)
        self.activation = UInt32(activation)
        parameter = slope
    }

    func has(_ flag: Int) -> Bool { flags & UInt32(flag) != 0 }

    private var outputHeight: Int64 {
        let c = convolution
        return kanto_output_extent(c.height, c.pad_top, c.pad_bottom, c.kernel_height, c.stride_y, c.dilation_y)
    }

    private var outputWidth: Int64 {
        let c = convolution
        return kanto_output_extent(c.width, c.pad_left, c.pad_right, c.kernel_width, c.stride_x, c.dilation_x)
    }

    /// Elements of the inputs (the third is the bias or the saved output) and of the output, gaps included.
    var counts: (first: Int, second: Int, third: Int, output: Int) {
        var counts = countsWithoutThird
        if has(KANTO_FLAG_BIAS) { counts.third = Int(op == KANTO_OP_MATMUL ? matmul.n : convolution.output_channels) }
        if has(KANTO_FLAG_DERIVATIVE) { counts.third = counts.output }
        return counts
    }

    private var countsWithoutThird: (first: Int, second: Int, third: Int, output: Int) {
        if op == KANTO_OP_MATMUL {
            func extent(_ rows: Int64, _ columns: Int64, _ rowStride: Int64, _ batchStride: Int64) -> Int {
                guard matmul.batch > 0, rows > 0, columns > 0 else { return 0 }
                return Int((matmul.batch - 1) * batchStride + (rows - 1) * rowStride + columns)
            }
            let (m, n, k) = (matmul.m, matmul.n, matmul.k)
            let a = has(KANTO_FLAG_TRANSPOSE_A) ? (k, m) : (m, k)
            let b = has(KANTO_FLAG_TRANSPOSE_B) ? (n, k) : (k, n)
            return (
                extent(a.0, a.1, matmul.row_stride_a, matmul.batch_stride_a),
                extent(b.0, b.1, matmul.row_stride_b, matmul.batch_stride_b), 0,
                extent(m, n, matmul.row_stride_c, matmul.batch_stride_c)
            )
        }
        let c = convolution
        let x = Int(c.batch * c.height * c.width * c.channels)
        let w = Int(c.kernel_height * c.kernel_width * (c.channels / c.groups) * c.output_channels)
        let y = Int(c.batch * outputHeight * outputWidth * c.output_channels)
        switch Int(op) {
        case KANTO_OP_CONV2D_FORWARD: return (x, w, 0, y)
        case KANTO_OP_CONV2D_INPUT_GRADIENT: return (y, w, 0, x)
        default: return (x, y, 0, w)
        }
    }

    func expectation(_ first: [Float], _ second: [Float], _ bias: [Float]?, old: [Float]) -> Expectation {
        var result = Expectation(count: old.count)
        if op == KANTO_OP_MATMUL {
            multiply(first, second, bias, into: &result)
        } else {
            result.isWritten = Array(repeating: true, count: old.count)
            if let bias {
                for index in old.indices { result.add(Double(bias[index % bias.count]), at: index) }
            }
            convolve(first, second, into: &result)
        }
        if has(KANTO_FLAG_ACCUMULATE) {
            for index in old.indices where result.isWritten[index] { result.add(Double(old[index]), at: index) }
        }
        return result
    }

    private func multiply(_ a: [Float], _ b: [Float], _ bias: [Float]?, into result: inout Expectation) {
        let s = matmul
        for batch in 0..<s.batch {
            for row in 0..<s.m {
                for column in 0..<s.n {
                    let at = Int(batch * s.batch_stride_c + row * s.row_stride_c + column)
                    result.isWritten[at] = true
                    if let bias { result.add(Double(bias[Int(column)]), at: at) }
                    for inner in 0..<s.k {
                        let (ar, ac) = has(KANTO_FLAG_TRANSPOSE_A) ? (inner, row) : (row, inner)
                        let (br, bc) = has(KANTO_FLAG_TRANSPOSE_B) ? (column, inner) : (inner, column)
                        let left = a[Int(batch * s.batch_stride_a + ar * s.row_stride_a + ac)]
                        let right = b[Int(batch * s.batch_stride_b + br * s.row_stride_b + bc)]
                        result.add(Double(left) * Double(right), at: at)
                    }
                }
            }
        }
    }

    /// One walk over all (output element, tap, channel) serves the three ops.
    private func convolve(_ first: [Float], _ second: [Float], into result: inout Expectation) {
        let c = convolution
        let (ci, co) = (c.channels / c.groups, c.output_channels / c.groups)
        for n in 0..<c.batch {
            for oy in 0..<outputHeight {
                for ox in 0..<outputWidth {
                    for ky in 0..<c.kernel_height {
                        for kx in 0..<c.kernel_width {
                            let iy = oy * c.stride_y + ky * c.dilation_y - c.pad_top
                            let ix = ox * c.stride_x + kx * c.dilation_x - c.pad_left
                            guard iy >= 0, iy < c.height, ix >= 0, ix < c.width else { continue }
                            for o in 0..<c.output_channels {
                                let y = Int(((n * outputHeight + oy) * outputWidth + ox) * c.output_channels + o)
                                for i in 0..<ci {
                                    let x = Int(((n * c.height + iy) * c.width + ix) * c.channels + o / co * ci + i)
                                    let w = Int(((ky * c.kernel_width + kx) * ci + i) * c.output_channels + o)
                                    switch Int(op) {
                                    case KANTO_OP_CONV2D_FORWARD:
                                        result.add(Double(first[x]) * Double(second[w]), at: y)
                                    case KANTO_OP_CONV2D_INPUT_GRADIENT:
                                        result.add(Double(first[y]) * Double(second[w]), at: x)
                                    default:
                                        result.add(Double(first[x]) * Double(second[y]), at: w)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The activation, or what its derivative at a saved output makes of a value.
    func activate(_ value: Double, saved: Double?) -> Double {
        if let saved {
            switch Int(activation) {
            case KANTO_ACTIVATION_RELU: return saved > 0 ? value : 0
            case KANTO_ACTIVATION_LEAKY_RELU: return saved > 0 ? value : Double(Float(parameter)) * value
            case KANTO_ACTIVATION_TANH: return (1 - saved * saved) * value
            default: return saved * (1 - saved) * value
            }
        }
        return switch Int(activation) {
        case KANTO_ACTIVATION_RELU: max(value, 0)
        case KANTO_ACTIVATION_LEAKY_RELU: value > 0 ? value : Double(Float(parameter)) * value
        case KANTO_ACTIVATION_TANH: tanh(value)
        case KANTO_ACTIVATION_SIGMOID: 1 / (1 + exp(-value))
        default: value
        }
    }
}
