import KantoDescriptions
import KantoTensor

/// x where it is positive, slope · x elsewhere, with a slope for each channel that is trained (He et al. 2015, equation 1).
/// [n, …, c] keeps its shape. The derivative at 0 is the slope.
public struct PReLU: Layer {
    /// [c].
    public let slope: Parameter

    /// - Parameter slope: [c].
    public init(slope: Tensor) { self.slope = Parameter(slope) }

    /// - Parameter slope: that of each channel at first.
    /// - Throws: `TensorError` if the number of channels is not positive.
    public init(_ channels: Int, slope: Double = 0.25) throws {
        try requirePositive(["channels": channels], for: "PReLU")
        self.init(slope: try Tensor(repeating: slope, shape: [channels]))
    }

    /// - Throws: `TensorError` if the channels are not those of the slope.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try requireChannels(slope, of: input, for: "PReLU")
        let positive = try input.relu()
        return try (input - positive).multiplied(by: slope.value, adding: positive)
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("slope", slope)] }
}

extension PReLU {
    /// `"prelu"`, or `{"layer": "prelu", "slope": 0.1}`.
    public struct Description: LayerKind {
        /// That of each channel at first.
        public var slope = 0.25

        public init() {}
        /// - Parameter slope: that training starts from.
        public init(slope: Double) { self.slope = slope }

        public static let name = "prelu"
        public static let keys = [DescriptionKey("slope", \Self.slope)]

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try PReLU(input.last ?? 0, slope: slope)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] { [("slope", [input.last ?? 0])] }
    }
}
