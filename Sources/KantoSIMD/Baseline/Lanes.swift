// What differs between the instruction sets: the baseline variant (SSE2 on x86-64, NEON on arm64).

typealias Lanes = SIMD4<Float>
typealias LanesOfBits = SIMD4<UInt32>
/// As wide, of half as many numbers.
typealias WideLanes = SIMD2<Double>
typealias WideLanesOfBits = SIMD2<UInt64>

@inline(__always) var backendName: StaticString { "simd-baseline" }
@inline(__always) var backendDescription: StaticString { "portable Swift SIMD kernels, baseline instruction set" }

/// a · b + c. Written out: without FMA in the target, `addingProduct` is a libm call per lane, 140 times slower.
@inline(__always) func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c + a * b }

/// As any store: rows of a tile here are half a cache line, and such a store pays only for whole ones.
@inline(__always) func storePastCaches(_ lanes: Lanes, to target: UnsafeMutablePointer<Float>) { storeLanes(lanes, to: target) }

/// The widest tile of a matrix product, in vectors. Twelve accumulators, two columns and two temporaries fill sixteen registers.
typealias WidestRow = RowPair<SingleRow, SingleRow>
@inline(__always) var tileName: StaticString { "6x8 baseline" }
