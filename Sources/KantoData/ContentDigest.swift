/// A digest of 64 bits by which a file that was damaged is told from one that was not. Each step can be undone, so that no
/// change of a single word of eight bytes goes unnoticed, and others do once in 2⁶⁴. It is no guard against malice.
package struct ContentDigest {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    package init() {}

    /// Takes in bytes, and how many they are.
    package mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        while place + 8 <= bytes.count {
            combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest << 8 | UInt64(bytes[place])
            place += 1
        }
        combine(rest)
        combine(UInt64(bytes.count))
    }

    /// Takes in numbers as they stand in memory, little-endian.
    mutating func combine(_ values: NumericArray.Values) {
        switch values {
        case .float32(let values): values.withUnsafeBytes { combine($0) }
        case .float64(let values): values.withUnsafeBytes { combine($0) }
        case .uint8(let values): values.withUnsafeBytes { combine($0) }
        }
    }

    package mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    private mutating func combine(_ word: UInt64) {
        // An odd factor and a shift on itself: both can be undone.
        state = (state ^ word) &* 0xD6E8_FEB8_6659_FD93
        state ^= state >> 32
    }

    /// The digest.
    package var value: UInt64 { state }

    /// Sixteen hexadecimal digits.
    package var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
