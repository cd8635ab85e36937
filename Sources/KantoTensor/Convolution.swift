import KantoKernels

/// How a kernel moves over an image.
public struct Window: Hashable, Sendable {
    /// Rows and columns from one position to the next.
    public var stride: Int
    /// Rows and columns of zeros around the image.
    public var padding: Padding
    /// 1 is dense.
    public var dilation: Int
    /// Groups of channels that do not see each other; their number divides both numbers of channels.
    public var groups: Int

    /// A dense window of stride 1 without padding, but for what is given.
    public init(stride: Int = 1, padding: Padding = 0, dilation: Int = 1, groups: Int = 1) {
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
    }

    /// Rows and columns of zeros on each side; a plain number means all four.
    public struct Padding: Hashable, Sendable, ExpressibleByIntegerLiteral {
        /// Rows above and below, columns on the left and on the right.
        public var top: Int, left: Int, bottom: Int, right: Int

        /// - Parameters:
        ///   - top: rows above.
        ///   - left: columns on the left.
        ///   - bottom: rows below.
        ///   - right: columns on the right.
        public init(top: Int, left: Int, bottom: Int, right: Int) {
            (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
        }
        /// - Parameter all: rows and columns on each side.
        public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
        /// The same on all sides.
        public init(integerLiteral all: Int) { self.init(all) }
    }
}

extension Window {
    /// So that no arithmetic with them overflows.
    private static let numbers = 1...1 << 24

    /// - Throws: `TensorError` if a number of this window, or an extent of the kernel, is out of its range.
    package func require(kernel: [Int], for operation: String) throws {
        guard [stride, dilation, groups].allSatisfy(Self.numbers.contains) else {
            throw TensorError(
                operation, "stride \(stride), dilation \(dilation), groups \(groups), expected numbers from 1 to 2^24")
        }
        guard [padding.top, padding.left, padding.bottom, padding.right].allSatisfy({ $0 == 0 || Self.numbers.contains($0) })
        else {
            throw TensorError(operation, "\(padding), expected numbers from 0 to 2^24")
        }
        guard kernel.allSatisfy({ $0 <= Self.numbers.upperBound }) else {
            throw TensorError(
                operation, "a kernel of \(kernel.map(String.init).joined(separator: " x ")), expected extents of at most 2^24")
        }
    }
}

// Convolution is closed under differentiation: forward, input gradient and weight gradient are each linear in both of
// their operands, and each one's rule is written in the other two.

extension Tensor {
    /// The convolution of this [n, h, w, c] with weights [kh, kw, c / groups, o]: act(x * w + bias).
    ///
    /// - Parameter bias: [o].
    /// - Returns: [n, output height, output width, o].
    /// - Throws: `TensorError` if the shapes do not fit.
    public func convolved(
        with weight: Tensor, bias: Tensor? = nil, _ window: Window = Window(), activation: Activation = .none
    ) throws -> Tensor {
        guard rank == 4 else { throw TensorError("convolution", "an input of shape \(shape), expected [n, h, w, c]") }
        let geometry = try Convolution2D(input: shape, weight: weight, window, for: "convolution")
        guard geometry.outputHeight > 0, geometry.outputWidth > 0 else {
            throw TensorError(
                "convolution",
                "a kernel of \(weight.shape[0]) x \(weight.shape[1]) with dilation \(window.dilation) does not fit an input of "
                    + "\(shape[1]) x \(shape[2]) with \(window.padding)")
        }
        try requireBias(bias, count: weight.shape[3], for: "convolution")
        try requireSlope(activation, for: "convolution")
        return try convolved(with: weight, bias: bias, geometry, activation: activation)
    }

    func convolved(
        with weight: Tensor, bias: Tensor? = nil, _ geometry: Convolution2D, activation: Activation = .none
    ) throws -> Tensor {
        try requireSameType("convolution", self, weight, bias ?? self)
        let output = try Tensor(uninitialized: geometry.outputShape, elementType)
        let problem = Problem.convolution(
            .convolution2DForward, elementType, geometry, bias: bias != nil, activation: activation)
        try Kernels.kernel(for: problem).run(pointer, weight.pointer, bias?.pointer, into: output.pointer)
        return recorded(
            .convolution(geometry, activation: activation), [self, weight] + (bias.map { [$0] } ?? []), output)
    }

    /// The transposed convolution of this [n, h, w, o]: the adjoint of a convolution with the same weights and window.
    ///
    /// - Parameters:
    ///   - weight: [kh, kw, c / groups, o], as the convolution from c to o channels has them.
    ///   - outputSize: height and width of the result; a convolution of them must give this tensor's.
    /// - Returns: [n, height, width, c].
    /// - Throws: `TensorError` if the shapes do not fit.
    public func transposedConvolved(
        with weight: Tensor, outputSize: (height: Int, width: Int), _ window: Window = Window()
    ) throws -> Tensor {
        guard rank == 4, weight.rank == 4 else {
            throw TensorError(
                "transposed convolution",
                "an input of shape \(shape) and weights of \(weight.shape), expected [n, h, w, o] and [kh, kw, c, o]")
        }
        try window.require(kernel: Array(weight.shape[..<2]), for: "transposed convolution")
        // Before the product, which would overflow.
        try elementCount(
            [shape[0], outputSize.height, outputSize.width, weight.shape[2], window.groups], for: "transposed convolution")
        let input = [shape[0], outputSize.height, outputSize.width, weight.shape[2] * window.groups]
        let geometry = try Convolution2D(input: input, weight: weight, window, for: "transposed convolution")
        guard geometry.outputShape == shape else {
            throw TensorError(
                "transposed convolution",
                "an output of \(outputSize.height) x \(outputSize.width) comes from an input of shape "
                    + "\(geometry.outputShape), this one is \(shape)")
        }
        return try convolutionInputGradient(weight, geometry)
    }

    /// This gradient of a convolution's output, passed to its input.
    func convolutionInputGradient(_ weight: Tensor, _ geometry: Convolution2D) throws -> Tensor {
        try requireSameType("convolution input gradient", self, weight)
        let output = try Tensor(uninitialized: geometry.inputShape, elementType)
        let problem = Problem.convolution(.convolution2DInputGradient, elementType, geometry)
        try Kernels.kernel(for: problem).run(pointer, weight.pointer, into: output.pointer)
        return recorded(.convolutionInputGradient(geometry), [self, weight], output)
    }

    /// The gradient of a convolution's weights, from this input and the gradient of its output.
    package func convolutionWeightGradient(_ gradient: Tensor, _ geometry: Convolution2D) throws -> Tensor {
        try requireSameType("convolution weight gradient", self, gradient)
        let output = try Tensor(uninitialized: geometry.weightShape, elementType)
        let problem = Problem.convolution(.convolution2DWeightGradient, elementType, geometry)
        try Kernels.kernel(for: problem).run(pointer, gradient.pointer, into: output.pointer)
        return recorded(.convolutionWeightGradient(geometry), [self, gradient], output)
    }
}

extension Window.Padding: CustomStringConvertible {
    public var description: String { "padding \(top), \(left), \(bottom), \(right) (top, left, bottom, right)" }
}

extension Convolution2D {
    package init(input: [Int], weight: Tensor, _ window: Window, for operation: String) throws {
        let (shape, groups) = (weight.shape, window.groups)
        try window.require(kernel: Array(shape.prefix(2)), for: operation)
        guard shape.count == 4, input[3] % groups == 0, input[3] / groups == shape[2], shape[3] % groups == 0 else {
            throw TensorError(
                operation,
                "weights of shape \(shape) do not fit an input of \(input[3]) channels in \(groups) groups; expected "
                    + "[height, width, \(input[3] / groups), a multiple of \(groups)]")
        }
        let padding = window.padding
        self.init(
            batch: input[0], height: input[1], width: input[2], channels: input[3], outputChannels: shape[3],
            kernel: (shape[0], shape[1]), stride: (window.stride, window.stride),
            padding: (padding.top, padding.left, padding.bottom, padding.right),
            dilation: (window.dilation, window.dilation), groups: groups)
    }

    var inputShape: [Int] { [Int(raw.batch), Int(raw.height), Int(raw.width), Int(raw.channels)] }
    var outputShape: [Int] { [Int(raw.batch), outputHeight, outputWidth, Int(raw.output_channels)] }
    var weightShape: [Int] {
        [Int(raw.kernel_height), Int(raw.kernel_width), Int(raw.channels / raw.groups), Int(raw.output_channels)]
    }
}
