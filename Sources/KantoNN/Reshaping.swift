import KantoTensor

/// Each sample under another shape: [n, …] to [n] + shape.
public struct Reshape: Layer {
    public let shape: [Int]
    public init(_ shape: Int...) { self.shape = shape }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.reshaped([input.shape.first ?? 0] + shape) }
}

/// Each sample as one row: [n, …] to [n, m].
public struct Flatten: Layer {
    /// Image samples are flattened in the order channels, height, width, as a network made for NCHW expects.
    public let isChannelsFirst: Bool
    public init(isChannelsFirst: Bool = false) { self.isChannelsFirst = isChannelsFirst }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try isChannelsFirst && input.rank == 4 ? input.permuted([0, 3, 1, 2]).flattened() : input.flattened()
    }
}
