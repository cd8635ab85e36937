// What differs between the instruction sets: the AVX-512 variant (x86-64-v4).
import KantoShims

typealias Lanes = SIMD16<Float>
typealias LanesOfBits = SIMD16<UInt32>
/// As wide, of half as many numbers.
typealias WideLanes = SIMD8<Double>
typealias WideLanesOfBits = SIMD8<UInt64>

@inline(__always) var backendName: StaticString { "simd-avx512" }
@inline(__always) var directBackendName: StaticString { "simd-avx512-direct" }
@inline(__always) var filteredBackendName: StaticString { "simd-avx512-filtered" }
@inline(__always) var backendDescription: StaticString { "portable Swift SIMD kernels, AVX-512" }

/// The widest tile of a matrix product, in vectors. 24 accumulators, four columns and a broadcast fit into 32 registers; ten loads feed 24 multiply-adds.
typealias WidestRow = RowPair<RowPair<SingleRow, SingleRow>, RowPair<SingleRow, SingleRow>>
@inline(__always) var tileName: StaticString { "6x64 avx512" }
/// Of convolutions by minimal filtering: with the outputs of a tile.
@inline(__always) var filteredTileName: StaticString { "2x2 filtered, 6x64 avx512" }
@inline(__always) var relaxedTileName: StaticString { "4x4 filtered, 6x64 avx512" }

/// A pair of bfloat16, by one instruction of AVX512_BF16.
enum InstructionPair: SumWord {
    @inline(__always) static func addProduct(_ a: Lanes, _ b: Lanes, to sum: Lanes) -> Lanes {
        kanto_pairs_add_products(sum, a, b)
    }
}
var hasPairInstruction: Bool { kanto_cpu_has_bfloat16() }
