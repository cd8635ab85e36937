import Glibc
import KantoKernels

/// Random numbers by Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): a counter and a key, ten rounds.
///
/// The same seed and stream give the same numbers on every backend and machine. A stream is independent of all others, so
/// a training run can name the numbers of an iteration without drawing those before.
public struct Random: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    /// Words 0 and 1: the block; words 2 and 3: the stream.
    private var counter: SIMD4<UInt32>
    private var block = SIMD4<UInt32>.zero
    private var used = 4

    public init(seed: UInt64, stream: UInt64 = 0) {
        key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
        counter = [0, 0, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)]
    }

    public mutating func next() -> UInt64 { UInt64(word()) | UInt64(word()) << 32 }

    /// The next 32 bits.
    mutating func word() -> UInt32 {
        if used == 4 {
            block = Self.philox(counter, key)
            counter[0] &+= 1
            if counter[0] == 0 { counter[1] &+= 1 }
            used = 0
        }
        defer { used += 1 }
        return block[used]
    }

    static func philox(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (c, k) = (counter, key)
        for _ in 0..<10 {
            let first = UInt64(0xD251_1F53) * UInt64(c[0])
            let second = UInt64(0xCD9E_8D57) * UInt64(c[2])
            c = [
                UInt32(truncatingIfNeeded: second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: first),
            ]
            k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
        }
        return c
    }

    /// One number in [0, 1): the upper 24 bits of a word.
    public mutating func uniform() -> Double { Double(word() >> 8) * 0x1p-24 }

    /// Two independent numbers of the standard normal distribution, by Box and Muller (1958), from two words.
    mutating func normalPair() -> (Double, Double) {
        // 32 bits, moved off zero: the logarithm stays finite.
        let radius = (-2 * Glibc.log((Double(word()) + 0.5) * 0x1p-32)).squareRoot()
        let angle = 2 * Double.pi * Double(word()) * 0x1p-32
        return (radius * Glibc.cos(angle), radius * Glibc.sin(angle))
    }

    /// Uniform numbers in a range.
    public mutating func uniform(
        _ shape: [Int], in range: Range<Double> = 0..<1, elementType: ElementType = .float32
    ) throws -> Tensor {
        let width = range.upperBound - range.lowerBound
        let values = (0..<shape.reduce(1, *)).map { _ in range.lowerBound + width * uniform() }
        return try tensor(values, shape, elementType)
    }

    /// Numbers of the standard normal distribution.
    public mutating func normal(_ shape: [Int], elementType: ElementType = .float32) throws -> Tensor {
        let count = shape.reduce(1, *)
        var values: [Double] = []
        values.reserveCapacity(count + 1)
        while values.count < count {
            let pair = normalPair()
            values.append(pair.0)
            values.append(pair.1)
        }
        return try tensor(Array(values.prefix(count)), shape, elementType)
    }

    private func tensor(_ values: [Double], _ shape: [Int], _ elementType: ElementType) throws -> Tensor {
        switch elementType {
        case .float32: try Tensor(values.map(Float.init), shape: shape)
        case .float64: try Tensor(values, shape: shape)
        }
    }
}
