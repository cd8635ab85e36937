import KantoData
import KantoGAN
import KantoTensor
import Synchronization

/// The batches of a dataset, read ahead by a thread of their own while the training computes.
final class DatasetBatches: SampleBatches {
    private let dataset: any Dataset
    private let order: BatchOrder
    /// Whether half of the pictures are mirrored, each time others.
    private let flips: Bool
    private let seed: UInt64

    /// Reads on from some batch.
    private struct Reading {
        let reader: BatchReader
        var next: Int
    }
    private let reading = Mutex<Reading?>(nil)

    /// - Throws: `TensorError` if there are fewer samples than a batch holds.
    init(_ dataset: any Dataset, flips: Bool, batchSize: Int, seed: UInt64) throws {
        (self.dataset, self.flips, self.seed) = (dataset, flips, seed)
        order = try BatchOrder(sampleCount: dataset.count, batchSize: batchSize, seed: seed)
    }

    var sampleShape: [Int] { dataset.sampleShape }

    func batch(_ number: Int) throws -> Tensor {
        let batch = try Tensor(uninitialized: [order.batchSize] + sampleShape, .float32)
        let values = UnsafeMutableBufferPointer(start: batch.pointer.assumingMemoryBound(to: Float.self), count: batch.count)
        try withExtendedLifetime(batch) {
            try reading.withLock { reading in
                if reading?.next != number {
                    let order = order
                    reading = Reading(
                        reader: BatchReader(dataset, startingAt: number) { order.indexes(ofBatch: $0) }, next: number)
                }
                reading!.next += 1
                _ = try reading!.reader.next(into: values)
            }
            if flips { flip(values, ofBatch: number) }
        }
        return batch
    }

    private func flip(_ values: UnsafeMutableBufferPointer<Float>, ofBatch number: Int) {
        var random = Random(seed: seed, stream: RandomStream.flips.rawValue << 32 | UInt64(number))
        let size = dataset.sampleSize
        for sample in 0..<order.batchSize where random.uniform() < 0.5 {
            dataset.flipHorizontally(UnsafeMutableBufferPointer(rebasing: values[sample * size..<(sample + 1) * size]))
        }
    }
}
