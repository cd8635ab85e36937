/// The bytes of a message, as protocol buffers have it, field by field.
///
/// Source: https://protobuf.dev/programming-guides/encoding/
package struct ProtobufMessage {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// What follows a field's number.
    private enum WireType: UInt64 {
        case variable = 0, eightBytes = 1, counted = 2, fourBytes = 5
    }

    /// A whole number; negative ones take ten bytes.
    package mutating func add(_ field: Int, _ value: Int) {
        start(field, .variable)
        append(UInt64(bitPattern: Int64(value)))
    }

    package mutating func add(_ field: Int, _ value: Double) {
        start(field, .eightBytes)
        append(littleEndian: value.bitPattern)
    }

    package mutating func add(_ field: Int, _ value: Float) {
        start(field, .fourBytes)
        append(littleEndian: value.bitPattern)
    }

    package mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

    package mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

    package mutating func add(_ field: Int, _ content: [UInt8]) {
        start(field, .counted)
        append(UInt64(content.count))
        bytes += content
    }

    /// A list of numbers, packed.
    package mutating func add(_ field: Int, _ values: [Double]) {
        start(field, .counted)
        append(UInt64(8 * values.count))
        for value in values { append(littleEndian: value.bitPattern) }
    }

    private mutating func start(_ field: Int, _ type: WireType) { append(UInt64(field) << 3 | type.rawValue) }

    /// Seven bits a byte, the lowest first.
    private mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func append(littleEndian word: some FixedWidthInteger) {
        withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
    }
}
