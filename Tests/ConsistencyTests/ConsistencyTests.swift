import KantoABI
import KantoConsistency
import Testing

@testable import KantoKernels

/// One op on one backend.
struct ConsistencyCase: CustomTestStringConvertible, Sendable {
    let backend: Backend
    let op: Op

    var testDescription: String { "\(backend.name) \(op)" }

    /// Every backend and instruction set that is present here, plugins included, with each op that it offers.
    static var all: [ConsistencyCase] {
        get throws {
            try Registry.shared().backends.flatMap { backend in
                Op.allCases.filter { backend.offers($0, .float32) }.map { ConsistencyCase(backend: backend, op: $0) }
            }
        }
    }
}

@Suite struct ConsistencyTests {
    /// In float32 the reference must be as exact as it demands of others; in float64, the same at any placement of its
    /// operands and on any number of threads.
    @Test(arguments: try ConsistencyCase.all) func agreesWithTheReference(_ test: ConsistencyCase) {
        // A plugin may decline what its library cannot do; the built-in backends and CBLAS serve all that is listed.
        let mayDecline = test.backend.origin != .builtIn && test.backend.name != "cblas"
        let verification = verify(
            test.backend.table, problemList.filter { $0.problem.op == Int(test.op.rawValue) }, mayDecline: { _ in mayDecline })
        #expect(verification.servedCount > 0, "the backend served nothing")
        guard !verification.failures.isEmpty else { return }
        let first = verification.failures.prefix(10).joined(separator: "\n")
        Issue.record("\(verification.failures.count) problems went wrong, among them\n\(first)")
    }

    /// The backends that this machine must offer: a test run that silently left one out would prove nothing.
    @Test func backendsArePresent() throws {
        let names = try Registry.shared().backends.map(\.name)
        var expected = ["simd-baseline", "reference"]
        expected += InstructionSet.allCases.filter { $0 != .baseline && $0.isSupported }.map { "simd-\($0)" }
        #if ONEDNN
        expected.append("onednn")
        #endif
        #if CBLAS
        expected.append("cblas")
        #endif
        for name in expected { #expect(names.contains(name), "\(name) is not among \(names)") }
    }
}
