import KantoTensor

/// Batches of samples in an order that is shuffled anew for each pass. A last part that does not fill a batch is dropped:
/// the next pass brings its samples in other company.
public struct BatchSampler: Sendable {
    private let data: Tensor
    private let batchSize: Int
    private let seed: UInt64
    private var order: [Int] = []
    /// Where the next batch begins.
    public private(set) var position = Position()

    /// A place in the endless sequence of samples.
    public struct Position: Hashable, Sendable {
        /// Passes through the data that have begun.
        public var passCount: UInt64 = 0
        /// Samples of the last one that were taken.
        public var taken = 0

        /// The beginning.
        public init() {}
    }

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
        if position.taken + batchSize > order.count {
            position.passCount += 1
            position.taken = 0
            shuffle()
        }
        let first = position.taken
        position.taken += batchSize
        return try data.gathered(Array(order[first..<first + batchSize]))
    }

    /// Goes to a place that a sampler of the same data, batch size and seed had come to.
    ///
    /// - Throws: `TensorError` if there is no such place.
    public mutating func move(to position: Position) throws {
        guard position.taken >= 0, position.taken <= (position.passCount == 0 ? 0 : data.shape[0]) else {
            throw TensorError("batches", "a position of \(position.taken) in data of \(data.shape[0]) samples")
        }
        self.position = position
        if position.passCount == 0 { order = [] } else { shuffle() }
    }

    /// Draws the order of the pass that has begun.
    private mutating func shuffle() {
        var random = Random(seed: seed, stream: RandomStream.dataOrder.rawValue << 32 | (position.passCount - 1))
        order = Array(0..<data.shape[0]).shuffled(using: &random)
    }
}
