import KantoTensor

/// The mean of each window of size x size, without overlap: [n, h, w, c] to [n, h / size, w / size, c]. Rows and columns at
/// the bottom and right that fill no window are left out, as in PyTorch.
public struct AveragePool: Layer {
    public let size: Int
    public init(_ size: Int) { self.size = size }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.averagePooled(size) }
}

/// The mean over height and width: [n, h, w, c] to [n, c].
public struct GlobalAveragePool: Layer {
    public init() {}

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard input.rank == 4 else {
            throw TensorError("global average pooling", "an input of shape \(input.shape), expected [n, h, w, c]")
        }
        return try input.mean(axes: [1, 2])
    }
}

/// Each element repeated over factor x factor, the nearest neighbor: [n, h, w, c] to [n, h · factor, w · factor, c].
public struct Upsample: Layer {
    public let factor: Int
    public init(_ factor: Int) { self.factor = factor }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.upsampled(factor) }
}
