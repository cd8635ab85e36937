import KantoABI
import KantoReference
import TestSupport
import Testing

@Suite struct ConsistencyTests {
    /// In float32 the reference must be as exact as it demands of others; in float64 it must be the same at any placement
    /// of its operands and number of threads.
    @Test func reference() {
        expectConsistent(referenceBackend())
    }
}

/// Expects that the backend serves problems and that all are right.
func expectConsistent(
    _ backend: UnsafePointer<kanto_backend>, sourceLocation: SourceLocation = #_sourceLocation
) {
    let verification = verify(backend)
    #expect(verification.servedCount > 0, "the backend served nothing", sourceLocation: sourceLocation)
    for failure in verification.failures { Issue.record(Comment(rawValue: failure), sourceLocation: sourceLocation) }
}
