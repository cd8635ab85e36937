// What differs between the instruction sets: the AVX2 variant (x86-64-v3).

typealias Lanes = SIMD8<Float>
typealias LanesOfBits = SIMD8<UInt32>
/// As wide, of half as many numbers.
typealias WideLanes = SIMD4<Double>
typealias WideLanesOfBits = SIMD4<UInt64>

@inline(__always) var backendName: StaticString { "simd-avx2" }
@inline(__always) var directBackendName: StaticString { "simd-avx2-direct" }
@inline(__always) var filteredBackendName: StaticString { "simd-avx2-filtered" }
@inline(__always) var backendDescription: StaticString { "portable Swift SIMD kernels, AVX2 and FMA" }

/// The widest tile of a matrix product, in vectors. Twelve accumulators, two columns and a broadcast fit into sixteen registers.
typealias WidestRow = RowPair<SingleRow, SingleRow>
@inline(__always) var tileName: StaticString { "6x16 avx2" }
/// Of convolutions by minimal filtering: with the outputs of a tile.
@inline(__always) var filteredTileName: StaticString { "2x2 filtered, 6x16 avx2" }
@inline(__always) var relaxedTileName: StaticString { "4x4 filtered, 6x16 avx2" }

/// There is no instruction for pairs of bfloat16.
typealias InstructionPair = PlainPair
@inline(__always) var hasPairInstruction: Bool { false }
