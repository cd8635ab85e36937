import KantoKernels

/// The backends that serve float32, plugins too.
public let float32Backends: [String] = {
    do {
        return try Backend.available.filter { $0.offers(.matmul, .float32) }.map(\.name)
    } catch {
        fatalError("\(error)")
    }
}()

/// Runs `body` on a backend that is known to serve the matrix products.
public func onBackend<R>(_ backend: String, _ body: () throws -> R) throws -> R {
    try withBackend(backend) {
        let server = try Kernels.kernel(for: .matmul(m: 16, n: 32, k: 32)).backend.name
        guard server == backend else { throw NotServed(backend: backend, by: server) }
        return try Kernels.run { try body() }
    }
}

private struct NotServed: Error { let backend: String, by: String }
