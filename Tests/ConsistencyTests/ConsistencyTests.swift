import KantoABI
import KantoReference
import KantoSIMDAVX2
import KantoSIMDAVX512
import KantoSIMDBaseline
import KantoShims
import TestSupport
import Testing

@Suite struct ConsistencyTests {
    /// The ops, by number and name.
    static let ops = [
        (KANTO_OP_MATMUL, "matmul"), (KANTO_OP_CONV2D_FORWARD, "conv2d_forward"),
        (KANTO_OP_CONV2D_INPUT_GRADIENT, "conv2d_input_gradient"),
        (KANTO_OP_CONV2D_WEIGHT_GRADIENT, "conv2d_weight_gradient"),
        (KANTO_OP_UNARY, "unary"), (KANTO_OP_BINARY, "binary"), (KANTO_OP_SELECT, "select"),
        (KANTO_OP_REDUCE, "reduce"),
        (KANTO_OP_OPTIMIZE, "optimize"),
    ]

    /// In float32 the reference must be as exact as it demands of others; in float64, the same at any placement of its
    /// operands and on any number of threads.
    @Test(arguments: ops) func reference(_ op: Int, _ name: String) { expectConsistent(referenceBackend(), op) }

    @Test(arguments: ops) func simdBaseline(_ op: Int, _ name: String) {
        expectConsistent(KantoSIMDBaseline.simdBackend(), op)
    }

    @Test(.enabled(if: kanto_cpu_has_avx2(), "the processor has AVX2"), arguments: ops)
    func simdAVX2(_ op: Int, _ name: String) { expectConsistent(KantoSIMDAVX2.simdBackend(), op) }

    @Test(.enabled(if: kanto_cpu_has_avx512(), "the processor has AVX-512"), arguments: ops)
    func simdAVX512(_ op: Int, _ name: String) { expectConsistent(KantoSIMDAVX512.simdBackend(), op) }

    /// Expects that the backend serves the op and that every problem is right.
    private func expectConsistent(
        _ backend: UnsafePointer<kanto_backend>, _ op: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let verification = verify(backend, problemList.filter { $0.problem.op == op })
        #expect(verification.servedCount > 0, "the backend served nothing", sourceLocation: sourceLocation)
        guard !verification.failures.isEmpty else { return }
        let first = verification.failures.prefix(10).joined(separator: "\n")
        Issue.record(
            "\(verification.failures.count) problems went wrong, among them\n\(first)", sourceLocation: sourceLocation)
    }
}
