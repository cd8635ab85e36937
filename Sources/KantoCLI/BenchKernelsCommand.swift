import ArgumentParser
import Glibc
import KantoData
import KantoKernels
import KantoWorkloads

struct BenchKernelsCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Measure the kernels of all backends side by side.",
        discussion: """
            Backends are measured in turn, with the machine's limits in the same turns, so that its noise hits all alike; times are \
            medians, limits the best of all turns. The share is that of the multiply-add limit, which multiply-adds in registers \
            alone reach on the same threads, or, of what memory bounds, that of the rate at which large arrays are moved; what is \
            faster because a cache holds it is 'in cache'. Taps of a convolution that fall into the padding are counted in \
            GFLOP/s, not in shares. A share over 105% means that other work had the machine while its limit was measured: then \
            no limit and no share are shown.

            kanto bench gemm mnist
            kanto bench "matmul m512 n512 k512" --threads 1,2 --backend simd,onednn
            kanto bench convolutions --relative-to onednn --plot convolutions.png

            Presets: \(BenchmarkPreset.all.map { "\($0.name) (\($0.summary))" }.joined(separator: "; ")).
            """)

    @Argument(help: ArgumentHelp("Presets and problems, each problem in quotes.", valueName: "problem"))
    var problems: [String]

    @Option(
        help: ArgumentHelp(
            "Backends with commas between, auto for the one that it chooses; all but reference by default.", valueName: "names"))
    var backend: String?

    @Option(help: ArgumentHelp("Numbers of worker threads with commas between.", valueName: "counts"))
    var threads: String?

    @Option(
        help: ArgumentHelp(
            """
            Precisions with commas between, of \(Precision.allCases.map(\.description).joined(separator: ", ")): matmuls and \
            convolutions are measured in each, side by side. (default: as the problem says)
            """, valueName: "names"))
    var precision: String?

    @Option(help: ArgumentHelp("Show ratios to this backend's time.", valueName: "name"))
    var relativeTo: String?

    @Option(help: "Seconds a problem.")
    var seconds = 1.0

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Comma-separated values.")
    var csv = false

    @Option(
        help: ArgumentHelp("Draw bars under the limit, and a roofline beside FILE as FILE-roofline.png.", valueName: "FILE.png"))
    var plot: String?

    mutating func execute() throws {
        if json && csv { throw Failure.usage("--json or --csv, not both") }
        try Failure.requirePositive(seconds: seconds)
        if let plot, !plot.hasSuffix(".png") {
            throw Failure.usage("--plot \(plot): expected a file name that ends with .png")
        }
        if let plot { try PNG.requireAvailable(for: plot) }
        let chosen = try problems.flatMap(Self.problems)
        let names = try backendNames()
        let precisions = try chosenPrecisions()
        let baseline = try relativeTo.map(Self.backendName)
        if let baseline, !names.contains(baseline) { throw Failure.usage("--relative-to \(baseline): it is not measured") }
        var rows: [BenchRow] = []
        if csv { print(BenchRow.csvHeader) }
        for problem in chosen {
            for count in try threadCounts() {
                let measured = try Kernels.withThreadCount(count) { try measure(problem, precisions, names, threadCount: count) }
                try show(measured, relativeTo: baseline)
                rows += measured
            }
        }
        if let plot {
            guard rows.contains(where: { $0.timings != nil }) else {
                throw Failure.usage("--plot \(plot): no kernel was measured")
            }
            guard rows.contains(where: { $0.timings != nil && !$0.isBusy }) else {
                return printError("kanto bench: \(plot) is not drawn: the machine was busy, and its limits are not known")
            }
            try BenchPlot(rows).write(to: plot)
        }
    }

    private static func problems(_ text: String) throws -> [Problem] {
        if let preset = BenchmarkPreset.all.first(where: { $0.name == text }) { return preset.problems }
        guard text.contains(" ") else {
            throw Failure.usage(
                unknownName("there is no preset", text, plural: "presets", known: BenchmarkPreset.all.map(\.name))
                    + ", and a problem is a line such as \"matmul m512 n512 k512\"")
        }
        return [try Problem(parsing: text)]
    }

    private func backendNames() throws -> [String] {
        let registry = try Registry.shared()
        guard let backend else { return try defaultBackends(registry) }
        var names: [String] = []
        for known in try backend.split(separator: ",").map({ try Self.backendName(String($0)) }) where !names.contains(known) {
            names.append(known)
        }
        guard !names.isEmpty else { throw Failure.usage("--backend '\(backend)': expected names with commas between") }
        return names
    }

    /// All but the reference; of single algorithms, those that `simd` chooses among.
    private func defaultBackends(_ registry: Registry) throws -> [String] {
        let simd = try registry.backend(named: "simd").name
        return registry.backends.filter { $0.name != "reference" && ($0.variantOf ?? simd) == simd }.map(\.name)
    }

    /// The name under which a backend is measured: its own, or `auto`.
    private static func backendName(_ name: String) throws -> String {
        name == "auto" ? name : try Registry.shared().backend(named: name).name
    }

    private func threadCounts() throws -> [Int] {
        guard let threads else { return [try Kernels.threadCount()] }
        let counts = threads.split(separator: ",").map { Int($0) ?? 0 }
        guard !counts.isEmpty, counts.allSatisfy({ (1...1024).contains($0) }) else {
            throw Failure.usage("--threads '\(threads)': expected numbers from 1 to 1024 with commas between")
        }
        return counts
    }

    private func chosenPrecisions() throws -> [Precision] {
        try (precision?.split(separator: ",") ?? []).map { name in
            if let precision = Precision(argument: String(name)) { return precision }
            throw Failure.usage(
                "--precision: "
                    + unknownName("there is no precision", String(name), plural: "precisions", known: Precision.allValueStrings))
        }
    }

    private func measure(
        _ problem: Problem, _ precisions: [Precision], _ names: [String], threadCount: Int
    ) throws -> [BenchRow] {
        // Every list names all backends, so that the worker threads are the same ones throughout. Those of another set would
        // still spin for a while after their last kernel, and take a core from the next one: on two cores the limit read half.
        // For the same reason it is the backend of auto's choice that makes the kernel of auto.
        let servers = try names.map { name in
            name == "auto" ? try withBackend(name) { try Kernels.kernel(for: problem).backend.name } : name
        }
        func list(startingWith first: String) -> String {
            ([first] + servers.filter { $0 != first }).joined(separator: ",")
        }
        var kernels: [Kernel] = []
        var rows: [BenchRow] = []
        let hasPrecision = problem.op?.isProduct == true && problem.elementType == .float32
        let variants = precisions.isEmpty || !hasPrecision ? [problem] : precisions.map { problem.with($0) }
        for (index, server) in servers.enumerated() {
            for problem in variants {
                try withBackend(list(startingWith: server)) {
                    var row = BenchRow(problem: problem, backend: names[index], threadCount: threadCount)
                    guard let answer = try Kernels.explain(problem).answers.first else { return }
                    switch answer.verdict {
                    case .notOffered: return
                    case .declines(let reason): row.refusal = reason
                    case .makes(let description, _):
                        row.kernel = names[index] == "auto" ? "\(server): \(description)" : description
                        kernels.append(try Kernels.kernel(for: problem))
                    }
                    rows.append(row)
                }
            }
        }
        guard !rows.isEmpty else {
            throw Failure.usage("none of \(names.joined(separator: ", ")) offers \(problem)")
        }
        let measuredPrecisions = Set(rows.map(\.limitingPrecision))
        var multiplyAdds = Dictionary(uniqueKeysWithValues: measuredPrecisions.map { ($0, Timings()) }), memory = Timings()
        func measureLimits(memoryCount: Int) throws(KernelError) {
            for precision in measuredPrecisions {
                multiplyAdds[precision]!.append(try MachineLimit.multiplyAddRate(of: precision))
            }
            if memory.count < memoryCount { memory.append(try MachineLimit.memoryRate()) }
        }
        // The limit of memory is what simd reaches, whoever is measured, on the workers of all.
        let simd = try Registry.shared().backend(named: "simd").name
        let timings = try withBackend(list(startingWith: simd)) {
            try Kernel.measure(kernels, seconds: seconds) { () throws(KernelError) in try measureLimits(memoryCount: 3) }
        }
        var measured = timings.makeIterator()
        for index in rows.indices where rows[index].refusal == nil { rows[index].timings = measured.next() }
        func setLimits() {
            for index in rows.indices {
                let rates = multiplyAdds[rows[index].limitingPrecision]!
                (rows[index].multiplyAddLimit, rows[index].memoryLimit) = (rates.maximum, memory.maximum)
                rows[index].availability = rates.median / rates.maximum
            }
        }
        setLimits()
        // On a busy machine some more turns may find it free.
        for _ in 0..<20 where rows.contains(where: \.isImplausible) {
            try withBackend(list(startingWith: simd)) { try measureLimits(memoryCount: 6) }
            setLimits()
        }
        let isBusy = rows.contains(where: \.isImplausible)
        for index in rows.indices { rows[index].isBusy = isBusy }
        return rows
    }

    private func show(_ rows: [BenchRow], relativeTo baseline: String?) throws {
        let base = baseline.flatMap { name in rows.first { $0.backend == name }?.timings?.median }
        if json || csv {
            for row in rows { print(json ? row.jsonLine(relativeTo: base) : row.csvLine(relativeTo: base)) }
        } else if let first = rows.first {
            // A row of each limit.
            var limits: [String] = []
            for text in rows.compactMap(\.limitText) where !limits.contains(text) { limits.append(text) }
            let limit = limits.isEmpty ? "" : ", limit " + limits.joined(separator: ", ")
            print("\(first.problem), \(first.threadCount) thread\(first.threadCount == 1 ? "" : "s")\(limit)")
            let cells = rows.map { row in row.cells(relativeTo: base) }
            for line in tableLines(cells) { print("  " + line) }
            print("")
        }
        try flushOutput()
    }
}
