import KantoTensor

/// Batches of samples that are all in memory, in an order that is shuffled anew for each pass. See `BatchOrder`.
public struct BatchSampler: SampleBatches {
    private let data: Tensor
    private let order: BatchOrder
    /// Batches that `next` has given.
    public private(set) var batchCount = 0

    /// - Parameter data: [n, …].
    /// - Throws: `TensorError` if there are fewer samples than a batch holds.
    public init(_ data: Tensor, batchSize: Int, seed: UInt64) throws {
        guard let count = data.shape.first else {
            throw TensorError("batches", "data of shape \(data.shape), expected [n, …]")
        }
        self.data = data
        order = try BatchOrder(sampleCount: count, batchSize: batchSize, seed: seed)
    }

    /// Of a sample of the data.
    public var sampleShape: [Int] { Array(data.shape.dropFirst()) }

    /// [batchSize, …], copied from the data.
    public func batch(_ number: Int) throws -> Tensor { try data.gathered(order.indexes(ofBatch: number)) }

    /// The next batch, [batchSize, …].
    public mutating func next() throws -> Tensor {
        defer { batchCount += 1 }
        return try batch(batchCount)
    }
}
