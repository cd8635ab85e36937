import Glibc

/// Chooses among backends by measured times, for `auto`: those that are kept on disk and, if it may, new ones.
///
/// What is measured are matmul and the convolutions; other ops go to `simd`.
final class Tuner: Sendable {
    /// Those that compete, in the order in which they are asked where there are no times.
    let candidates: [Backend]
    /// Whether what is missing is measured.
    let measures: Bool
    private let folder: String?
    private let table: Lock<TuningTable>

    /// - Parameter folder: where the times are kept; `nil` keeps them in memory alone.
    init(candidates: [Backend], measures: Bool, folder: String?) {
        self.candidates = candidates
        self.measures = measures
        self.folder = folder
        var table = TuningTable(environment: Tuner.environment(candidates))
        if let folder, let text = TuningTable.read(folder + "/" + table.fileName), let fault = table.merge(text) {
            Diagnostics.warnOnce("\(folder)/\(table.fileName) is passed over in part or whole: \(fault)", key: "tuning file")
        }
        self.table = Lock(table)
    }

    /// Whether a folder holds times of whatever environment: if not, no plugin need be opened to look for one's own.
    static func hasTimes(in folder: String) -> Bool {
        (namesInFolder(at: folder) ?? []).contains { $0.hasPrefix("tuning-") && $0.hasSuffix(".txt") }
    }

    /// What the times depend on, beside problem and threads.
    private static func environment(_ candidates: [Backend]) -> String {
        let backends = candidates.map { "\($0.name) (\($0.summary))" }
        let text = (["kanto \(Kernels.version)", Processor.name] + backends).joined(separator: "; ")
        return String(text.map { $0.isNewline ? " " : $0 })
    }

    /// The times of a problem, fastest first.
    func times(of problem: Problem, threadCount: Int) -> [TuningTable.Time]? {
        guard Self.isTuned(problem) else { return nil }
        return table.withLock { $0[key(problem, threadCount)] }
    }

    /// Backends in the order in which they are to be asked: by time, then those without one.
    func order(_ backends: [Backend], for problem: Problem, threadCount: Int) -> [Backend] {
        guard let times = times(of: problem, threadCount: threadCount) else {
            // Plugins compete by their times only.
            return backends.filter { $0.origin == .builtIn }
        }
        var measured = times.compactMap { time in backends.first { $0.name == time.backend } }
        // What is as fast up to the noise of a measurement stays with the first candidate: a change of backend for nothing
        // made the critic step on 28x28 images 3% slower.
        if let first = measured.first, let usual = candidates.first, first != usual,
            let time = times.first(where: { $0.backend == usual.name }), time.seconds <= times[0].seconds * Self.noise
        {
            measured.removeAll { $0 == usual }
            measured.insert(usual, at: 0)
        }
        return measured + backends.filter { !measured.contains($0) }
    }

    /// Times in this ratio are taken as equal.
    private static let noise = 1.03

    /// Measures a problem that has no times yet, in a turn, and keeps them.
    func measure(_ problem: Problem, host: Host, reference: Backend) throws(KernelError) {
        guard measures, Self.isTuned(problem), times(of: problem, threadCount: host.threadCount) == nil else { return }
        try Kernels.run { () throws(KernelError) in
            let key = key(problem, host.threadCount)
            let made = candidates.compactMap { backend in backend.kernel(for: problem, on: host) }
            // The algorithm that a backend chose is measured as its own.
            var kernels = made.filter { kernel in
                let chosen = made.first { $0.backend.name == kernel.backend.variantOf }
                return chosen?.description != kernel.description
            }
            kernels = kernels.filter { kernel in isRight(kernel.backend, problem, host, reference) }
            var timings: [Timings] = []
            repeat {
                // simd alone is taken without times. A plugin that alone is right is not: simd declines the problem.
                guard let first = kernels.first, kernels.count > 1 || first.backend.origin != .builtIn else { return }
                do throws(KernelError) {
                    timings = try Kernel.measure(kernels, seconds: 0.1)
                    // The noise of so short a time decides a close call: the wrong backend was chosen where it lost by 8%.
                    let medians = timings.map(\.median).sorted()
                    if medians.count > 1, medians[1] < medians[0] * 1.15 { timings = try Kernel.measure(kernels, seconds: 1) }
                } catch KernelError.failed(let name, _, let reason) {
                    // The others are measured without it.
                    warnOfDropped(name, problem, "it fails: \(reason)")
                    kernels.removeAll { $0.backend.name == name }
                    timings = []
                }
            } while timings.isEmpty
            let times = zip(kernels, timings).map { TuningTable.Time(backend: $0.backend.name, seconds: $1.median) }
            guard let folder else { return table.withLock { $0[key] = times } }
            let fault = TuningTable.withFolderLocked(folder) {
                let changed = table.withLock { table in
                    // Another process may have written since.
                    if let text = TuningTable.read(folder + "/" + table.fileName) { _ = table.merge(text) }
                    table[key] = times
                    return table
                }
                return changed.write(folder: folder)
            }
            if let fault { Diagnostics.warnOnce("measured times are not kept: \(fault)", key: "tuning folder") }
        }
    }

    /// Whether a backend computes a problem as the reference does, tried on few samples.
    private func isRight(_ backend: Backend, _ problem: Problem, _ host: Host, _ reference: Backend) -> Bool {
        var small = problem
        if problem.op != .matmul {
            // Samples enough for the algorithm that was timed: few positions have another.
            let geometry = Convolution2D(raw: problem.raw.convolution)
            let positions = max(1, geometry.outputHeight * geometry.outputWidth)
            small.raw.convolution.batch = min(small.raw.convolution.batch, Int64(1 + 512 / positions))
        }
        // Rows enough for the kernel that was timed: products of few rows have others.
        if small.op == .matmul { small.raw.matmul.m = min(24, small.raw.matmul.m) }
        guard let candidate = backend.kernel(for: small, on: host), let oracle = reference.kernel(for: small, on: host) else {
            return false
        }
        let fault: Double
        do {
            fault = try Kernel.relativeError(of: candidate, against: oracle)
        } catch KernelError.failed(_, _, let reason) {
            warnOfDropped(backend.name, problem, "it fails: \(reason)")
            return false
        } catch {
            warnOfDropped(backend.name, problem, "it cannot be checked: \(error)")
            return false
        }
        // The bound of a sum of so many products, as a whole.
        let output = (try? small.operands())?.first { $0.isOutput }
        let termCount = small.floatingPointOperations / 2 / Double(max(1, output?.shape.reduce(1, *) ?? 1))
        let allowance = problem.precision == .relaxed ? 16.0 : 1
        guard fault <= 4 * (termCount.squareRoot() + 1) * 0x1p-24 * allowance else {
            warnOfDropped(backend.name, problem, "it differs from the reference by \(fault) of the result")
            return false
        }
        return true
    }

    private func warnOfDropped(_ name: String, _ problem: Problem, _ reason: String) {
        Diagnostics.warnOnce("\(name) is not considered for \(problem): \(reason)", key: "tuner \(name)")
    }

    static func isTuned(_ problem: Problem) -> Bool {
        switch problem.op {
        case .matmul, .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient: true
        default: false
        }
    }

    private func key(_ problem: Problem, _ threadCount: Int) -> TuningTable.Key {
        TuningTable.Key(problem: problem.description, threadCount: threadCount)
    }
}
