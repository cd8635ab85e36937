import KantoABI
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

    /// Leaves out what `count` numbers of a tensor take.
    package mutating func skip(_ count: Int) {
        block &+= (UInt64(count) + 3) / 4
        used = 4
    }

    /// Takes the words of whole blocks, from the next one on.
    private mutating func draw(
        _ distribution: Function, _ shape: [Int], offset: Double, scale: Double, _ elementType: ElementType
    ) throws -> Tensor {
        try elementCount(shape, for: "random")
        let output = try Tensor(uninitialized: shape, elementType)
        let halves = [key, stream, block].flatMap { [Double($0 & 0xFFFF_FFFF), Double($0 >> 32)] }
        try Kernels.kernel(for: .random(distribution, elementType, count: output.count))
            .run(nil, into: output.pointer, scalars: [offset, scale] + halves)
        skip(output.count)
        return output
    }
}
