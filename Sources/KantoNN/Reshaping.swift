import KantoDescriptions
import KantoTensor

/// Each sample under another shape: [n, …] to [n] + shape.
public struct Reshape: DescribedLayer {
    /// Of a sample.
    public internal(set) var shape: [Int] = []
    public init() {}
    /// - Parameter shape: of a sample, without the batch.
    public init(_ shape: Int...) { self.shape = shape }
    /// - Parameter shape: of a sample, without the batch.
    public init(_ shape: [Int]) { self.shape = shape }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.reshaped([input.shape.first ?? 0] + shape) }
}

/// Each sample as one row: [n, …] to [n, m].
public struct Flatten: DescribedLayer {
    /// Image samples are flattened in the order channels, height, width, as a network made for NCHW expects.
    public internal(set) var isChannelsFirst = false
    public init() {}
    /// - Parameter isChannelsFirst: whether all positions of a channel come before the next channel, as where a network was written for channels first.
    public init(isChannelsFirst: Bool) { self.isChannelsFirst = isChannelsFirst }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try isChannelsFirst && input.rank == 4 ? input.permuted([0, 3, 1, 2]).flattened() : input.flattened()
    }
}

extension Reshape {
    public static let name = "reshape"
    public static let keys: [DescriptionKey<Self>] = [
        .sampleShape("shape", \.shape)
    ]

    public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
        let (count, wanted) = (input.reduce(1, *), shape.reduce(1, *))
        guard count == wanted else {
            throw DescriptionError("\(shape) has \(wanted) elements, a sample of shape \(input) has \(count)")
        }
        return shape
    }

    public func summary(for input: [Int]) -> String { "\(shape)" }
}

extension Flatten {
    public static let name = "flatten"
    public static let keys = [DescriptionKey("channels_first", \Flatten.isChannelsFirst)]
    public func outputShape(for input: [Int]) -> [Int] { [input.reduce(1, *)] }
}
