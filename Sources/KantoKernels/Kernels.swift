import KantoABI

/// What a caller has chosen for the kernels inside a body.
struct Scope: Sendable {
    /// The backends in force; `nil` for those of the process.
    var selection: Registry.Selection?
    var threadCount: Int?
    /// Of products; `nil` for that of the process.
    var precision: Precision?
    /// Whether ops note down how to differentiate them; read by KantoTensor.
    var recordsGradients = true

    @TaskLocal static var current = Scope()
}

/// Finding and running kernels.
public enum Kernels {
    /// Kanto's version.
    public static let version = "0.1.0"

    /// Runs a program whose kernels all run inline, on one set of worker threads, and returns what it returns. A trainer or a
    /// benchmark enters once; entering again is free.
    ///
    /// `body` runs on the calling thread, in the default floating-point environment. One thread at a time has its turn:
    /// kernels and ops of tensors that other threads ask for wait until `body` is done. So `body` must not wait for such a
    /// thread, a loader of data say; that would be for ever.
    public static func run<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        try KernelTurn.take(body)
    }

    /// The kernel that serves a problem on the selected backend: the same one at each call, from a cache. A product of float32
    /// need not be more exact than the precision in force.
    ///
    /// - Throws: `KernelError.unserved` if nobody serves it, or, with `KANTO_STRICT=1`, if a named backend declines it;
    ///   `KernelError.problem` if its sizes make no sense; `KernelError.configuration` if the environment is malformed.
    public static func kernel(for problem: Problem) throws(KernelError) -> Kernel {
        let (registry, selection, threadCount, problem) = try inForce(for: problem)
        return try registry.kernel(for: problem, selection: selection, threadCount: threadCount)
    }

    /// What each backend in force says to a problem, and who serves it. Nothing is run, and no kernel is kept.
    ///
    /// - Throws: `KernelError.problem` if the problem's sizes make no sense; `KernelError.configuration` if the environment is
    ///   malformed.
    public static func explain(_ problem: Problem) throws(KernelError) -> Explanation {
        let (registry, selection, threadCount, problem) = try inForce(for: problem)
        return try registry.explain(problem, selection: selection, threadCount: threadCount)
    }

    /// Who is asked, and the problem at the precision in force, unless it names one or has none.
    private static func inForce(
        for problem: Problem
    ) throws(KernelError) -> (Registry, Registry.Selection, threadCount: Int, Problem) {
        let registry = try Registry.shared()
        let scope = Scope.current
        let selection = if let selection = scope.selection { selection } else { try selected(registry) }
        let threadCount = scope.threadCount ?? registry.configuration.threadCount
        let precision = scope.precision ?? registry.configuration.precision
        guard precision != .float32, problem.precision == .float32, problem.op?.isProduct == true, problem.elementType == .float32
        else { return (registry, selection, threadCount, problem) }
        return (registry, selection, threadCount, problem.with(precision))
    }

    /// How exact products of float32 must be.
    public static func precision() throws(KernelError) -> Precision {
        if let precision = Scope.current.precision { return precision }
        return try Registry.shared().configuration.precision
    }

    /// Runs `body` with another number of worker threads, 1 to 1024, the caller included.
    ///
    /// - Throws: `KernelError.configuration` for another number, and what `body` throws.
    public static func withThreadCount<R>(_ count: Int, _ body: () throws -> R) throws -> R {
        guard Configuration.threadCounts.contains(count) else {
            let (least, most) = (Configuration.threadCounts.lowerBound, Configuration.threadCounts.upperBound)
            throw KernelError.configuration("a thread count of \(count), expected \(least) to \(most)")
        }
        return try inScope({ $0.threadCount = count }, body)
    }

    /// Worker threads in force, the caller included.
    public static func threadCount() throws(KernelError) -> Int {
        if let count = Scope.current.threadCount { return count }
        return try Registry.shared().configuration.threadCount
    }

    /// That of the scope; nil for the process's.
    package static var precisionOfScope: Precision? { Scope.current.precision }

    /// Runs `body` in a scope's precision, nil for the process's.
    package static func inPrecision<R, E: Error>(ofScope precision: Precision?, _ body: () throws(E) -> R) throws(E) -> R {
        guard Scope.current.precision != precision else { return try body() }
        return try inScope({ $0.precision = precision }, body)
    }

    /// Whether ops record how to differentiate them.
    package static var recordsGradients: Bool { Scope.current.recordsGradients }

    package static func recordingGradients<R, E: Error>(_ isOn: Bool, _ body: () throws(E) -> R) throws(E) -> R {
        try inScope({ $0.recordsGradients = isOn }, body)
    }

    fileprivate static func inScope<R, E: Error>(
        _ change: (inout Scope) -> Void, _ body: () throws(E) -> R
    ) throws(E) -> R {
        var scope = Scope.current
        change(&scope)
        return try Scope.$current.binding(scope, body)
    }

    private static let processSelection = Lock<Registry.Selection?>(nil)

    fileprivate static func selected(_ registry: Registry) throws(KernelError) -> Registry.Selection {
        try processSelection.withLock { (selection) throws(KernelError) in
            if let selection { return selection }
            let made = try registry.selection(registry.configuration.backends)
            selection = made
            return made
        }
    }

    fileprivate static func select(_ selection: Registry.Selection) {
        processSelection.withLock { $0 = selection }
    }
}

extension Backend {
    /// Every backend that can be used here.
    public static var available: [Backend] {
        get throws(KernelError) { try Registry.shared().backends }
    }

    /// The backends that serve the current scope, in the order in which they are asked.
    public static var selected: [Backend] {
        get throws(KernelError) {
            if let selection = Scope.current.selection { return selection.backends }
            return try Kernels.selected(Registry.shared()).backends
        }
    }

    /// Selects the backends of the process, as `KANTO_BACKEND` does: a name, or names with commas between, or `auto`.
    ///
    /// - Throws: `KernelError.configuration` for an unknown name, with the valid ones and why a plugin did not load.
    public static func select(_ list: String) throws(KernelError) {
        Kernels.select(try Registry.shared().selection(Configuration.names(list)))
    }
}

/// Runs `body` with other backends, as `KANTO_BACKEND` names them.
///
/// - Throws: `KernelError.configuration` for an unknown name, and what `body` throws.
public func withBackend<R>(_ list: String, _ body: () throws -> R) throws -> R {
    let selection = try Registry.shared().selection(Configuration.names(list))
    return try Kernels.inScope({ $0.selection = selection }, body)
}

/// Runs `body` with products of float32 that are as exact as a precision asks for, as `KANTO_PRECISION` does.
///
/// Tensors stay float32, so gradients of any order, optimizers and checkpoints stay what they are. The gradient of what was
/// computed here, of any order, is computed in this precision wherever it is asked for.
public func withPrecision<R, E: Error>(_ precision: Precision, _ body: () throws(E) -> R) throws(E) -> R {
    try Kernels.inScope({ $0.precision = precision }, body)
}
