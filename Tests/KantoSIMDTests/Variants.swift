import KantoABI
import KantoSIMDAVX2
import KantoSIMDAVX512
import KantoSIMDBaseline
import KantoShims
import Testing

/// The instruction sets of the SIMD backend that this processor can run.
enum Variant: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case baseline, avx2, avx512

    static let present = allCases.filter {
        switch $0 {
        case .baseline: true
        case .avx2: kanto_cpu_has_avx2()
        case .avx512: kanto_cpu_has_avx512()
        }
    }

    var backend: UnsafePointer<kanto_backend> {
        switch self {
        case .baseline: KantoSIMDBaseline.simdBackend()
        case .avx2: KantoSIMDAVX2.simdBackend()
        case .avx512: KantoSIMDAVX512.simdBackend()
        }
    }

    /// The build folder of the variant's module.
    var module: String {
        switch self {
        case .baseline: "KantoSIMDBaseline"
        case .avx2: "KantoSIMDAVX2"
        case .avx512: "KantoSIMDAVX512"
        }
    }

    var testDescription: String { rawValue }
}
