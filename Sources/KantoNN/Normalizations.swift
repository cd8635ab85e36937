import KantoDescriptions
import KantoTensor

// Normalizations of each sample by itself: a critic under a penalty on its gradient at each sample may use them.

/// Layer normalization (Ba, Kiros and Hinton 2016): each sample over all its elements, (x − mean) / √(variance + ε), then
/// times weight plus bias.
///
/// The original WGAN-GP has one weight and bias a channel, PyTorch's LayerNorm one for each element of a sample.
public struct LayerNorm: Layer {
    /// [c], or the shape of a sample.
    public let weight: Parameter
    /// Like the weight.
    public let bias: Parameter
    /// Added to the variance before its root is taken.
    public let epsilon: Double

    /// - Parameters:
    ///   - weight: multiplies what is normalized.
    ///   - bias: is added then; of the weight's shape.
    ///   - epsilon: added to the variance before its root is taken.
    public init(weight: Tensor, bias: Tensor, epsilon: Double = 1e-5) {
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.epsilon = epsilon
    }

    /// One weight and bias a channel, the last axis: 1 and 0.
    public init(channels: Int, epsilon: Double = 1e-5) throws { try self.init(shape: [channels], epsilon: epsilon) }

    /// One weight and bias for each element of a sample, such as [h, w, c]: 1 and 0.
    public init(shape: [Int], epsilon: Double = 1e-5) throws {
        self.init(weight: try Tensor(repeating: 1, shape: shape), bias: try Tensor.zeros(shape), epsilon: epsilon)
    }

    /// - Throws: `TensorError` if the weight is neither of a sample's shape nor of its channels, or a sample has one element.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        let sample = Array(input.shape.dropFirst())
        guard weight.shape == sample || weight.shape == sample.suffix(1) else {
            throw TensorError(
                "layer normalization",
                "a weight of shape \(weight.shape) for samples of \(sample), expected that or \(sample.suffix(1))")
        }
        let axes = Array(input.shape.indices.dropFirst())
        try requireSeveral(axes, of: input, for: "layer normalization")
        return try input.normalized(axes: axes, epsilon: epsilon).multiplied(by: weight.value, adding: bias.value)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}

/// Group normalization (Wu and He 2018): each sample and group of channels over positions and the group's channels, then
/// times weight plus bias, one a channel. [n, …, c] keeps its shape.
public struct GroupNorm: Layer {
    /// Groups of channels, each of which is normalized by itself.
    public let groups: Int
    /// [c].
    public let weight: Parameter
    /// [c].
    public let bias: Parameter
    /// Added to the variance before its root is taken.
    public let epsilon: Double

    /// - Parameters:
    ///   - groups: of channels, each of which is normalized by itself.
    ///   - weight: [c].
    ///   - bias: [c].
    ///   - epsilon: added to the variance before its root is taken.
    public init(groups: Int, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5) {
        self.groups = groups
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.epsilon = epsilon
    }

    /// Weights 1, biases 0.
    public init(groups: Int, channels: Int, epsilon: Double = 1e-5) throws {
        self.init(
            groups: groups, weight: try Tensor(repeating: 1, shape: [channels]), bias: try Tensor.zeros([channels]),
            epsilon: epsilon)
    }

    /// - Throws: `TensorError` if the channels are not those of the weight, or not divisible into the groups, or a group has
    ///   one element.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        let channels = try requireChannels(weight, of: input, for: "group normalization")
        guard groups > 0, channels % groups == 0 else {
            throw TensorError("group normalization", "\(channels) channels do not divide into \(groups) groups")
        }
        let grouped = try input.reshaped(input.shape.dropLast() + [groups, channels / groups])
        let axes = grouped.shape.indices.filter { $0 != 0 && $0 != grouped.rank - 2 }
        try requireSeveral(axes, of: grouped, for: "group normalization")
        return try grouped.normalized(axes: axes, epsilon: epsilon).reshaped(input.shape)
            .multiplied(by: weight.value, adding: bias.value)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}

/// Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016): each sample and channel over positions, then times weight
/// plus bias, one a channel. [n, …, c] keeps its shape.
public struct InstanceNorm: Layer {
    /// [c].
    public let weight: Parameter
    /// [c].
    public let bias: Parameter
    /// Added to the variance before its root is taken.
    public let epsilon: Double

    /// - Parameters:
    ///   - weight: [c].
    ///   - bias: [c].
    ///   - epsilon: added to the variance before its root is taken.
    public init(weight: Tensor, bias: Tensor, epsilon: Double = 1e-5) {
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.epsilon = epsilon
    }

    /// Weights 1, biases 0.
    public init(_ channels: Int, epsilon: Double = 1e-5) throws {
        self.init(weight: try Tensor(repeating: 1, shape: [channels]), bias: try Tensor.zeros([channels]), epsilon: epsilon)
    }

    /// - Throws: `TensorError` if the channels are not those of the weight, or a sample has one position.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try requireChannels(weight, of: input, for: "instance normalization")
        let axes = Array(1..<input.rank - 1)
        try requireSeveral(axes, of: input, for: "instance normalization")
        return try input.normalized(axes: axes, epsilon: epsilon).multiplied(by: weight.value, adding: bias.value)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }
}

/// Pixel normalization (Karras et al. 2018, section 4.2): each position's vector of channels, divided by the root of its mean
/// square: x / √(mean(x²) + ε). [n, …, c] keeps its shape.
public struct PixelNorm: DescribedLayer {
    /// Added to the mean square before its root is taken.
    public internal(set) var epsilon = 1e-8
    public init() {}
    /// - Parameter epsilon: added to the mean square before its root is taken.
    public init(epsilon: Double) { self.epsilon = epsilon }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard input.rank > 1, let channels = input.shape.last, channels > 0 else {
            throw TensorError("pixel normalization", "an input of shape \(input.shape), expected [n, …, c]")
        }
        let squares = try Tensor.product(input, input, to: input.shape.dropLast() + [1])
        guard let scale = try input.rangeScale(wherever: squares, axes: [input.rank - 1]) else {
            return try input * squares.affine(scale: 1 / Double(channels), offset: epsilon).squareRoot().reciprocal()
        }
        let scaled = try input * scale
        let mean = try Tensor.product(scaled, scaled, to: squares.shape) / Double(channels)
        return try scaled * (mean + scale * scale * epsilon).squareRoot().reciprocal()
    }
}

/// A single element is its own mean: normalized, it is 0 whatever it was.
func requireSeveral(_ axes: [Int], of input: Tensor, for operation: String) throws {
    guard axes.reduce(1, { $0 * input.shape[$1] }) != 1 else {
        throw TensorError(
            operation, "one element a statistic in an input of shape \(input.shape); its normalized value is always 0")
    }
}

@discardableResult
func requireChannels(_ weight: Parameter, of input: Tensor, for operation: String) throws -> Int {
    guard input.rank > 1, let channels = input.shape.last, weight.shape == [channels] else {
        throw TensorError(
            operation, "an input of shape \(input.shape) and a weight of \(weight.shape), expected [n, …, c] and [c]")
    }
    return channels
}

/// The weight and bias of a normalization.
func affineParameters(_ shape: [Int]) -> [(path: String, shape: [Int])] { [("weight", shape), ("bias", shape)] }

extension DescriptionKey {
    /// ε of a normalization.
    static func epsilon(_ property: WritableKeyPath<Root, Double> & Sendable) -> DescriptionKey {
        DescriptionKey("epsilon", property, expected: "a positive number") { $0 > 0 }
    }
}

extension LayerNorm {
    /// `{"layer": "layer_norm"}`, or with `"affine": "element"` as PyTorch has it.
    public struct Description: LayerKind {
        /// One weight and bias for each channel, or for each element of a sample.
        public enum Affine: String, CaseIterable, DescriptionConvertible { case channel, element }
        /// Which elements have a weight and a bias of their own.
        public var affine = Affine.channel
        /// Added to the variance before its root is taken.
        public var epsilon = 1e-5

        public init() {}
        /// - Parameter affine: which elements have a weight and a bias of their own.
        public init(affine: Affine) { self.affine = affine }

        public static let name = "layer_norm"
        public static let keys = [DescriptionKey("affine", \Self.affine), .epsilon(\.epsilon)]

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try LayerNorm(shape: affineShape(for: input), epsilon: epsilon)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            affineParameters(affineShape(for: input))
        }

        private func affineShape(for input: [Int]) -> [Int] { affine == .element ? input : [input.last ?? 0] }

        public func summary(for input: [Int]) -> String { affine == .element ? "affine by element" : "" }
    }
}

extension GroupNorm {
    /// `{"layer": "group_norm", "groups": 8}`.
    public struct Description: LayerKind {
        /// Groups of channels; their number divides that of the channels.
        public var groups = 0
        /// Added to the variance before its root is taken.
        public var epsilon = 1e-5

        public init() {}
        /// - Parameter groups: of channels; their number divides that of the channels.
        public init(groups: Int) { self.groups = groups }

        public static let name = "group_norm"
        public static let keys = [DescriptionKey("groups", \Self.groups, in: extents, isRequired: true), .epsilon(\.epsilon)]

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
            guard let channels = input.last, channels % groups == 0 else {
                throw DescriptionError("\(groups) groups do not divide the channels of samples of shape \(input)")
            }
            return input
        }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try GroupNorm(groups: groups, channels: input.last ?? 0, epsilon: epsilon)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] { affineParameters([input.last ?? 0]) }

        public func summary(for input: [Int]) -> String { "\(groups) groups" }
    }
}

extension InstanceNorm {
    /// `"instance_norm"`.
    public struct Description: LayerKind {
        /// Added to the variance before its root is taken.
        public var epsilon = 1e-5
        public init() {}

        public static let name = "instance_norm"
        public static let keys = [DescriptionKey.epsilon(\Self.epsilon)]

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
            let (height, width, _) = try requireImage(input)
            guard height * width > 1 else {
                throw DescriptionError("a sample of shape \(input) has one position a channel, expected several")
            }
            return input
        }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try InstanceNorm(input[2], epsilon: epsilon)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] { affineParameters([input[2]]) }
    }
}

extension PixelNorm {
    public static let name = "pixel_norm"
    public static let keys = [DescriptionKey.epsilon(\PixelNorm.epsilon)]
}
