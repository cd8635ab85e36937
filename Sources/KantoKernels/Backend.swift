import KantoABI

/// One that makes kernels for problems, built in or plugged in; all are reached through the same C table.
public final class Backend: @unchecked Sendable {
    /// Where a backend comes from.
    public enum Origin: Sendable, Equatable {
        case builtIn
        case plugin(path: String)
    }

    /// As in `KANTO_BACKEND`.
    public let name: String
    /// The library and its version, the instruction set.
    public let summary: String
    /// Where it comes from.
    public let origin: Origin
    /// The name of the backend that chooses between this one's algorithm and others; `nil` for one that stands for itself.
    package let variantOf: String?
    /// The C table, for who verifies a backend without the host in between. It lives as long as the process.
    package let table: UnsafePointer<kanto_backend>
    /// How much of a problem it knows: less than all if it was compiled with an older header.
    private let knownByteCount: Int

    init(
        table: UnsafePointer<kanto_backend>, origin: Origin, variantOf: String? = nil,
        knownByteCount: Int = MemoryLayout<kanto_problem>.size
    ) {
        self.table = table
        self.origin = origin
        self.variantOf = variantOf
        self.knownByteCount = knownByteCount
        name = String(cString: table.pointee.name)
        summary = table.pointee.description.map { String(cString: $0) } ?? ""
    }

    /// The ops that it sets out to serve.
    public func offers(_ op: Op, _ type: ElementType) -> Bool { table.pointee.offers(op.rawValue, type) }

    var isPlugin: Bool { origin != .builtIn }

    /// Whether it may decline problems of an op that it offers: what its library, or its algorithm, does not serve.
    package var mayDecline: Bool { isPlugin || variantOf != nil }

    /// What a call of its code is called, for whoever must know whose fault something was.
    func call(for problem: Problem) -> String {
        if case .plugin(let path) = origin { "plugin \(name) (\(path)) at \(problem)" } else { "\(name) at \(problem)" }
    }

    enum Answer {
        case kernel(UnsafeMutablePointer<kanto_kernel>)
        case declined(String)
    }

    /// Asks for a kernel.
    func make(_ problem: Problem, on host: Host) -> Answer {
        let answer = ask(for: problem, on: host)
        // What is exact enough for float32 is so for less.
        guard problem.precision == .relaxed, case .declined = answer else { return answer }
        let exact = ask(for: problem.with(.float32), on: host)
        return if case .kernel = exact { exact } else { answer }
    }

    private func ask(for problem: Problem, on host: Host) -> Answer {
        // It could not see that more is asked than it computes.
        let saysMore = withUnsafeBytes(of: problem.raw) { $0.dropFirst(knownByteCount).contains { $0 != 0 } }
        if saysMore { return .declined("the problem has a property that is newer than the plugin") }
        var kernel: UnsafeMutablePointer<kanto_kernel>?
        let ask = {
            withUnsafePointer(to: problem.raw) { raw in
                withMessage { message in self.table.pointee.make(self.table, raw, host.pointer, &kernel, message) }
            }
        }
        let failure =
            isPlugin
            ? PluginCalls.within(call(for: problem)) { keepingFloatingPointEnvironment(ask) } : ask()
        if let failure { return .declined(failure.reason) }
        guard let kernel else { return .declined("it returned no kernel") }
        guard kernel.pointee.struct_size >= InterfaceVersion.kernelByteCount, kernel.pointee.run != nil,
            kernel.pointee.release != nil
        else { return .declined("it returned an incomplete kernel") }
        if let flaw = Self.flaw(of: kernel.pointee) {
            kernel.pointee.release(kernel)
            return .declined(flaw)
        }
        return .kernel(kernel)
    }

    /// What memory a kernel asks for that it cannot have.
    private static func flaw(of kernel: kanto_kernel) -> String? {
        func excess(_ byteCount: Int, _ what: String) -> String? {
            0...Processor.memoryByteCount ~= byteCount
                ? nil : "\(what) of \(UInt(bitPattern: byteCount)) bytes is more than the memory of this machine"
        }
        if let flaw = excess(kernel.scratch_bytes, "its scratch") { return flaw }
        if kernel.prepared_count == 0 { return nil }
        guard let byteCounts = kernel.prepared_bytes, kernel.prepare != nil else {
            return "it returned a kernel of prepared inputs that lacks their sizes or the function that prepares them"
        }
        return (0..<Int(kernel.prepared_count)).lazy.compactMap { excess(byteCounts[$0], "its form of input \($0)") }.first
    }
}

extension kanto_backend {
    /// Whether it sets out to serve an op in a type.
    package func offers(_ op: UInt32, _ type: ElementType) -> Bool {
        guard op < offer_count, let offers else { return false }
        return offers[Int(op)] & (1 << type.rawValue) != 0
    }
}

extension Backend {
    /// A kernel that no cache keeps; `nil` if the backend does not offer the op or declines.
    func kernel(for problem: Problem, on host: Host) -> Kernel? {
        guard let op = problem.op, let type = problem.elementType, offers(op, type),
            case .kernel(let raw) = make(problem, on: host)
        else { return nil }
        return Kernel(problem: problem, backend: self, raw: raw, host: host, isTimed: false)
    }
}

extension Backend: Hashable {
    public static func == (a: Backend, b: Backend) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
