import KantoDescriptions
import KantoTensor

/// The mean of each window of size x size, without overlap: [n, h, w, c] to [n, h / size, w / size, c]. Rows and columns at
/// the bottom and right that fill no window are left out, as in PyTorch.
public struct AveragePool: DescribedLayer {
    /// Rows and columns that become one.
    public internal(set) var size = 2
    public init() {}
    /// - Parameter size: rows and columns that become one.
    public init(_ size: Int) { self.size = size }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.averagePooled(size) }
}

/// The mean over height and width: [n, h, w, c] to [n, c].
public struct GlobalAveragePool: DescribedLayer {
    public init() {}

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard input.rank == 4 else {
            throw TensorError("global average pooling", "an input of shape \(input.shape), expected [n, h, w, c]")
        }
        return try input.mean(axes: [1, 2])
    }
}

/// Each element repeated over factor x factor, the nearest neighbor: [n, h, w, c] to [n, h · factor, w · factor, c].
public struct Upsample: DescribedLayer {
    /// How often each row and column is repeated.
    public internal(set) var factor = 2
    public init() {}
    /// - Parameter factor: how often each row and column is repeated.
    public init(_ factor: Int) { self.factor = factor }
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.upsampled(factor) }
}

extension AveragePool {
    public static let name = "avg_pool"
    public static let keys = [DescriptionKey("size", \AveragePool.size, in: extents)]

    public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
        let (height, width, channels) = try requireImage(input)
        guard height >= size, width >= size else {
            throw DescriptionError("its windows of \(size) x \(size) are larger than samples of shape \(input)")
        }
        return [height / size, width / size, channels]
    }

    public func summary(for input: [Int]) -> String { "\(size)x\(size)" }
}

extension GlobalAveragePool {
    public static let name = "global_avg_pool"
    public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] { [try requireImage(input).channels] }
}

extension Upsample {
    public static let name = "upsample"
    public static let keys = [DescriptionKey("factor", \Upsample.factor, in: extents)]

    public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
        let (height, width, channels) = try requireImage(input)
        return [height * factor, width * factor, channels]
    }

    public func summary(for input: [Int]) -> String { "\(factor)x" }
}
