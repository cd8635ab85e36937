import ArgumentParser
import Glibc
import Kanto

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
            TrainCommand.self, SampleCommand.self, BackendsCommand.self, ExplainCommand.self, PresetsCommand.self,
            BenchCommand.self, VerifyCommand.self, CheckCommand.self,
        ])
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
            return result
        } catch let error as ExitCode {
            throw error
        } catch {
            let (message, code) = Failure.line(for: error)
            printError("kanto \(_commandName): \(message)")
            throw ExitCode(code)
        }
    }
}

/// Something that a user can mend, with the exit code of its kind.
struct Failure: Error {
    let message: String
    let code: Int32

    static let usage = EX_USAGE
    static let badInput = EX_DATAERR
    static let missingInput = EX_NOINPUT
    static let broken = EX_SOFTWARE
    /// The system refuses memory, threads or descriptors.
    static let refused = EX_OSERR
    static let cannotWrite = EX_CANTCREAT

    static func usage(_ message: String) -> Failure { Failure(message: message, code: usage) }

    static func line(for error: any Error) -> (message: String, code: Int32) {
        switch error {
        case let error as Failure: return (error.message, error.code)
        case let error as DataError:
            switch error.kind {
            case .badInput: return (error.description, badInput)
            case .missingInput: return (error.description, missingInput)
            case .cannotWrite: return (error.description, cannotWrite)
            }
        case let error as KernelError:
            switch error {
            case .configuration, .problem: return (error.description, usage)
            case .plugin(_, "no such file"): return (error.description, missingInput)
            case .plugin: return (error.description, badInput)
            case .memory: return (error.description, refused)
            case .unserved, .failed: return (error.description, broken)
            }
        case let error as TensorError: return (error.description, badInput)
        default: return ("\(error)", broken)
        }
    }
}

/// Writes out what was printed.
///
/// - Throws: `Failure` if it cannot be written, to a full disk say: then figures are lost that may have taken hours.
func flushOutput() throws {
    guard fflush(nil) == 0 else {
        throw Failure(message: "standard output cannot be written: \(String(cString: strerror(errno)))", code: Failure.cannotWrite)
    }
}

/// Prints rows of cells under a header.
func printTable(_ header: [String], _ rows: [[String]]) {
    for line in tableLines([header] + rows) { print(line) }
}

func printError(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
