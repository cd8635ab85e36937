import KantoDescriptions
import KantoKernels
import KantoTensor

/// The padding of a convolution as a description has it.
public enum PaddingRule: DescriptionConvertible {
    /// The output is the input divided by the stride, rounded up; of an odd sum the larger part comes after, as in TensorFlow.
    /// Transposed, the output is the input times the stride.
    case same
    case sides(Window.Padding)

    /// Reads a number of rows and columns for all sides, four numbers, or `"same"`.
    ///
    /// - Throws: `DescriptionError` for anything else.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        switch value {
        case .text("same"), .word("same"): self = .same
        case .list:
            let sides = try [Int](value)
            guard sides.count == 4, sides.allSatisfy({ 0...65536 ~= $0 }) else { throw Self.unexpected(value) }
            self = .sides(Window.Padding(top: sides[0], left: sides[1], bottom: sides[2], right: sides[3]))
        default:
            guard let all = try? Int(value), 0...65536 ~= all else { throw Self.unexpected(value) }
            self = .sides(Window.Padding(all))
        }
    }

    private static func unexpected(_ value: DescriptionValue) -> DescriptionError {
        DescriptionError(#"expected a whole number from 0 to 65536, [top, left, bottom, right], or "same", found \#(value)"#)
    }

    /// As it is read: one number where all sides are equal.
    public func described(isWhole: Bool) -> DescriptionValue {
        guard case .sides(let sides) = self else { return .text("same") }
        let all = [sides.top, sides.left, sides.bottom, sides.right]
        return Set(all).count == 1 ? all[0].descriptionValue : all.descriptionValue
    }
}

/// What both convolutions are described by.
private protocol ConvolutionDescription: LayerKind {
    var channels: Int { get set }
    var kernel: Int { get set }
    var stride: Int { get set }
    var padding: PaddingRule { get set }
    var dilation: Int { get set }
    var groups: Int { get set }
    var hasBias: Bool { get set }
    var initializer: Initializer { get set }
}

extension ConvolutionDescription {
    fileprivate static var convolutionKeys: [DescriptionKey<Self>] {
        [
            DescriptionKey("channels", \Self.channels, in: extents, isRequired: true),
            DescriptionKey("kernel", \Self.kernel, in: extents, isRequired: true),
            DescriptionKey("stride", \Self.stride, in: extents), DescriptionKey("padding", \Self.padding),
            DescriptionKey("dilation", \Self.dilation, in: extents), DescriptionKey("groups", \Self.groups, in: extents),
            DescriptionKey("bias", \Self.hasBias), DescriptionKey("initializer", \Self.initializer),
        ]
    }

    /// Rows that one output sees.
    fileprivate var reach: Int { dilation * (kernel - 1) + 1 }

    /// - Parameter size: height and width on the side of the convolution's input.
    fileprivate func window(size: (height: Int, width: Int)) -> Window {
        func same(_ extent: Int) -> (before: Int, after: Int) {
            let sum = max(0, ((extent + stride - 1) / stride - 1) * stride + reach - extent)
            return (sum / 2, sum - sum / 2)
        }
        let sides: Window.Padding
        switch padding {
        case .sides(let given): sides = given
        case .same:
            let (rows, columns) = (same(size.height), same(size.width))
            sides = Window.Padding(top: rows.before, left: columns.before, bottom: rows.after, right: columns.after)
        }
        return Window(stride: stride, padding: sides, dilation: dilation, groups: groups)
    }

    /// - Parameter image: [height, width, channels] on the side of the convolution's input.
    fileprivate func geometry(_ image: [Int], outputChannels: Int, padding: Window.Padding, batchSize: Int) -> Convolution2D {
        Convolution2D(
            batch: batchSize, height: image[0], width: image[1], channels: image[2], outputChannels: outputChannels,
            kernel: (kernel, kernel), stride: (stride, stride),
            padding: (padding.top, padding.left, padding.bottom, padding.right), dilation: (dilation, dilation), groups: groups)
    }

    fileprivate func requireGroups(_ inputs: Int) throws(DescriptionError) {
        guard inputs % groups == 0, channels % groups == 0 else {
            throw DescriptionError("\(groups) groups do not divide both \(inputs) input channels and \(channels) output channels")
        }
    }

    public func summary(for input: [Int]) -> String {
        var text = "\(kernel)x\(kernel)"
        if stride > 1 { text += " stride \(stride)" }
        switch padding {
        case .same: text += " same"
        case .sides(let sides) where sides != 0: text += sides.isEqual ? " padding \(sides.top)" : " \(sides)"
        default: break
        }
        if dilation > 1 { text += " dilation \(dilation)" }
        if groups > 1 { text += " groups \(groups)" }
        if !hasBias { text += " no bias" }
        return text + ", \(input.last ?? 0) to \(channels)"
    }
}

extension Window.Padding {
    fileprivate var isEqual: Bool { Set([top, left, bottom, right]).count == 1 }
}

extension Conv2D {
    /// `{"layer": "conv", "channels": 64, "kernel": 5, "stride": 2, "padding": "same"}`.
    public struct Description: ConvolutionDescription {
        /// Channels of the output.
        public var channels = 0
        /// Rows and columns of the kernel.
        public var kernel = 0
        /// Rows and columns from one position to the next.
        public var stride = 1
        /// Rows and columns of zeros around the input.
        public var padding = PaddingRule.sides(0)
        /// Rows and columns from one tap to the next; 1 is dense.
        public var dilation = 1
        /// Groups of channels that do not see each other.
        public var groups = 1
        /// Whether a bias is added.
        public var hasBias = true
        /// How the weights are drawn.
        public var initializer = Initializer.heOfMeanFan

        public init() {}
        /// - Parameter channels: of the output.
        public init(
            _ channels: Int, kernel: Int, stride: Int = 1, padding: PaddingRule = .sides(0), dilation: Int = 1, groups: Int = 1,
            hasBias: Bool = true, initializer: Initializer = .heOfMeanFan
        ) {
            self.hasBias = hasBias
            (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
            (self.dilation, self.groups, self.initializer) = (dilation, groups, initializer)
        }

        public static let name = "conv"
        public static let keys = convolutionKeys

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
            let (height, width, inputs) = try requireImage(input)
            try requireGroups(inputs)
            let sides = window(size: (height, width)).padding
            let room = [height + sides.top + sides.bottom - reach, width + sides.left + sides.right - reach]
            guard room.allSatisfy({ $0 >= 0 }) else {
                throw DescriptionError(
                    "its kernel reaches over \(reach) rows and columns, the padded samples of shape \(input) are smaller")
            }
            return room.map { $0 / stride + 1 } + [channels]
        }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try Conv2D(
                input[2], channels, kernel: kernel, stride: stride, padding: window(size: (input[0], input[1])).padding,
                dilation: dilation, groups: groups, hasBias: hasBias, initializer: initializer, using: &random)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            [("weight", [kernel, kernel, input[2] / groups, channels])] + (hasBias ? [("bias", [channels])] : [])
        }

        public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] {
            let window = window(size: (input[0], input[1]))
            return [
                .convolution(
                    .convolution2DForward, .float32,
                    geometry(input, outputChannels: channels, padding: window.padding, batchSize: batchSize))
            ]
        }
    }
}

extension ConvTranspose2D {
    /// `{"layer": "conv_transpose", "channels": 64, "kernel": 5, "stride": 2, "padding": "same"}`.
    public struct Description: ConvolutionDescription {
        /// Channels of the output.
        public var channels = 0
        /// Rows and columns of the kernel.
        public var kernel = 0
        /// Rows and columns from one position to the next.
        public var stride = 1
        /// Rows and columns of zeros around the input.
        public var padding = PaddingRule.sides(0)
        /// Rows and columns added to the output below and to the right; less than stride or dilation.
        public var outputPadding = 0
        /// Rows and columns from one tap to the next; 1 is dense.
        public var dilation = 1
        /// Groups of channels that do not see each other.
        public var groups = 1
        /// Whether a bias is added.
        public var hasBias = true
        /// How the weights are drawn.
        public var initializer = Initializer.heOfMeanFan

        public init() {}
        /// - Parameter channels: of the output.
        public init(
            _ channels: Int, kernel: Int, stride: Int = 1, padding: PaddingRule = .sides(0), outputPadding: Int = 0,
            dilation: Int = 1,
            groups: Int = 1, hasBias: Bool = true, initializer: Initializer = .heOfMeanFan
        ) {
            self.hasBias = hasBias
            (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
            (self.outputPadding, self.dilation, self.groups, self.initializer) = (outputPadding, dilation, groups, initializer)
        }

        public static let name = "conv_transpose"
        public static let keys = convolutionKeys + [DescriptionKey("output_padding", \.outputPadding, in: 0...65535)]

        public func validate() throws(DescriptionError) {
            guard outputPadding < max(stride, dilation) else {
                throw DescriptionError(
                    "expected less than the stride or the dilation, \(max(stride, dilation)), found \(outputPadding)",
                    at: "output_padding")
            }
            guard padding != .same || outputPadding == 0 else {
                throw DescriptionError(
                    "padding \"same\" says the output's size; expected no output_padding beside it", at: "output_padding")
            }
        }

        /// The window of the convolution whose adjoint this is: with `same` padding, one of an image `stride` times as large.
        private func window(for input: [Int]) -> Window { window(size: (input[0] * stride, input[1] * stride)) }

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
            let (height, width, inputs) = try requireImage(input)
            try requireGroups(inputs)
            let sides = window(for: input).padding
            let size = [
                (height - 1) * stride - sides.top - sides.bottom + reach + outputPadding,
                (width - 1) * stride - sides.left - sides.right + reach + outputPadding,
            ]
            guard size.allSatisfy({ $0 > 0 }) else {
                throw DescriptionError("samples of shape \(input) less their padding leave nothing: \(size)")
            }
            return size + [channels]
        }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try ConvTranspose2D(
                input[2], channels, kernel: kernel, stride: stride, padding: window(for: input).padding,
                outputPadding: outputPadding,
                dilation: dilation, groups: groups, hasBias: hasBias, initializer: initializer, using: &random)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            [("weight", [kernel, kernel, channels / groups, input[2]])] + (hasBias ? [("bias", [channels])] : [])
        }

        /// The input gradient of the convolution whose adjoint this is.
        public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] {
            guard var image = try? outputShape(for: input) else { return [] }
            // Of an output padding, whole strides are rows and columns that the convolution does not read.
            for axis in 0...1 { image[axis] -= outputPadding / stride * stride }
            return [
                .convolution(
                    .convolution2DInputGradient, .float32,
                    geometry(image, outputChannels: input[2], padding: window(for: input).padding, batchSize: batchSize))
            ]
        }
    }
}
