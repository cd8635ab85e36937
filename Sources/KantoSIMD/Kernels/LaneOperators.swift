import KantoShims

// The arithmetic of vectors, in place of the standard library's: see `kanto_lanes.h`.

extension Lanes {
    @inline(__always) init(repeating value: Float) { self = kanto_lanes_repeating(value) }
    @inline(__always) static func + (a: Lanes, b: Lanes) -> Lanes { kanto_lanes_add(a, b) }
    @inline(__always) static func - (a: Lanes, b: Lanes) -> Lanes { kanto_lanes_subtract(a, b) }
    @inline(__always) static func * (a: Lanes, b: Lanes) -> Lanes { kanto_lanes_multiply(a, b) }
    @inline(__always) static func / (a: Lanes, b: Lanes) -> Lanes { kanto_lanes_divide(a, b) }
    @inline(__always) static func += (a: inout Lanes, b: Lanes) { a = a + b }
    @inline(__always) static func + (a: Lanes, b: Float) -> Lanes { a + Lanes(repeating: b) }
    @inline(__always) static func + (a: Float, b: Lanes) -> Lanes { Lanes(repeating: a) + b }
    @inline(__always) static func - (a: Lanes, b: Float) -> Lanes { a - Lanes(repeating: b) }
    @inline(__always) static func - (a: Float, b: Lanes) -> Lanes { Lanes(repeating: a) - b }
    @inline(__always) static func * (a: Lanes, b: Float) -> Lanes { a * Lanes(repeating: b) }
    @inline(__always) static func / (a: Float, b: Lanes) -> Lanes { Lanes(repeating: a) / b }
    @inline(__always) func squareRoot() -> Lanes { kanto_lanes_square_root(self) }
    @inline(__always) func replacing(with other: Lanes, where mask: SIMDMask<MaskStorage>) -> Lanes {
        kanto_lanes_select(self, other, unsafeBitCast(mask, to: MaskStorage.self))
    }
    @inline(__always) func replacing(with other: Float, where mask: SIMDMask<MaskStorage>) -> Lanes {
        replacing(with: Lanes(repeating: other), where: mask)
    }
}

extension WideLanes {
    @inline(__always) init(repeating value: Double) { self = kanto_wide_repeating(value) }
    @inline(__always) static func + (a: WideLanes, b: WideLanes) -> WideLanes { kanto_wide_add(a, b) }
    @inline(__always) static func - (a: WideLanes, b: WideLanes) -> WideLanes { kanto_wide_subtract(a, b) }
    @inline(__always) static func * (a: WideLanes, b: WideLanes) -> WideLanes { kanto_wide_multiply(a, b) }
    @inline(__always) static func / (a: WideLanes, b: WideLanes) -> WideLanes { kanto_wide_divide(a, b) }
    @inline(__always) static func + (a: WideLanes, b: Double) -> WideLanes { a + WideLanes(repeating: b) }
    @inline(__always) static func - (a: WideLanes, b: Double) -> WideLanes { a - WideLanes(repeating: b) }
    @inline(__always) static func * (a: WideLanes, b: Double) -> WideLanes { a * WideLanes(repeating: b) }
    @inline(__always) static func * (a: Double, b: WideLanes) -> WideLanes { WideLanes(repeating: a) * b }
    @inline(__always) func squareRoot() -> WideLanes { kanto_wide_square_root(self) }
    @inline(__always) func replacing(with other: WideLanes, where mask: SIMDMask<MaskStorage>) -> WideLanes {
        kanto_wide_select(self, other, unsafeBitCast(mask, to: MaskStorage.self))
    }
}

extension LanesOfBits {
    @inline(__always) static func & (a: LanesOfBits, b: LanesOfBits) -> LanesOfBits { combined(a, b, kanto_lanes_mask_and) }
    @inline(__always) static func | (a: LanesOfBits, b: LanesOfBits) -> LanesOfBits { combined(a, b, kanto_lanes_mask_or) }
}

extension WideLanesOfBits {
    @inline(__always) static func ^ (a: WideLanesOfBits, b: WideLanesOfBits) -> WideLanesOfBits {
        combined(a, b, kanto_wide_mask_exclusive_or)
    }
}

extension SIMDMask<Lanes.MaskStorage> {
    @inline(__always) static func .& (a: Self, b: Self) -> Self { combined(a, b, kanto_lanes_mask_and) }
    @inline(__always) static func .| (a: Self, b: Self) -> Self { combined(a, b, kanto_lanes_mask_or) }
}

/// What C computes of vectors that hold bits of another type.
@inline(__always)
private func combined<Value, Bits>(_ a: Value, _ b: Value, _ function: (Bits, Bits) -> Bits) -> Value {
    unsafeBitCast(function(unsafeBitCast(a, to: Bits.self), unsafeBitCast(b, to: Bits.self)), to: Value.self)
}

/// a · b + c, in one instruction where there is one.
@inline(__always) func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { kanto_lanes_multiply_add(a, b, c) }

/// Stores without reading the line before, nor keeping it; the address is a multiple of the vector's size.
@inline(__always) func storePastCaches(_ lanes: Lanes, to target: UnsafeMutablePointer<Float>) {
    kanto_lanes_store_past_caches(lanes, target)
}
