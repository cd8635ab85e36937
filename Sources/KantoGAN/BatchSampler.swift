import KantoTensor

/// Batches of samples in an order that is shuffled anew for each pass. A last part that does not fill a batch is dropped:
/// the next pass brings its samples in other company.
public struct BatchSampler: Sendable {
    private let data: Tensor
    private let batchSize: Int
    private let seed: UInt64
    private var order: [Int] = []
    private var position = 0
    private var pass: UInt64 = 0

    /// - Parameter data: [n, …].
    /// - Throws: `TensorError` if there are fewer samples than a batch holds.
    public init(_ data: Tensor, batchSize: Int, seed: UInt64) throws {
        guard let count = data.shape.first, batchSize > 0, count >= batchSize else {
            throw TensorError("batches", "data of shape \(data.shape) do not fill a batch of \(batchSize)")
        }
        self.data = data
        self.batchSize = batchSize
        self.seed = seed
    }

    /// The next batch, [batchSize, …].
    public mutating func next() throws -> Tensor {
        if position + batchSize > order.count {
            var random = Random(seed: seed, stream: RandomStream.dataOrder.rawValue << 32 | pass)
            order = Array(0..<data.shape[0]).shuffled(using: &random)
            position = 0
            pass += 1
        }
        defer { position += batchSize }
        return try data.gathered(Array(order[position..<position + batchSize]))
    }
}
