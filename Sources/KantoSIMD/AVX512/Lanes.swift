// What differs between the instruction sets: the AVX-512 variant (x86-64-v4).

import KantoShims

typealias Lanes = SIMD16<Float>
typealias LanesOfBits = SIMD16<UInt32>
/// As wide, of half as many numbers.
typealias WideLanes = SIMD8<Double>
typealias WideLanesOfBits = SIMD8<UInt64>

@inline(__always) var backendName: StaticString { "simd-avx512" }
@inline(__always) var backendDescription: StaticString { "portable Swift SIMD kernels, AVX-512" }

/// a · b + c, in one instruction.
@inline(__always) func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { c.addingProduct(a, b) }

/// Stores without reading the line before, nor keeping it; the address is a multiple of 64 bytes.
@inline(__always) func storePastCaches(_ lanes: Lanes, to target: UnsafeMutablePointer<Float>) {
    kanto_store_past_caches16(lanes, target)
}

/// The widest tile of a matrix product, in vectors. 24 accumulators, four columns and a broadcast fit into 32 registers; ten loads feed 24 multiply-adds.
typealias WidestRow = RowPair<RowPair<SingleRow, SingleRow>, RowPair<SingleRow, SingleRow>>
@inline(__always) var tileName: StaticString { "6x64 avx512" }
