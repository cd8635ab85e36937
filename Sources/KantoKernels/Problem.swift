import Glibc
import KantoABI

/// What is to be computed: op, element type, shapes, strides, epilogue. Plain data, hashable, printed as one line.
///
/// Its meaning is that of `kanto_problem` in `kanto_backend.h`.
public struct Problem: Sendable {
    /// As backends are handed it.
    public var raw: kanto_problem

    /// A problem that is built field by field; unused fields are to be zero.
    public init(raw: kanto_problem) {
        self.raw = raw
        // Problems that are the same have the same bytes.
        if raw.output_dtype == raw.dtype { self.raw.output_dtype = 0 }
    }

    init(_ op: Op, _ type: ElementType) {
        raw = kanto_problem()
        raw.struct_size = UInt32(MemoryLayout<kanto_problem>.size)
        raw.op = op.rawValue
        raw.dtype = type.rawValue
    }

    /// Nil for one that is unknown here.
    public var op: Op? { Op(rawValue: raw.op) }
    /// The type of the inputs, and of the outputs unless they have one of their own.
    public var elementType: ElementType? { ElementType(rawValue: raw.dtype) }

    /// The type of the outputs.
    public var outputElementType: ElementType? { withUnsafePointer(to: raw) { ElementType(rawValue: kanto_output_dtype($0)) } }
    /// How exact the product of a matmul or a convolution must be.
    public var precision: Precision? { Precision(rawValue: raw.precision) }

    /// The same with outputs of another type than the inputs.
    package func with(outputs type: ElementType) -> Problem {
        var raw = raw
        raw.output_dtype = type.rawValue
        return Problem(raw: raw)
    }

    /// The same at another precision.
    package func with(_ precision: Precision) -> Problem {
        var problem = self
        problem.raw.precision = precision.rawValue
        return problem
    }
}

/// The type of a problem's elements.
public enum ElementType: UInt32, Sendable, CaseIterable {
    case float32 = 1
    case float64 = 2

    /// Bytes of one element.
    public var size: Int { self == .float32 ? 4 : 8 }
}

/// The ops of the kernel contract.
public enum Op: UInt32, Sendable, CaseIterable {
    case matmul = 1
    case convolution2DForward = 2
    case convolution2DInputGradient = 3
    case convolution2DWeightGradient = 4
    case unary = 5
    case binary = 6
    case ternary = 7
    case reduce = 8
    case optimize = 9
    case statistics = 10
    case random = 11
}

/// How exact the product of a matmul or a convolution must be; `kanto_backend.h` says what each permits.
public enum Precision: UInt32, Sendable, CaseIterable {
    /// The error of a sum in float32; small integers are exact.
    case float32 = 0
    /// Float32 operands and sums, up to 16 times that error.
    case relaxed = 1
    /// Factors rounded to bfloat16, exact products, sums in float32.
    case bfloat16 = 2
}

/// The activation at the end of an epilogue, or the one whose derivative multiplies there.
public enum Activation: Hashable, Sendable {
    case none
    case relu
    case leakyReLU(slope: Double)
    case tanh
    case sigmoid
}

// MARK: - Equality and hashing, as bytes

extension Problem: Hashable {
    public static func == (a: Problem, b: Problem) -> Bool {
        withUnsafeBytes(of: a.raw) { a in
            withUnsafeBytes(of: b.raw) { b in memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
        }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    /// A multiplicative hash of the problem's words; 62 of them, about 60 ns, where the standard hasher takes four times as
    /// long.
    var digest: UInt64 {
        withUnsafeBytes(of: raw) { bytes in
            var digest: UInt64 = 0x9E37_79B9_7F4A_7C15
            // By pointer: a loop over the buffer's elements allocates in debug builds.
            var word = bytes.baseAddress!.assumingMemoryBound(to: UInt64.self)
            let end = word + bytes.count / 8
            while word < end {
                digest = (digest ^ word.pointee) &* 0xD6E8_FEB8_6659_FD93
                digest ^= digest >> 32
                word += 1
            }
            return digest
        }
    }
}

// MARK: - Making problems

extension Problem {
    /// C [m, n] = act(op(A) · op(B) + bias + (accumulate ? C : 0)), all matrices dense, those of a batch one behind the other.
    ///
    /// - Parameter derivative: multiply by the derivative of this activation, taken from a saved output of it (in the place
    ///   of the bias), instead of applying an activation.
    public static func matmul(
        _ type: ElementType = .float32, batch: Int = 1, m: Int, n: Int, k: Int, transposeA: Bool = false,
        transposeB: Bool = false, bias: Bool = false, activation: Activation = .none, derivative: Activation = .none,
        accumulate: Bool = false
    ) -> Problem {
        var problem = Problem(.matmul, type)
        problem.raw.matmul.batch = Int64(batch)
        problem.raw.matmul.m = Int64(m)
        problem.raw.matmul.n = Int64(n)
        problem.raw.matmul.k = Int64(k)
        problem.raw.flags =
            (transposeA ? UInt32(KANTO_FLAG_TRANSPOSE_A) : 0) | (transposeB ? UInt32(KANTO_FLAG_TRANSPOSE_B) : 0)
        problem.setDenseMatrices()
        return problem.ending(
            with: Epilogue(bias: bias, activation: activation, derivative: derivative, accumulate: accumulate))
    }

    /// Sets the strides of a matmul to those of dense matrices, those of a batch one behind the other. (Sizes that overflow
    /// wrap: they are judged by who lays out memory.)
    mutating func setDenseMatrices() {
        let matmul = raw.matmul
        raw.matmul.row_stride_a = raw.flags & UInt32(KANTO_FLAG_TRANSPOSE_A) != 0 ? matmul.m : matmul.k
        raw.matmul.row_stride_b = raw.flags & UInt32(KANTO_FLAG_TRANSPOSE_B) != 0 ? matmul.k : matmul.n
        raw.matmul.row_stride_c = matmul.n
        let isBatch = matmul.batch != 1
        raw.matmul.batch_stride_a = isBatch ? matmul.m &* matmul.k : 0
        raw.matmul.batch_stride_b = isBatch ? matmul.k &* matmul.n : 0
        raw.matmul.batch_stride_c = isBatch ? matmul.m &* matmul.n : 0
    }

    /// One of the three convolution ops; the geometry is that of the forward convolution.
    ///
    /// - Parameters:
    ///   - bias: of a weight gradient: whether the bias gradient is wanted, as its second output.
    ///   - derivative: as in `matmul`.
    public static func convolution(
        _ op: Op, _ type: ElementType, _ geometry: Convolution2D, bias: Bool = false,
        activation: Activation = .none, derivative: Activation = .none, accumulate: Bool = false
    ) -> Problem {
        precondition((2...4).contains(op.rawValue), "\(op) is no convolution")
        var problem = Problem(op, type)
        problem.raw.convolution = geometry.raw
        return problem.ending(
            with: Epilogue(bias: bias, activation: activation, derivative: derivative, accumulate: accumulate))
    }

    /// An elementwise op, a reduction or the statistics of a normalization, over a loop nest.
    ///
    /// - Parameters:
    ///   - axes: those that are reduced, where the strides of the output are left out.
    ///   - output: the stride of each axis in the output, 0 on the axes that are reduced; by default those of a contiguous one.
    ///   - inputs: the strides of each axis in each input, where 0 broadcasts; by default those of contiguous ones.
    ///   - parameter: the slope of a leaky ReLU.
    public static func iteration(
        _ op: Op, _ function: Function?, _ type: ElementType = .float32, extents: [Int], over axes: Set<Int> = [],
        output: [Int]? = nil, inputs: [[Int]]? = nil, parameter: Double = 0, accumulate: Bool = false
    ) -> Problem {
        let output = output ?? contiguousStrides(extents, without: axes)
        let inputs = inputs ?? Array(repeating: contiguousStrides(extents), count: inputCount(op, function))
        precondition(
            extents.count <= Int(KANTO_MAXIMUM_RANK) && inputs.count <= 3, "a loop nest has 6 axes and 3 inputs at most")
        var problem = Problem(op, type)
        problem.raw.function = function?.rawValue ?? 0
        problem.raw.parameter = parameter
        problem.raw.flags = accumulate ? UInt32(KANTO_FLAG_ACCUMULATE) : 0
        problem.raw.iteration.rank = Int64(extents.count)
        fill(&problem.raw.iteration.extent, extents, at: 0)
        fill(&problem.raw.iteration.output_stride, output, at: 0)
        for (index, strides) in inputs.enumerated() {
            fill(&problem.raw.iteration.input_stride, strides, at: index * Int(KANTO_MAXIMUM_RANK))
        }
        return problem
    }

    /// One step of an optimizer over `count` parameters.
    public static func optimize(_ function: Function, _ type: ElementType = .float32, count: Int) -> Problem {
        .iteration(.optimize, function, type, extents: [count], output: [1], inputs: [[1]])
    }

    /// `count` contiguous random numbers of a distribution.
    public static func random(_ function: Function, _ type: ElementType = .float32, count: Int) -> Problem {
        .iteration(.random, function, type, extents: [count], output: [1], inputs: [])
    }

    /// The same with another epilogue.
    package func ending(with epilogue: Epilogue) -> Problem {
        precondition(
            epilogue.derivative == .none || epilogue.activation == .none && !epilogue.bias,
            "a derivative is neither with a bias nor with an activation")
        var problem = self
        problem.raw.flags &= UInt32(KANTO_FLAG_TRANSPOSE_A | KANTO_FLAG_TRANSPOSE_B)
        if epilogue.bias { problem.raw.flags |= UInt32(KANTO_FLAG_BIAS) }
        if epilogue.accumulate { problem.raw.flags |= UInt32(KANTO_FLAG_ACCUMULATE) }
        if epilogue.derivative != .none { problem.raw.flags |= UInt32(KANTO_FLAG_DERIVATIVE) }
        problem.raw.parameter = 0
        switch epilogue.derivative == .none ? epilogue.activation : epilogue.derivative {
        case .none: problem.raw.activation = UInt32(KANTO_ACTIVATION_NONE)
        case .relu: problem.raw.activation = UInt32(KANTO_ACTIVATION_RELU)
        case .leakyReLU(let slope):
            problem.raw.activation = UInt32(KANTO_ACTIVATION_LEAKY_RELU)
            problem.raw.parameter = slope
        case .tanh: problem.raw.activation = UInt32(KANTO_ACTIVATION_TANH)
        case .sigmoid: problem.raw.activation = UInt32(KANTO_ACTIVATION_SIGMOID)
        }
        return problem
    }

    /// The strides of a contiguous array, 0 along axes that it lacks.
    package static func contiguousStrides(_ extents: [Int], without axes: Set<Int> = []) -> [Int] {
        var strides = extents
        var next = 1
        for axis in extents.indices.reversed() {
            strides[axis] = axes.contains(axis) ? 0 : next
            if !axes.contains(axis) { next *= max(1, extents[axis]) }
        }
        return strides
    }

    /// Writes values into a C array, which Swift sees as a tuple.
    private static func fill<Tuple>(_ tuple: inout Tuple, _ values: [Int], at start: Int) {
        withUnsafeMutableBytes(of: &tuple) { bytes in
            for (index, value) in values.enumerated() {
                bytes.storeBytes(of: Int64(value), toByteOffset: (start + index) * 8, as: Int64.self)
            }
        }
    }
}

/// What ends a matmul or a convolution.
package struct Epilogue: Hashable, Sendable {
    package var bias = false
    package var activation = Activation.none
    /// Whose derivative multiplies, instead of an activation.
    package var derivative = Activation.none
    package var accumulate = false

    package init(
        bias: Bool = false, activation: Activation = .none, derivative: Activation = .none, accumulate: Bool = false
    ) {
        (self.bias, self.activation, self.derivative, self.accumulate) = (bias, activation, derivative, accumulate)
    }
}

/// The geometry of a forward convolution over [batch, height, width, channels] with weights
/// [kernelHeight, kernelWidth, channels / groups, outputChannels].
public struct Convolution2D: Sendable {
    /// As backends are handed it.
    public var raw: kanto_convolution

    /// The geometry of a forward convolution, of activations [batch, height, width, channels].
    ///
    /// - Parameter padding: rows above, columns on the left, rows below, columns on the right.
    public init(
        batch: Int, height: Int, width: Int, channels: Int, outputChannels: Int, kernel: (height: Int, width: Int),
        stride: (y: Int, x: Int) = (1, 1), padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0),
        dilation: (y: Int, x: Int) = (1, 1), groups: Int = 1
    ) {
        raw = kanto_convolution(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            output_channels: Int64(outputChannels), kernel_height: Int64(kernel.height), kernel_width: Int64(kernel.width),
            stride_y: Int64(stride.y), stride_x: Int64(stride.x), pad_top: Int64(padding.top), pad_left: Int64(padding.left),
            pad_bottom: Int64(padding.bottom), pad_right: Int64(padding.right), dilation_y: Int64(dilation.y),
            dilation_x: Int64(dilation.x), groups: Int64(groups))
    }

    /// A geometry that is built field by field.
    public init(raw: kanto_convolution) { self.raw = raw }

    /// Rows of the output; 0 where the kernel is larger than the padded input.
    public var outputHeight: Int {
        Int(kanto_output_extent(raw.height, raw.pad_top, raw.pad_bottom, raw.kernel_height, raw.stride_y, raw.dilation_y))
    }
    /// Columns of the output; 0 where the kernel is larger than the padded input.
    public var outputWidth: Int {
        Int(kanto_output_extent(raw.width, raw.pad_left, raw.pad_right, raw.kernel_width, raw.stride_x, raw.dilation_x))
    }
}
