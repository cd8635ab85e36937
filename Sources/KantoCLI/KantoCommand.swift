import ArgumentParser
import Glibc
import KantoCommunication
import KantoKernels

@main
struct KantoTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kanto",
        abstract: "CPU kernels with plugin backends, and WGAN-GP on top of them.",
        discussion: """
            KANTO_BACKEND selects who computes: auto (default), simd, onednn, reference, a plugin's name, or a list such as \
            onednn,simd. KANTO_ISA (baseline, avx2, avx512) and KANTO_NUM_THREADS bound it. 'kanto backends' shows what is here.
            """,
        version: Kernels.version,
        subcommands: [
            TrainCommand.self, SampleCommand.self, EvaluateCommand.self, ReportCommand.self, MetricsCommand.self,
            BackendsCommand.self,
            ExplainCommand.self, PresetsCommand.self, BenchCommand.self, VerifyCommand.self, CheckCommand.self,
        ])

    static func main() {
        occupyStandardStreams()
        Diagnostics.setHandler { line in
            LiveLine.clear()
            sayOnStandardError(line)
        }
        do {
            let words = try argumentsAsText()
            try checkCommandName(in: words)
            var command = try parseAsRoot(words)
            try command.run()
        } catch {
            leave(with: error)
        }
    }
}

/// A subcommand whose errors become one line on standard error and the exit code of their kind.
protocol KantoCommand: ParsableCommand {
    /// What the command does, inside `Kernels.run`.
    mutating func execute() throws
}

extension KantoCommand {
    mutating func run() throws {
        try Self.reportingErrors {
            let registry = try Registry.shared()
            try registry.checkNamedPlugins()
            _ = try Backend.selected
            defer { registry.traceCacheStatistics() }
            try Kernels.run { try execute() }
        }
    }
}

extension ParsableCommand {
    /// Runs `body`; an error becomes one line on standard error and the exit code of its kind.
    static func reportingErrors<R>(_ body: () throws -> R) throws -> R {
        PluginCalls.reportCrashes()
        do {
            let result = try body()
            try flushOutput()
            try RankedProcess.close()
            return result
        } catch let error as ExitCode {
            try? RankedProcess.close()
            throw error
        } catch let error as RankError where error.isKnownToAll && error.rank > 0 {
            // Until the rank that says it ends this one.
            try? RankedProcess.close()
            throw ExitCode(Failure.broken)
        } catch {
            let (message, code) = Failure.line(for: error)
            printError("\(commandPath(of: Self.self)): \(RankedProcess.letFirstSpeak())\(message)")
            fflush(nil)
            RankedProcess.endOthers(exitCode: code)
            throw ExitCode(code)
        }
    }
}

/// Prints rows of cells under a header.
func printTable(_ header: [String], _ rows: [[String]]) {
    for line in tableLines([header] + rows) { print(line) }
}
