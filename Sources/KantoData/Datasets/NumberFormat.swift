/// How numbers stand in a file, named as NumPy does without the byte order.
enum NumberType: String, Sendable, CaseIterable {
    case boolean = "b1"
    case uint8 = "u1"
    case int8 = "i1"
    case uint16 = "u2"
    case int16 = "i2"
    case uint32 = "u4"
    case int32 = "i4"
    case uint64 = "u8"
    case int64 = "i8"
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"

    /// In bytes.
    var size: Int { Int(rawValue.suffix(1))! }

    var isFloatingPoint: Bool { rawValue.hasPrefix("f") }
}

/// A type with a byte order.
struct NumberFormat: Hashable, Sendable {
    let type: NumberType
    var isBigEndian = false

    /// From NumPy's `descr`, such as `<f4` or `|u1`; nil for what is not read.
    init?(numPy descr: String) {
        guard let order = descr.first, let type = NumberType(rawValue: String(descr.dropFirst())) else { return nil }
        switch order {
        case "<", "=": self.init(type)
        case ">": self.init(type, isBigEndian: true)
        case "|" where type.size == 1: self.init(type)
        default: return nil
        }
    }

    init(_ type: NumberType, isBigEndian: Bool = false) {
        self.type = type
        self.isBigEndian = isBigEndian
    }

    /// Calls `body` with the position and the value of each of `count` numbers. Those of 64-bit integers are rounded.
    @inline(__always)
    func forEach(_ source: UnsafeRawPointer, count: Int, _ body: (Int, Double) -> Void) {
        @inline(__always) func integers<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) {
            for index in 0..<count {
                let value = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.size, as: Value.self)
                body(index, Double(isBigEndian ? value.byteSwapped : value))
            }
        }
        @inline(__always) func floats<Bits: FixedWidthInteger & BitwiseCopyable>(_: Bits.Type, _ value: (Bits) -> Double) {
            for index in 0..<count {
                let bits = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
                body(index, value(isBigEndian ? bits.byteSwapped : bits))
            }
        }
        switch type {
        case .boolean: for index in 0..<count { body(index, source.load(fromByteOffset: index, as: UInt8.self) == 0 ? 0 : 1) }
        case .uint8: integers(UInt8.self)
        case .int8: integers(Int8.self)
        case .uint16: integers(UInt16.self)
        case .int16: integers(Int16.self)
        case .uint32: integers(UInt32.self)
        case .int32: integers(Int32.self)
        case .uint64: integers(UInt64.self)
        case .int64: integers(Int64.self)
        case .float16: floats(UInt16.self) { Double(Float16(bitPattern: $0)) }
        case .float32: floats(UInt32.self) { Double(Float(bitPattern: $0)) }
        case .float64: floats(UInt64.self) { Double(bitPattern: $0) }
        }
    }
}
