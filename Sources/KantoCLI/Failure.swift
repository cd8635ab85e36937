import Glibc
import Kanto
import KantoCommunication

/// Something that a user can mend, with the exit code of its kind.
struct Failure: Error {
    let message: String
    let code: Int32

    static let usage = EX_USAGE
    static let badInput = EX_DATAERR
    static let missingInput = EX_NOINPUT
    static let broken = EX_SOFTWARE
    static let refused = EX_OSERR
    static let cannotWrite = EX_CANTCREAT

    static func usage(_ message: String) -> Failure { Failure(message: message, code: usage) }

    /// What every command that measures asks of its `--seconds`.
    static func requirePositive(seconds: Double) throws(Failure) {
        guard seconds > 0 else { throw usage("--seconds \(seconds): expected a positive number") }
    }

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
        case let error as RankError: return (error.description, broken)
        case let error as TrainingFailure: return (error.description, broken)
        default: return ("\(error)", broken)
        }
    }
}
