// `stdout` is a variable of C, which this module never sets.
@preconcurrency import Glibc
import KantoKernels

/// Gives the standard streams that are closed to `/dev/null`: otherwise the next file that is opened takes their numbers, and
/// what is printed goes into it. It is opened for reading alone, so that printing fails as on a closed stream.
func occupyStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
        // The lowest number that is free, which is this one. A folder may be opened where there is no /dev.
        guard open("/dev/null", O_RDONLY) == descriptor || open("/", O_RDONLY | O_DIRECTORY) == descriptor else { exit(EX_OSERR) }
    }
}

/// Writes out what was printed.
///
/// - Throws: `Failure` if it, or what was printed earlier, cannot be written, to a full disk say: then figures are lost that
///   may have taken hours.
func flushOutput() throws {
    let isFlushed = fflush(stdout) == 0
    let reason = isFlushed ? "part of it is lost" : String(cString: strerror(errno))
    // What a flush could not write is gone; the next one succeeds.
    guard isFlushed, ferror(stdout) == 0 else {
        throw Failure(message: "standard output cannot be written: \(reason)", code: Failure.cannotWrite)
    }
}

/// A word as a shell takes it: in quotes where it would otherwise be more than one, or something else.
func quotedForShell(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
        let character = Character(Unicode.Scalar(byte))
        return character.isLetter || character.isNumber || "/._-+,:=@%".contains(character)
    }
    return plain && !word.isEmpty
        ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
}

/// Says a line on standard error, behind what was printed.
func printError(_ line: String) {
    LiveLine.clear()
    sayOnStandardError(printable(line))
}
