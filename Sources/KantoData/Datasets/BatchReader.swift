import Glibc

/// Reads the batches of a dataset ahead, on a thread of its own, so that they are there when training asks for them.
///
/// Which samples a batch has is a function of its number alone, so reading ahead changes nothing in what is drawn, and a run
/// goes on at any batch.
public final class BatchReader: Sendable {
    /// The samples of a batch, by its number from 0.
    public typealias Order = @Sendable (Int) -> [Int]

    private let queue: BatchQueue
    private let thread: ReadingThread?

    /// - Parameters:
    ///   - first: the number of the first batch.
    ///   - depth: how many batches may wait to be taken.
    ///   - order: the samples of a batch; called once a batch, in their order, on the reader's thread.
    public init(_ dataset: any Dataset, startingAt first: Int = 0, depth: Int = 2, order: @escaping Order) {
        precondition(depth > 0 && first >= 0)
        let queue = BatchQueue(dataset, next: first, depth: depth, order)
        self.queue = queue
        // It holds the queue, not this object, whose end ends it.
        thread = ReadingThread(queue.readAhead)
    }

    deinit {
        queue.end()
        thread?.join()
    }

    /// Gives the next batch, [indexes.count] + the sample's shape, and the samples that it has. Whoever calls from several
    /// threads gets them in no order.
    ///
    /// - Precondition: the buffer is as large as the batch.
    /// - Throws: what reading that batch threw; the batch after it may be had.
    public func next(into buffer: UnsafeMutableBufferPointer<Float>) throws -> [Int] {
        // The system refused a thread.
        if thread == nil { queue.readOne() }
        return try queue.take(into: buffer)
    }
}

/// Batches that wait to be taken, and buffers that wait to be filled.
private final class BatchQueue: @unchecked Sendable {
    private struct Batch {
        let indexes: [Int]
        /// A buffer from `spare`, or what went wrong.
        let values: Result<[Float], any Error>
    }

    private let dataset: any Dataset
    private let order: BatchReader.Order
    private let depth: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // All below is guarded by the mutex.
    private var ready: [Batch] = []
    private var spare: [[Float]] = []
    private var next: Int
    private var isOver = false

    init(_ dataset: any Dataset, next: Int, depth: Int, _ order: @escaping BatchReader.Order) {
        (self.dataset, self.next, self.depth, self.order) = (dataset, next, depth, order)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    func end() {
        locked { isOver = true }
        pthread_cond_broadcast(changed)
    }

    /// Until the end.
    func readAhead() {
        while true {
            let mayRead = locked {
                while ready.count >= depth && !isOver { pthread_cond_wait(changed, mutex) }
                return !isOver
            }
            guard mayRead else { return }
            readOne()
        }
    }

    /// Reads the next batch; one thread does.
    func readOne() {
        var (number, buffer) = locked { (next, spare.popLast() ?? []) }
        let indexes = order(number)
        let values = Result<[Float], any Error> {
            let count = indexes.count * dataset.sampleSize
            if buffer.count != count {
                try requireMemory(count * MemoryLayout<Float>.stride)
                buffer = Array(repeating: 0, count: count)
            }
            try buffer.withUnsafeMutableBufferPointer { try dataset.read(indexes[...], into: $0) }
            return buffer
        }
        locked {
            ready.append(Batch(indexes: indexes, values: values))
            next += 1
        }
        pthread_cond_broadcast(changed)
    }

    func take(into buffer: UnsafeMutableBufferPointer<Float>) throws -> [Int] {
        let batch = locked {
            while ready.isEmpty { pthread_cond_wait(changed, mutex) }
            return ready.removeFirst()
        }
        pthread_cond_broadcast(changed)
        let values = try batch.values.get()
        precondition(buffer.count == values.count, "the buffer is not as large as a batch of \(batch.indexes.count)")
        _ = buffer.update(fromContentsOf: values)
        locked { spare.append(values) }
        return batch.indexes
    }
}
