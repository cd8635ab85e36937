import Glibc
import KantoKernels
import Synchronization

/// The line on a terminal that is drawn anew while something goes on. What else is printed takes its place.
enum LiveLine {
    private static let isOpen = Atomic<Bool>(false)

    /// Draws the line, which must fit the terminal.
    static func show(_ text: String) {
        // Cleared before it is drawn: behind a line as wide as the terminal, clearing would take its last character.
        write("\r\u{1B}[K" + text)
        isOpen.store(true, ordering: .relaxed)
    }

    /// Leaves the line as it stands.
    static func end() {
        if isOpen.exchange(false, ordering: .relaxed) { write("\n") }
    }

    /// Removes the line, to be drawn anew.
    static func clear() {
        if isOpen.exchange(false, ordering: .relaxed) { write("\r\u{1B}[K") }
    }

    private static func write(_ text: String) {
        print(text, terminator: "")
        fflush(nil)
    }
}

/// The columns of the terminal that standard output is, now; nil if it is none.
func terminalWidth() -> Int? {
    guard isatty(STDOUT_FILENO) == 1 else { return nil }
    var size = winsize()
    // Some terminals do not tell.
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
}

/// As many of the fields, in their order, as fit into a width with two spaces between them: the ones of the least rank stay.
///
/// - Parameter fields: each with its rank, 0 for the most important one, which is cut if it alone is too wide.
func fittingLine(_ fields: [(text: String, rank: Int)], width: Int) -> String {
    var kept = fields
    func line() -> String { kept.map(\.text).joined(separator: "  ") }
    while kept.count > 1, line().count > width {
        kept.remove(at: kept.indices.max { kept[$0].rank < kept[$1].rank }!)
    }
    return String(line().prefix(max(0, width)))
}
