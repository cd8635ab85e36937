import ArgumentParser
import Glibc
import Kanto
import KantoCommunication
import KantoKernels
import KantoPictures
import KantoReport

struct TrainCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a WGAN-GP.",
        discussion: """
            With nothing more it trains on the digits that ship with Kanto. The run's folder receives config.json, metrics.jsonl, \
            samples/*.png, checkpoints/*.safetensors and report.html, a page to open in a browser, also while the run goes on. \
            'kanto presets' lists the presets.

            Good signs: the Wasserstein estimate rises fast and then falls slowly towards 0, and the mean gradient norm stays near 1. \
            At each sample interval a verdict says what becomes of it, where that has changed, and at the end: improving, flat since \
            an iteration, the critic off its target or overfitting (with --set data.held_out=0.1), and so on.
            """)

    @Argument(
        help: ArgumentHelp("A preset, or a config.json of an earlier run.", valueName: "preset|config.json"),
        completion: .custom { _, _, _ in Preset.all.map(\.name) })
    var setup: String?

    @Option(
        help: ArgumentHelp(
            "The data, in place of the preset's: MNIST and its like, CIFAR, a folder of pictures, .npy, .npz, CSV, or ring8, grid25, swissroll.",
            valueName: "path"), completion: .file())
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Networks made for the data's shape, in place of the preset's: mlp, conv or resnet; --set architecture.width for other widths.",
            valueName: "architecture"), completion: .custom { _, _, _ in ArchitectureKinds.kinds.map { $0.name } })
    var networks: String?

    @Option(
        help: ArgumentHelp("The run's folder, new or empty. (default: runs/<preset>-<number>)", valueName: "dir"),
        completion: .directory)
    var out: String?

    @Option(help: "Iterations: critic steps, then a generator step.")
    var iterations: Int?

    @Option(help: "Seed of the weights, the noise and the order of the data.")
    var seed: UInt64?

    @OptionGroup var criticStep: CriticStepOption

    @OptionGroup var precision: PrecisionOption

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Another number, by its name in config.json.", valueName: "key=value"),
        completion: .custom { _, _, _ in keyPaths(Preset.digits.configuration.described(isWhole: true)).map { $0 + "=" } })
    var settings: [String] = []

    @Option(
        help: ArgumentHelp(
            "When the run ends before its last iteration: never, or flat, when the verdict has been that for a while. (default: never)",
            valueName: "verdict"), completion: .list(StopCondition.allCases.map(\.rawValue)))
    var stopWhen: String?

    @Flag(name: .customLong("tensorboard"), help: "Write events for TensorBoard into the run's folder.")
    var tensorBoard = false

    @Option(
        help: ArgumentHelp("Go on with a run that was ended or killed, from its last checkpoint.", valueName: "run"),
        completion: .directory)
    var resume: String?

    /// The dotted paths of a configuration's numbers, for completions; those of the networks are no numbers to be set.
    private static func keyPaths(_ value: DescriptionValue, below path: String = "") -> [String] {
        guard case .object(let members) = value else { return [path] }
        return members.keys.sorted().filter { !path.isEmpty || !["networks", "preset", "machine"].contains($0) }.flatMap {
            keyPaths(members[$0]!, below: path.isEmpty ? $0 : "\(path).\($0)")
        }
    }

    private static let standardPreset = "digits"

    mutating func execute() throws {
        let communicator = try RankedProcess.join()
        let run = try resume.map { try resumedRun($0) } ?? makeRun(runConfiguration())
        let (configuration, folder) = (run.configuration, run.folder)
        let events = configuration.tensorBoard && run.isFirst ? try TensorBoardLog(of: run) : nil
        if !PNG.isAvailable {
            Diagnostics.warnOnce("the run is trained without pictures: \(PNG.wayToGet)", key: "no libpng")
        }
        let report = LiveReport(of: run)
        run.onSnapshot = { snapshot in
            if PNG.isAvailable {
                try snapshot.drawPictures()
                try events?.add(snapshot)
            }
            try report.write(snapshot)
        }
        Interruption.catchSignals()

        let training = configuration.training
        var progress = ProgressLine(
            after: run.trainer.iteration, total: training.iterations,
            samplesPerIteration: training.batchSize * (training.criticSteps + 1))
        let threads = try Kernels.threadCount()
        var place = "\(try Backend.selected[0].name), \(threads) thread\(threads == 1 ? "" : "s")"
        if let communicator { place += " on each of \(communicator.rankCount) ranks (\(communicator.description))" }
        if resume == nil {
            print(
                "training \(configuration.preset ?? setup ?? "\(configuration.networks.sampleShape) samples") on \(place), into \(folder)"
            )
        } else {
            print("going on with \(folder) on \(place), after iteration \(run.trainer.iteration)")
        }
        let penalty = training.regularizer.regularizer.formula(weight: training.regularizer.weight)
        print("penalty \(penalty), \(run.trainer.criticStepMethod.rawValue) critic step")
        var verdicts = VerdictLines(run)
        while !run.isDone {
            let metrics: IterationMetrics
            do { metrics = try Self.namingCheckpoint(of: run) { try run.step() } } catch let failure as TrainingFailure {
                // The page shows what it came to; what is wrong is told all the same where it cannot be written.
                if run.isFirst { try? report.writeFailed() }
                throw failure
            }
            try events?.add(metrics)
            progress.show(metrics)
            // The last one is said below.
            if run.isFirst, metrics.iteration % configuration.sampleInterval == 0, !run.isDone { verdicts.show(run) }
            let signal = try Self.namingCheckpoint(of: run) { try run.agreed(Interruption.signal) }
            if let signal { throw try interrupted(run, by: signal) }
        }
        LiveLine.end()
        try run.writeSnapshot("final")
        guard run.isFirst else { return }
        if run.trainer.iteration < training.iterations {
            print(
                "stopped after iteration \(run.trainer.iteration) of \(training.iterations), by stop_when; go on with: kanto train "
                    + "--resume \(quotedForShell(folder)) --stop-when never")
        }
        print(VerdictLines.text(run.verdict))
        let pictures = PNG.isAvailable ? "samples/final.png, " : ""
        print("wrote \(folder)/\(pictures)checkpoints/final.safetensors and \(LiveReport.fileName), to be opened in a browser")
    }

    /// Has the error of a rank that does not answer tell how to go on.
    private static func namingCheckpoint<R>(of run: Run, _ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as RankError where !error.isKnownToAll || error.rank == 0 {
            let way =
                run.lastCheckpoint.map {
                    "the last checkpoint is \($0); go on, with any number of ranks: kanto train --resume \(quotedForShell(run.folder))"
                } ?? "there is no checkpoint yet"
            throw Failure(message: "\(error), in iteration \(run.trainer.iteration + 1); \(way)", code: Failure.broken)
        }
    }

    /// Saves what there is; the lines go where somebody may still read them.
    private func interrupted(_ run: Run, by signal: Int32) throws -> ExitCode {
        LiveLine.end()
        try run.writeSnapshot("interrupted")
        guard run.isFirst else { return ExitCode(Interruption.exitCode(signal)) }
        if signal != SIGPIPE { print(VerdictLines.text(run.verdict)) }
        let line =
            "interrupted after iteration \(run.trainer.iteration); wrote \(run.lastCheckpoint!); go on with: "
            + "kanto train --resume \(quotedForShell(run.folder))"
        if signal == SIGPIPE { printError(line) } else { print(line) }
        return ExitCode(Interruption.exitCode(signal))
    }

    private func resumedRun(_ folder: String) throws -> Run {
        let others: [(String, Bool)] = [
            ("a preset or a configuration", setup != nil), ("--data", data != nil), ("--networks", networks != nil),
            ("--out", out != nil), ("--seed", seed != nil),
            ("--set", !settings.isEmpty), ("--tensorboard", tensorBoard), ("--critic-step", criticStep.method != nil),
            ("--precision", precision.precision != nil),
        ]
        if let (other, _) = others.first(where: \.1) {
            throw Failure.usage(
                "--resume goes on with the run's own configuration; \(other) cannot stand beside it, --iterations and --stop-when can"
            )
        }
        try checkRun(folder)
        let condition: StopCondition?
        do throws(DescriptionError) { condition = try StopCondition?(stopWhen.map { .word($0) } ?? .null) } catch {
            throw Failure.usage("stop_when: \(error)")
        }
        return try Run(resuming: folder, iterations: iterations, stopWhen: condition, note: warn)
    }

    private func warn(_ line: String) { Diagnostics.warnOnce(line, key: line) }

    private func makeRun(_ configuration: RunConfiguration) throws -> Run {
        if let out {
            // Asked where the folder is chosen, by the first rank: another may look when the first has begun to write.
            return try Run(configuration, note: warn) {
                guard !holdsRun(out) else {
                    throw Failure(
                        message: "\(out): holds a run already; expected a new or empty folder; to go on with that run: "
                            + "kanto train --resume \(quotedForShell(out))", code: Failure.cannotWrite)
                }
                return out
            }
        }
        var made: String?
        do {
            return try Run(configuration, note: warn) {
                let folder = try Self.newFolder(for: configuration.preset ?? "run")
                made = folder
                return folder
            }
        } catch {
            // Nothing stays of a run that did not begin; a folder that holds anything does.
            if let made { rmdir(made) }
            throw error
        }
    }

    /// What the command line says, on top of a file or a preset.
    private func runConfiguration() throws -> RunConfiguration {
        let isFile = setup?.hasSuffix(".json") ?? false
        // Networks made for the data need nothing of a preset.
        let preset = setup ?? (networks == nil ? Self.standardPreset : nil)
        let value = isFile ? try DescriptionValue(contentsOf: setup!) : .object(preset.map { ["preset": .text($0)] } ?? [:])
        // Alone first, so that what is wrong with a file is not put down to the command line.
        if isFile {
            do throws(DescriptionError) { _ = try RunConfiguration(completing: value) } catch {
                throw DataError(.badInput, "\(setup!): \(error)")
            }
        }
        var words: [(path: String, value: DescriptionValue)] = []
        if let data { words.append(("data.path", .text(data))) }
        if let networks { words.append(("architecture.name", .text(networks))) }
        if let iterations { words.append(("iterations", .integer(Int128(iterations)))) }
        if let seed { words.append(("seed", .integer(Int128(seed)))) }
        if tensorBoard { words.append(("tensorboard", .boolean(true))) }
        if let stopWhen { words.append(("stop_when", .word(stopWhen))) }
        if let method = criticStep.method { words.append(("critic_step", method.descriptionValue)) }
        if let precision = precision.precision { words.append(("precision", precision.descriptionValue)) }
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw Failure.usage("--set \(setting): expected key=value") }
            words.append((parts[0], .word(parts[1])))
        }
        do throws(DescriptionError) {
            var configuration = try RunConfiguration(completing: value, setting: words)
            configuration.machine = try? MachineDescription.measured(Registry.shared().configuration)
            return configuration
        } catch {
            throw Failure.usage(error.description)
        }
    }

    /// Makes the first folder of the preset that is not there: of several processes each gets one of its own.
    private static func newFolder(for preset: String) throws -> String {
        try createDirectories("runs")
        var number = 1
        while mkdir("runs/\(preset)-\(number)", 0o777) != 0 {
            guard errno == EEXIST else {
                throw Failure(
                    message: "runs/\(preset)-\(number): the folder cannot be made: \(String(cString: strerror(errno)))",
                    code: Failure.cannotWrite)
            }
            number += 1
        }
        return "runs/\(preset)-\(number)"
    }
}

/// Says a run's verdict where it has changed.
struct VerdictLines {
    private var last: String?

    /// - Parameter run: what is to be said of it now was said when it was left.
    init(_ run: Run) { last = run.history.isEmpty ? nil : run.verdict.kind.name }

    mutating func show(_ run: Run) {
        let verdict = run.verdict
        guard verdict.kind != .tooEarly, verdict.kind.name != last else { return }
        last = verdict.kind.name
        LiveLine.clear()
        print("iteration \(run.trainer.iteration), " + Self.text(verdict))
    }

    /// `verdict: Improving. The Wasserstein estimate fell by 12% …`
    static func text(_ verdict: Verdict) -> String { "verdict: \(verdict.headline). \(verdict.evidence)" }
}

/// One live line on a terminal; elsewhere a plain line now and then.
struct ProgressLine {
    private let first: Int
    private let total: Int
    private let samplesPerIteration: Int
    private var recent: RecentRate
    private var lastShown = -Double.infinity

    /// - Parameter iteration: that the process begins after.
    init(after iteration: Int = 0, total: Int, samplesPerIteration: Int) {
        first = iteration
        recent = RecentRate(count: iteration, seconds: monotonicSeconds())
        self.total = total
        self.samplesPerIteration = samplesPerIteration
    }

    mutating func show(_ metrics: IterationMetrics) {
        let now = monotonicSeconds()
        let width = terminalWidth()
        guard metrics.iteration == total || metrics.iteration == first + 1 || now - lastShown >= (width == nil ? 5 : 0.1) else {
            return
        }
        lastShown = now
        let text = text(metrics, iterationsPerSecond: recent.rate(count: metrics.iteration, seconds: now), width: width)
        if width == nil {
            print(text)
            fflush(nil)
        } else {
            LiveLine.show(text)
        }
    }

    /// What fits a terminal of so many columns, or all; it never reaches the last column, behind which a terminal would go on
    /// in the next line.
    func text(_ metrics: IterationMetrics, iterationsPerSecond rate: Double, width: Int?) -> String {
        let fields = [
            ("iteration \(metrics.iteration)/\(total)", 0),
            ("critic loss \(fixed(metrics.criticLoss, 3))", 5),
            ("Wasserstein \(fixed(metrics.wassersteinEstimate, 3))", 2),
            ("penalty \(fixed(metrics.penalty, 4))", 4),
            ("gradient norm \(fixed(metrics.meanGradientNorm, 3))", 3),
            ("\(whole(rate * Double(samplesPerIteration))) samples/s", 6),
            ("\(clock(Double(total - metrics.iteration) / rate)) left", 1),
        ]
        let line = fittingLine(fields.map { (text: $0.0, rank: $0.1) }, width: width.map { $0 - 1 } ?? .max)
        return width.map { withBar(line, share: Double(metrics.iteration) / Double(total), width: $0 - 1) } ?? line
    }

    /// A bar of what is done takes the room that is left behind the line, if it is enough to show anything.
    private func withBar(_ line: String, share: Double, width: Int) -> String {
        let room = min(20, width - line.count - "  []".count)
        guard room >= 4 else { return line }
        let done = Int(Double(room) * min(1, share))
        return line + "  [" + String(repeating: "=", count: done) + String(repeating: " ", count: room - done) + "]"
    }

    /// 1:05 for minutes, 2:01:05 for hours, then days.
    private func clock(_ seconds: Double) -> String {
        let whole = whole(seconds)
        guard whole < 48 * 3600 else { return "\(whole / 86_400) days" }
        return KantoKernels.clock(whole)
    }

    private func whole(_ number: Double) -> Int { number.isNaN ? 0 : Int(min(max(0, number.rounded()), 999_999_999)) }
}

/// How fast a count has grown of late: over the last minute or two, so that a pause, or a machine that was busy for a while, is
/// forgotten.
struct RecentRate {
    private static let window = 60.0
    private var mark: (count: Int, seconds: Double)
    private var nextMark: (count: Int, seconds: Double)

    init(count: Int, seconds: Double) {
        mark = (count, seconds)
        nextMark = mark
    }

    /// Per second.
    mutating func rate(count: Int, seconds: Double) -> Double {
        let rate = Double(count - mark.count) / (seconds - mark.seconds)
        if seconds - nextMark.seconds >= Self.window { (mark, nextMark) = (nextMark, (count, seconds)) }
        return rate
    }
}
