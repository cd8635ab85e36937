#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Random numbers that are the same everywhere (SplitMix64, Steele, Lea and Flood 2014).
public struct Random: RandomNumberGenerator {
    private var state: UInt64

    /// The same seed gives the same bits, on every machine.
    public init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// Standard normal numbers (Box and Muller 1958).
    public mutating func normals(_ count: Int) -> [Double] {
        (0..<count).map { _ in (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
    }

    mutating func integers(_ count: Int, in range: ClosedRange<Int>) -> [Double] {
        (0..<count).map { _ in Double(range.lowerBound) + Double(next() % UInt64(range.count)) }
    }
}
