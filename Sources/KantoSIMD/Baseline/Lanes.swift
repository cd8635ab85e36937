// What differs between the instruction sets: the baseline variant (SSE2 on x86-64, NEON on arm64).

typealias Lanes = SIMD4<Float>
typealias LanesOfBits = SIMD4<UInt32>
/// As wide, of half as many numbers.
typealias WideLanes = SIMD2<Double>
typealias WideLanesOfBits = SIMD2<UInt64>

@inline(__always) var backendName: StaticString { "simd-baseline" }
@inline(__always) var directBackendName: StaticString { "simd-baseline-direct" }
@inline(__always) var filteredBackendName: StaticString { "simd-baseline-filtered" }
@inline(__always) var backendDescription: StaticString { "portable Swift SIMD kernels, baseline instruction set" }

/// The widest tile of a matrix product, in vectors. Twelve accumulators, two columns and two temporaries fill sixteen registers.
typealias WidestRow = RowPair<SingleRow, SingleRow>
@inline(__always) var tileName: StaticString { "6x8 baseline" }
/// Of convolutions by minimal filtering: with the outputs of a tile.
@inline(__always) var filteredTileName: StaticString { "2x2 filtered, 6x8 baseline" }
@inline(__always) var relaxedTileName: StaticString { "4x4 filtered, 6x8 baseline" }

/// There is no instruction for pairs of bfloat16.
typealias InstructionPair = PlainPair
@inline(__always) var hasPairInstruction: Bool { false }
