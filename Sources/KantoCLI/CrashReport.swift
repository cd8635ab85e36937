import Glibc
import KantoKernels

/// Says on standard error what was being done when a signal ends the process: code of a plugin may do that.
enum CrashReport {
    private static let capacity = 1024
    nonisolated(unsafe) private static let text = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    nonisolated(unsafe) private static var length = 0

    /// The line that is written in case of a crash.
    static func describe(_ line: String) {
        // Never a line half replaced.
        length = 0
        var count = 0
        for byte in printable(line).utf8.prefix(capacity - 1) {
            text[count] = byte
            count += 1
        }
        text[count] = UInt8(ascii: "\n")
        length = count + 1
    }

    static func install() {
        describe("")
        // Calls only what a signal handler may. The signal then does what it would have done.
        let handler: @convention(c) (Int32) -> Void = { number in
            _ = write(STDERR_FILENO, CrashReport.text, CrashReport.length)
            _ = signal(number, SIG_DFL)
            raise(number)
        }
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT] { _ = signal(number, handler) }
    }
}
