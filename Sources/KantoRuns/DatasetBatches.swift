import KantoCommunication
import KantoData
import KantoGAN
import KantoTensor
import Synchronization

/// The batches of a dataset, read ahead by a thread of their own while the training computes.
final class DatasetBatches: SampleBatches {
    private let dataset: any Dataset
    private let labels: [Int]?
    private let order: BatchOrder
    /// Whether half of the pictures are mirrored, each time others.
    private let flips: Bool
    /// Nil where nothing is added to whole numbers.
    private let dequantization: Dequantization?
    private let seed: UInt64

    /// Reads on from some batch.
    private struct Reading {
        let reader: BatchReader
        let rows: Range<Int>
        var next: Int
    }
    private let reading = Mutex<Reading?>(nil)

    /// - Parameter labels: of each sample, for networks that are told them.
    /// - Throws: `TensorError` if there are fewer samples than a batch holds; `DataError` if what is to be filled in between
    ///   whole numbers is not such.
    init(
        _ dataset: any Dataset, labels: [Int]? = nil, _ description: DataDescription, batchSize: Int, seed: UInt64
    ) throws {
        (self.dataset, self.labels, self.seed) = (dataset, labels, seed)
        flips = description.flip
        dequantization = description.dequantize ? try Dequantization(of: dataset, path: description.path) : nil
        order = try BatchOrder(sampleCount: dataset.count, batchSize: batchSize, seed: seed)
    }

    var sampleShape: [Int] { dataset.sampleShape }

    func labels(ofBatch number: Int) -> [Int]? { order.labels(labels, ofBatch: number) }

    func batch(_ number: Int) throws -> Tensor { try batch(number, rows: 0..<order.batchSize) }

    /// Reads those rows alone.
    func batch(_ number: Int, rows: Range<Int>) throws -> Tensor {
        let batch = try Tensor(uninitialized: [rows.count] + sampleShape, .float32)
        let values = UnsafeMutableBufferPointer(start: batch.pointer.assumingMemoryBound(to: Float.self), count: batch.count)
        try withExtendedLifetime(batch) {
            try reading.withLock { reading in
                if reading?.next != number || reading?.rows != rows {
                    let order = order
                    reading = Reading(
                        reader: BatchReader(dataset, startingAt: number) { Array(order.indexes(ofBatch: $0)[rows]) },
                        rows: rows, next: number)
                }
                reading!.next += 1
                _ = try reading!.reader.next(into: values)
            }
            if flips { flip(values, rows, ofBatch: number) }
        }
        guard let dequantization else { return batch }
        var random = Random(seed: seed, stream: RandomStream.dequantization.rawValue << 32 | UInt64(number))
        random.share = RowShare(own: rows, of: order.batchSize)
        return try dequantization.applied(to: batch, using: random)
    }

    private func flip(_ values: UnsafeMutableBufferPointer<Float>, _ rows: Range<Int>, ofBatch number: Int) {
        var random = Random(seed: seed, stream: RandomStream.flips.rawValue << 32 | UInt64(number))
        let size = dataset.sampleSize
        for sample in 0..<order.batchSize {
            guard random.uniform() < 0.5, rows.contains(sample) else { continue }
            let start = (sample - rows.lowerBound) * size
            dataset.flipHorizontally(UnsafeMutableBufferPointer(rebasing: values[start..<start + size]))
        }
    }
}
