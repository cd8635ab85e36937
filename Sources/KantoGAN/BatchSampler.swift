import KantoTensor

/// Batches of samples that are all in memory, in an order that is shuffled anew for each pass. See `BatchOrder`.
public struct BatchSampler: SampleBatches {
    private let data: Tensor
    private let labels: [Int]?
    private let order: BatchOrder
    /// Batches that `next` has given.
    public private(set) var batchCount = 0

    /// - Parameters:
    ///   - data: [n, …].
    ///   - labels: the class of each sample, from 0, where they have classes.
    /// - Throws: `TensorError` if there are fewer samples than a batch holds, or not as many labels as samples.
    public init(_ data: Tensor, labels: [Int]? = nil, batchSize: Int, seed: UInt64) throws {
        guard let count = data.shape.first else {
            throw TensorError("batches", "data of shape \(data.shape), expected [n, …]")
        }
        if let labels, labels.count != count {
            throw TensorError("batches", "\(labels.count) labels for \(count) samples, expected one a sample")
        }
        self.data = data
        self.labels = labels
        order = try BatchOrder(sampleCount: count, batchSize: batchSize, seed: seed)
    }

    /// Of a sample of the data.
    public var sampleShape: [Int] { Array(data.shape.dropFirst()) }

    /// [batchSize, …], copied from the data.
    public func batch(_ number: Int) throws -> Tensor { try data.gathered(order.indexes(ofBatch: number)) }

    public func batch(_ number: Int, rows: Range<Int>) throws -> Tensor {
        try data.gathered(Array(order.indexes(ofBatch: number)[rows]))
    }

    public func labels(ofBatch number: Int) -> [Int]? { order.labels(labels, ofBatch: number) }

    /// The next batch, [batchSize, …].
    public mutating func next() throws -> Tensor {
        defer { batchCount += 1 }
        return try batch(batchCount)
    }
}
