import Glibc
import KantoABI
import KantoReference
import KantoSIMDAVX2
import KantoSIMDAVX512
import KantoSIMDBaseline
import KantoShims

/// Knows the backends, opens plugins when one is first needed, and finds the kernel for a problem.
public final class Registry: Sendable {
    /// What it was made with.
    public let configuration: Configuration

    /// A plugin that could not be used, for people.
    public struct PluginFailure: Sendable, Equatable {
        /// The library's file.
        public let path: String
        /// Why it was not opened, for people.
        public let reason: String
    }

    /// The ordered backends of one `KANTO_BACKEND` value.
    final class Selection: Sendable {
        let identifier: Int
        let names: [String]
        /// Those that were named come first; what they decline falls to the others.
        let backends: [Backend]
        let namedCount: Int
        /// Of `auto`, where it goes by measured times.
        let tuner: Tuner?
        init(identifier: Int, names: [String], backends: [Backend], namedCount: Int, tuner: Tuner?) {
            self.identifier = identifier
            self.names = names
            self.backends = backends
            self.namedCount = namedCount
            self.tuner = tuner
        }

        /// The backends in the order in which they are asked for a kernel.
        func order(for problem: Problem, threadCount: Int) -> [Backend] {
            tuner?.order(backends, for: problem, threadCount: threadCount) ?? backends
        }
    }

    private struct State {
        var selections: [Selection] = []
        var hosts: [HostKey: Host] = [:]
        var cache = KernelCache(capacity: 1024)
        var choices = KernelChoices()

        /// What is lent to the kernels of a selection: one set of workers, that of the first backend which offers some.
        mutating func host(for selection: Selection, threadCount: Int) -> Host {
            let owner = selection.backends.first { $0.table.pointee.parallel_for != nil }
            let key = HostKey(parallelFor: owner, threadCount: threadCount)
            if let host = hosts[key] { return host }
            let host = Host(threadCount: threadCount, parallelFor: owner?.table.pointee.parallel_for)
            hosts[key] = host
            return host
        }
    }
    private struct HostKey: Hashable { let parallelFor: Backend?; let threadCount: Int }

    /// Those that are always there; built-in names are reserved.
    private let builtIn: [Backend]
    /// Single algorithms of the SIMD backends' convolutions, which those choose among.
    private let algorithms: [Backend]
    private let plugins: Lock<PluginSet>
    private let state = Lock(State())

    private static let processWide = Result { () throws(KernelError) in
        let configuration = try Configuration(environment: processEnvironment(), isSetUserID: kanto_is_set_user_id())
        for warning in configuration.warnings { Diagnostics.warnOnce(warning, key: warning) }
        return Registry(configuration: configuration)
    }

    /// The registry of this process, configured by its environment.
    ///
    /// - Throws: `KernelError.configuration` if a `KANTO_…` variable is malformed.
    public static func shared() throws(KernelError) -> Registry { try processWide.get() }

    /// Looks for plugins where the configuration says; opens none.
    public init(configuration: Configuration) {
        self.configuration = configuration
        var builtIn: [Backend] = []
        var algorithms: [Backend] = []
        for instructionSet in InstructionSet.allCases where instructionSet.isSupported {
            let tables =
                switch instructionSet {
                case .baseline:
                    [
                        KantoSIMDBaseline.simdBackend, KantoSIMDBaseline.simdDirectBackend,
                        KantoSIMDBaseline.simdFilteredBackend,
                    ]
                case .avx2: [KantoSIMDAVX2.simdBackend, KantoSIMDAVX2.simdDirectBackend, KantoSIMDAVX2.simdFilteredBackend]
                case .avx512:
                    [KantoSIMDAVX512.simdBackend, KantoSIMDAVX512.simdDirectBackend, KantoSIMDAVX512.simdFilteredBackend]
                }
            let backend = Backend(table: tables[0](), origin: .builtIn)
            builtIn.append(backend)
            algorithms += tables.dropFirst().map { Backend(table: $0(), origin: .builtIn, variantOf: backend.name) }
        }
        builtIn.append(Backend(table: referenceBackend(), origin: .builtIn))
        self.builtIn = builtIn
        self.algorithms = algorithms
        plugins = Lock(
            PluginSet(
                paths: configuration.pluginPaths,
                reservedNames: Set((builtIn + algorithms).map(\.name) + ["auto"] + Registry.aliases),
                isTraced: configuration.verbosity >= 1))
    }

    // MARK: - Backends

    /// Every backend that can be used here: the built-in ones, the plugins, all of which this opens, and the single algorithms of
    /// the built-in ones.
    public var backends: [Backend] { builtIn + plugins.withLock { $0.opening() }.backends + algorithms }

    /// Names that stand for the variant of the best instruction set allowed.
    private static let aliases = ["simd", "simd-direct", "simd-filtered"]

    /// The plugins that were found and could not be used; this opens all.
    public var pluginFailures: [PluginFailure] { plugins.withLock { $0.opening() }.failures }

    /// The backend of a name; `simd`, `simd-direct` and `simd-filtered` are the variants for the best instruction set allowed. A
    /// plugin of that name is opened, no other.
    ///
    /// - Throws: `KernelError.plugin` if it cannot be opened, `KernelError.configuration` for an unknown name.
    public func backend(named name: String) throws(KernelError) -> Backend {
        let builtInName = Registry.aliases.contains(name) ? "simd-\(configuration.instructionSet)" + name.dropFirst(4) : name
        if let backend = (builtIn + algorithms).first(where: { $0.name == builtInName }) { return backend }
        let (closed, opened) = plugins.withLock { ($0.looked, $0.opening(name)) }
        if let backend = opened.backends.first(where: { $0.name == name }) { return backend }
        if closed.names.contains(name), let failure = opened.failures.first(where: { !closed.failures.contains($0) }) {
            throw KernelError.plugin(path: failure.path, reason: failure.reason)
        }

        let names = ["auto"] + Registry.aliases + (builtIn + algorithms).map(\.name) + opened.names
        var text = "unknown backend '\(name)'; "
        if let near = nearestName(to: name, among: names) { text += "did you mean '\(near)'? " }
        text += "available: " + names.joined(separator: ", ")
        for failure in opened.failures { text += "; plugin \(failure.path) did not load: \(failure.reason)" }
        for (plugin, way) in Registry.waysToGet where plugin == name { text += "; " + way }
        throw KernelError.configuration(text)
    }

    /// Whether the SIMD backend has an instruction for products of bfloat16 here.
    public var multipliesBfloat16: Bool { configuration.instructionSet == .avx512 && Processor.multipliesBfloat16 }

    /// Why products of bfloat16 take the SIMD backend longer than those of float32 here; nil where they are faster.
    public var reasonForSlowBfloat16: String? {
        if !Processor.multipliesBfloat16 { return "the processor has no instruction for it (AVX512_BF16)" }
        if !multipliesBfloat16 { return "KANTO_ISA forbids the instruction for it" }
        return Processor.isFastAtBfloat16
            ? nil : "the processor's instruction for it (AVX512_BF16) takes as long as four multiply-adds; relaxed may be faster"
    }

    /// Looks at the plugins that `KANTO_PLUGIN_PATH` names as files, so that a wrong name is told at the start. Opens none.
    ///
    /// - Throws: `KernelError.plugin`.
    public func checkNamedPlugins() throws(KernelError) {
        guard !configuration.pluginPaths.isEmpty else { return }
        let failures = plugins.withLock { $0.looked.failures }
        for path in configuration.pluginPaths {
            if let failure = failures.first(where: { $0.path == path }) {
                throw KernelError.plugin(path: path, reason: failure.reason)
            }
        }
    }

    // MARK: - Selection

    /// The ordered backends that serve a list of names.
    func selection(_ names: [String]) throws(KernelError) -> Selection {
        if let known = state.withLock({ $0.selections.first { $0.names == names } }) { return known }
        var backends: [Backend] = []
        func append(_ names: [String]) throws(KernelError) {
            for backend in try names.map(backend(named:)) where !backends.contains(backend) { backends.append(backend) }
        }
        try append(names == ["auto"] ? [] : names)
        let namedCount = backends.count
        try append(["simd", "reference"])
        let tuner = names == ["auto"] ? try makeTuner() : nil
        if let tuner { backends += tuner.candidates.filter { !backends.contains($0) } }
        return state.withLock { state in
            if let known = state.selections.first(where: { $0.names == names }) { return known }
            let selection = Selection(
                identifier: state.selections.count, names: names, backends: backends, namedCount: namedCount, tuner: tuner)
            state.selections.append(selection)
            return selection
        }
    }

    /// What `auto` goes by: nothing but the order of its backends where no times were measured and none may be.
    private func makeTuner() throws(KernelError) -> Tuner? {
        let folder = configuration.tuningFolder
        switch configuration.tuning {
        case .off: return nil
        case .cache: guard let folder, Tuner.hasTimes(in: folder) else { return nil }
        case .tune: break
        }
        return Tuner(
            candidates: try Registry.aliases.map(backend(named:)) + plugins.withLock { $0.opening() }.backends,
            measures: configuration.tuning == .tune, folder: folder)
    }

    // MARK: - Kernels

    /// The kernel for a problem, from the cache or newly made.
    func kernel(for problem: Problem, selection: Selection, threadCount: Int) throws(KernelError) -> Kernel {
        let key = KernelCache.Key(problem: problem, selection: selection.identifier, threadCount: threadCount)
        if let tuner = selection.tuner, tuner.measures {
            // Not under the lock, which a kernel of the thread whose turn it is may wait for.
            let host: Host? = state.withLock { state in
                state.cache.contains(key) || state.choices.order(for: problem) != nil
                    ? nil : state.host(for: selection, threadCount: threadCount)
            }
            if let host {
                try check(problem)
                try tuner.measure(problem, host: host, reference: backend(named: "reference"))
            }
        }
        var refusals: [(backend: Backend, reason: String)] = []
        var isNew = false
        // Made under the lock: concurrent misses make one kernel.
        let kernel: Kernel? = try state.withLock { (state) throws(KernelError) -> Kernel? in
            if let kernel = state.cache.find(key) { return kernel }
            try check(problem)
            let host = state.host(for: selection, threadCount: threadCount)
            let replayed = selection.names == ["auto"] ? state.choices.order(for: problem) : nil
            let order = replayed ?? selection.order(for: problem, threadCount: threadCount)
            for (index, backend) in order.enumerated() {
                guard let op = problem.op, let type = problem.elementType, backend.offers(op, type) else { continue }
                switch backend.make(problem, on: host) {
                case .kernel(let raw):
                    if selection.tuner != nil || replayed != nil { state.choices.note(backend, for: problem) }
                    let kernel = Kernel(
                        problem: problem, backend: backend, raw: raw, host: host, isTimed: configuration.verbosity >= 2)
                    state.cache.insert(kernel, for: key)
                    isNew = true
                    return kernel
                case .declined(let reason):
                    refusals.append((backend, reason))
                    if configuration.isStrict, index < selection.namedCount {
                        refusals[refusals.count - 1].reason += " (KANTO_STRICT=1: nobody else is asked)"
                        return nil
                    }
                }
            }
            return nil
        }
        guard let kernel else {
            throw KernelError.unserved(
                problem: problem.description, reasons: refusals.map { "\($0.backend.name): \($0.reason)" })
        }
        if isNew { report(kernel, selection, refusals) }
        return kernel
    }

    /// Which backend `auto` has chosen for each matmul and convolution that it went by times for, for a file.
    package var choices: String? { state.withLock { $0.choices.text } }

    /// From now on `auto` takes the backends that it chose once, whatever was measured since. To be called before a kernel is made.
    ///
    /// - Throws: `KernelError.configuration` if one of them is missing here.
    package func replay(_ choices: String) throws(KernelError) {
        guard configuration.backends == ["auto"] else { return }
        let reference = [try backend(named: "simd"), try backend(named: "reference")]
        var orders: [Problem: [Backend]] = [:]
        for (problem, name) in KernelChoices.entries(of: choices) {
            let chosen: Backend
            do throws(KernelError) { chosen = try backend(named: name) } catch {
                throw .configuration(
                    "\(name), which was chosen for \(problem) before, cannot be had: \(error); KANTO_BACKEND=simd goes on without it, "
                        + "with other bits")
            }
            orders[problem] = [chosen] + reference.filter { $0 != chosen }
        }
        state.withLock { $0.choices.replay(orders) }
    }

    /// Sizes that no memory holds, on which a backend's arithmetic might overflow.
    private func check(_ problem: Problem) throws(KernelError) {
        guard problem.op != nil, problem.elementType != nil, problem.outputElementType != nil else { return }
        do throws(KernelError) { _ = try problem.operands() } catch { throw .problem("\(problem): \(error)") }
    }

    private func report(_ kernel: Kernel, _ selection: Selection, _ refusals: [(backend: Backend, reason: String)]) {
        let problem = kernel.problem
        if configuration.verbosity >= 1 {
            let declined = refusals.map { "; \($0.backend.name) declined: \($0.reason)" }.joined()
            Diagnostics.trace("\(problem): made by \(kernel.backend.name) (\(kernel.description))\(declined)")
        }
        for refusal in refusals where selection.backends.prefix(selection.namedCount).contains(refusal.backend) {
            Diagnostics.warnOnce(
                "\(refusal.backend.name) declined \(problem): \(refusal.reason); \(kernel.backend.name) serves it",
                key: "\(refusal.backend.name) \(problem.raw.op) \(problem.raw.dtype) \(refusal.reason)")
        }
        if problem.precision == .bfloat16, kernel.backend.name.hasPrefix("simd-"), let reason = reasonForSlowBfloat16 {
            Diagnostics.warnOnce("bfloat16 is slower than float32 here: \(reason)", key: "slow bfloat16")
        }
    }

    /// What each backend of a selection says to a problem, and under `auto` each that is here: this opens all plugins then.
    /// Kernels are made and released; the cache keeps none.
    func explain(_ problem: Problem, selection: Selection, threadCount: Int) throws(KernelError) -> Explanation {
        try check(problem)
        let host = state.withLock { $0.host(for: selection, threadCount: threadCount) }
        func verdict(of backend: Backend) -> Explanation.Verdict {
            guard let op = problem.op, let type = problem.elementType, backend.offers(op, type) else { return .notOffered }
            switch backend.make(problem, on: host) {
            case .kernel(let raw):
                let kernel = Kernel(problem: problem, backend: backend, raw: raw, host: host, isTimed: false)
                return .makes(kernel: kernel.description, scratchByteCount: kernel.scratchByteCount)
            case .declined(let reason): return .declines(reason: reason)
            }
        }
        var answers: [Explanation.Answer] = []
        var server: Backend?, refuser: Backend?
        // Of single algorithms that nobody named, those of this op.
        let algorithms = algorithms.filter { $0.table.pointee.offers(problem.raw.op, problem.elementType ?? .float32) }
        for (index, backend) in selection.order(for: problem, threadCount: threadCount).enumerated()
        where backend.variantOf == nil || index < selection.namedCount || algorithms.contains(backend) {
            let answer = Explanation.Answer(backend: backend, verdict: verdict(of: backend))
            answers.append(answer)
            switch answer.verdict {
            case .notOffered: break
            case .makes: if server == nil, refuser == nil { server = backend }
            case .declines:
                let endsTheSearch = configuration.isStrict && index < selection.namedCount && server == nil
                if endsTheSearch, refuser == nil { refuser = backend }
            }
        }
        let asked = Set(answers.map(\.backend.name))
        let isAuto = selection.names == ["auto"]
        let plugins = plugins.withLock { isAuto ? $0.opening() : $0.looked }
        var bystanders: [Explanation.Bystander] = []
        for name in (builtIn + algorithms).map(\.name) + plugins.names where !asked.contains(name) {
            let plugin = isAuto ? plugins.backends.first { $0.name == name } : nil
            // One of those that the server chooses among.
            let algorithm = algorithms.first { $0.name == name && $0.variantOf == server?.name }
            let reason =
                if plugin != nil {
                    whyNotTimed(problem, selection)
                } else if let chooser = algorithm?.variantOf {
                    "\(chooser) chooses"
                } else if isAuto {
                    "auto takes \(try backend(named: "simd").name) of the kind"
                } else {
                    "\(selection.names.joined(separator: ",")) is selected"
                }
            bystanders.append(.init(name: name, reason: reason, verdict: (plugin ?? algorithm).map(verdict)))
        }
        let times = selection.tuner?.times(of: problem, threadCount: threadCount) ?? []
        return Explanation(
            problem: problem, answers: answers, bystanders: bystanders, server: server, refuser: refuser,
            times: Dictionary(times.map { ($0.backend, $0.seconds) }) { $1 })
    }

    /// Why `auto` does not ask a plugin for a problem.
    private func whyNotTimed(_ problem: Problem, _ selection: Selection) -> String {
        let rule = "auto asks plugins by measured times alone"
        if !Tuner.isTuned(problem) { return "\(rule), which it has of matmul and convolutions" }
        return switch configuration.tuning {
        case .off: "\(rule), and KANTO_TUNING=off forbids them"
        case .cache: "\(rule), and of this problem there are none (KANTO_TUNING=tune measures them)"
        case .tune: "\(rule), and of this problem there are none yet: they are measured when it is first run"
        }
    }

    /// Hits, misses and evictions of the cache of made kernels.
    public var cacheStatistics: (hits: Int, misses: Int, evictions: Int) {
        state.withLock { ($0.cache.statistics.hits, $0.cache.statistics.misses, $0.cache.statistics.evictions) }
    }

    /// Says them, with `KANTO_VERBOSE`.
    public func traceCacheStatistics() {
        guard configuration.verbosity >= 1 else { return }
        let (hits, misses, evictions) = cacheStatistics
        Diagnostics.trace("cache of kernels: \(hits) hits, \(misses) misses, \(evictions) evictions")
    }
}

/// The environment of the process.
func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
        entry += 1
    }
    return result
}
