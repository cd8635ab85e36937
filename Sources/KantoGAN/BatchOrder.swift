import KantoTensor
import Synchronization

/// Which samples each batch has: those of an order that is shuffled anew for each pass through the data. A last part that does
/// not fill a batch is dropped: the next pass brings its samples in other company.
///
/// A batch is a matter of its number alone, so that reading ahead changes nothing and a training can go on at any batch.
public final class BatchOrder: Sendable {
    /// How many samples there are.
    public let sampleCount: Int
    /// Samples of a batch.
    public let batchSize: Int
    private let seed: UInt64
    /// The order of the pass that was asked for last.
    private let latest = Mutex<(pass: Int, order: [Int])>((-1, []))

    /// - Throws: `TensorError` if there are fewer samples than a batch holds.
    public init(sampleCount: Int, batchSize: Int, seed: UInt64) throws {
        guard batchSize > 0, sampleCount >= batchSize else {
            throw TensorError("batches", "\(sampleCount) samples do not fill a batch of \(batchSize)")
        }
        (self.sampleCount, self.batchSize, self.seed) = (sampleCount, batchSize, seed)
    }

    /// The samples of a batch.
    ///
    /// - Parameter number: from 0.
    public func indexes(ofBatch number: Int) -> [Int] {
        let batchesOfPass = sampleCount / batchSize
        let (pass, place) = number.quotientAndRemainder(dividingBy: batchesOfPass)
        return latest.withLock { latest in
            if latest.pass != pass {
                var random = Random(seed: seed, stream: RandomStream.dataOrder.rawValue << 32 | UInt64(pass))
                latest = (pass, Array(0..<sampleCount).shuffled(using: &random))
            }
            return Array(latest.order[place * batchSize..<(place + 1) * batchSize])
        }
    }

    /// The labels of a batch's samples, of those of all samples; nil where these have none.
    ///
    /// - Parameter number: from 0.
    public func labels(_ labels: [Int]?, ofBatch number: Int) -> [Int]? {
        labels.map { labels in indexes(ofBatch: number).map { labels[$0] } }
    }
}

/// Where a training's batches of real samples come from, by their numbers from 0.
public protocol SampleBatches: Sendable {
    /// Of a sample, without the batch.
    var sampleShape: [Int] { get }
    /// The samples of a batch, [batch size] + sampleShape. Asked for in their order, but where a training goes on elsewhere.
    func batch(_ number: Int) throws -> Tensor
    /// Some rows of a batch, [rows.count] + sampleShape: those that `batch` gives there. For a training that several ranks share.
    func batch(_ number: Int, rows: Range<Int>) throws -> Tensor
    /// The classes of the samples of a batch, from 0, in their order; nil where samples have none.
    func labels(ofBatch number: Int) -> [Int]?
}

extension SampleBatches {
    /// Cut out of the whole batch.
    public func batch(_ number: Int, rows: Range<Int>) throws -> Tensor { try batch(number).sliced(rows) }

    /// None.
    public func labels(ofBatch number: Int) -> [Int]? { nil }
}
