import KantoABI
import KantoCommunication
import KantoKernels

/// Random numbers by Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): a counter and a key, ten rounds.
///
/// The same seed and stream give the same numbers on every backend and machine. A stream is independent of all others, so
/// a training run can name the numbers of an iteration without drawing those before.
public struct Random: RandomNumberGenerator, Sendable {
    private let key: UInt64
    private let stream: UInt64
    /// The next block of four words.
    private var block: UInt64 = 0
    private var words = SIMD4<UInt32>.zero
    private var used = 4
    /// Whose rows are drawn: tensors have this rank's rows of those that are drawn for the whole batch, so that any number of
    /// ranks sees the same numbers. The first axis of what is drawn is then that of the rows, of one batch or of several.
    package var share: RowShare?

    /// - Parameters:
    ///   - seed: the same seed and stream give the same numbers, on every machine.
    ///   - stream: numbers of different streams have nothing to do with each other.
    public init(seed: UInt64, stream: UInt64 = 0) {
        key = seed
        self.stream = stream
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 { UInt64(word()) | UInt64(word()) << 32 }

    /// The next 32 bits.
    private mutating func word() -> UInt32 {
        if used == 4 {
            let drawn = kanto_philox(key, stream, block)
            words = SIMD4(drawn.word0, drawn.word1, drawn.word2, drawn.word3)
            block &+= 1
            used = 0
        }
        defer { used += 1 }
        return words[used]
    }

    /// One number in [0, 1): the upper 24 bits of a word.
    public mutating func uniform() -> Double { Double(word() >> 8) * 0x1p-24 }

    /// Uniform numbers in a range.
    public mutating func uniform(
        _ shape: [Int], in range: Range<Double> = 0..<1, elementType: ElementType = .float32
    ) throws -> Tensor {
        try draw(.uniform, shape, offset: range.lowerBound, scale: range.upperBound - range.lowerBound, elementType)
    }

    /// Numbers of the standard normal distribution.
    public mutating func normal(_ shape: [Int], elementType: ElementType = .float32) throws -> Tensor {
        try draw(.normal, shape, offset: 0, scale: 1, elementType)
    }

    /// Leaves out what a tensor takes.
    package mutating func skip(_ shape: [Int]) { skip(drawnCount(shape)) }

    /// How many numbers are drawn for a tensor, those of other ranks included.
    private func drawnCount(_ shape: [Int]) -> Int {
        let count = shape.reduce(1, *)
        guard let share, let rows = shape.first, share.places(ofRows: rows) != nil else { return count }
        return count / share.own.count * share.total
    }

    private mutating func skip(_ count: Int) {
        block &+= (UInt64(count) + 3) / 4
        used = 4
    }

    /// Takes the words of whole blocks, from the next one on.
    private mutating func draw(
        _ distribution: Function, _ shape: [Int], offset: Double, scale: Double, _ elementType: ElementType
    ) throws -> Tensor {
        try elementCount(shape, for: "random")
        let output = try Tensor(uninitialized: shape, elementType)
        func fill(_ pointer: UnsafeMutableRawPointer, _ count: Int, from block: UInt64) throws {
            let halves = [key, stream, block].flatMap { [Double($0 & 0xFFFF_FFFF), Double($0 >> 32)] }
            try Kernels.kernel(for: .random(distribution, elementType, count: count))
                .run(nil, into: pointer, scalars: [offset, scale] + halves)
        }
        if let share, let rows = shape.first, rows > 0 {
            guard let places = share.places(ofRows: rows) else {
                throw TensorError(
                    "random",
                    "\(rows) rows for a rank that has \(share.own.count) of a batch of \(share.total): expected a multiple")
            }
            let width = shape[1...].reduce(1, *)
            var target = output.pointer
            for place in places {
                // A number is a matter of its block of four.
                let (block, lead) = (place.lowerBound * width).quotientAndRemainder(dividingBy: 4)
                let count = place.count * width
                let drawn = try Tensor(uninitialized: [lead + count], elementType)
                try fill(drawn.pointer, drawn.count, from: self.block &+ UInt64(block))
                target.copyMemory(from: drawn.pointer + lead * elementType.size, byteCount: count * elementType.size)
                target += count * elementType.size
            }
        } else {
            try fill(output.pointer, output.count, from: block)
        }
        skip(drawnCount(shape))
        return output
    }
}
