import Foundation
import Kanto
import TestSupport
import Testing

@testable import KantoCLI

struct LiveLineTests {
    private func line(iteration: Int = 1234, _ width: Int?) -> String {
        var metrics = IterationMetrics()
        metrics.iteration = iteration
        (metrics.criticLoss, metrics.wassersteinEstimate, metrics.penalty) = (-1.2345, 1.5, 0.0123)
        (metrics.meanGradientNorm, metrics.generatorLoss) = (0.987, 2)
        return ProgressLine(total: 5000, samplesPerIteration: 384).text(
            metrics, iterationsPerSecond: Double(metrics.iteration) / 10, width: width)
    }

    /// An hour's pause is forgotten after two minutes.
    @Test func theRateIsThatOfTheLastMinutes() {
        var rate = RecentRate(count: 10, seconds: 0)
        #expect(rate.rate(count: 30, seconds: 10) == 2)
        #expect(rate.rate(count: 130, seconds: 60) == 2)
        #expect(rate.rate(count: 140, seconds: 3660) < 0.1)
        var last = 0.0
        for second in 1...130 { last = rate.rate(count: 140 + 2 * second, seconds: Double(3660 + second)) }
        #expect(last == 2)
    }

    @Test func fitsEveryWidth() {
        let whole = line(nil)
        #expect(whole.contains("samples/s") && whole.hasSuffix("left"))
        #expect(line(1000) == whole + "  [====                ]")
        for width in 0...140 {
            let text = line(width)
            #expect(text.count < max(1, width), "\(width): \(text)")
            #expect(!text.contains("\n") && text.allSatisfy(\.isASCII))
            // What is left out is the least important.
            if width > 20 { #expect(text.hasPrefix("iteration 1234/5000")) }
            if width > 70 { #expect(text.contains("Wasserstein 1.500") && text.contains("0:31 left") && text.contains("gradient norm 0.987")) }
        }
    }

    /// A bar takes the room that is left.
    @Test(arguments: [
        (80, "iteration 1234/5000  Wasserstein 1.500  gradient norm 0.987  0:31 left  [=    ]"),
        (60, "iteration 1234/5000  Wasserstein 1.500  0:31 left  [=     ]"),
        (48, "iteration 1234/5000  0:31 left  [===          ]"), (38, "iteration 1234/5000  0:31 left"), (10, "iteration"),
    ])
    func keepsTheImportantFields(width: Int, text: String) {
        #expect(line(width) == text)
    }
}

struct TimeLeftTests {
    @Test(arguments: [(1, 59, "0:58 left"), (1, 3600, "59:59 left"), (1, 3601, "1:00:00 left"), (1, 172_800, "47:59:59 left"), (1, 200_000, "2 days left"), (1, Int.max, "11574 days left")])
    func isReadAtAGlance(iteration: Int, total: Int, text: String) {
        var metrics = IterationMetrics()
        metrics.iteration = iteration
        #expect(
            ProgressLine(total: total, samplesPerIteration: 1).text(metrics, iterationsPerSecond: 1, width: nil)
                .hasSuffix("  " + text))
    }
}

struct ParagraphTests {
    @Test func breaksBetweenWordsAndIndents() {
        #expect(paragraph("  a  ", "one two three", width: nil) == "  a  one two three")
        #expect(paragraph("  a  ", "one two three", width: 12) == "  a  one two\n     three")
        #expect(paragraph("  a  ", "one two three", width: 11) == "  a  one\n     two\n     three")
        // Nothing is lost where a word does not fit.
        #expect(paragraph("  a  ", "one two three", width: 1) == "  a  one\n     two\n     three")
        #expect(paragraph("  a  ", "", width: 80) == "  a  ")
    }
}

/// What a run shows on a terminal of so many columns.
struct TerminalTests {
    @Test(arguments: [200, 80, 40, 12]) func aLiveLineNeverWraps(_ columns: Int) throws {
        let terminal = try Terminal(columns: columns)
        let folder = try TemporaryFolder()
        let status = try terminal.run(["train", "--iterations", "30", "--out", folder.path + "/r"])
        #expect(status == 0)
        let shown = terminal.text
        let lines = shown.split(separator: "\r\u{1B}[K").dropFirst().map { $0.prefix { $0 != "\r\n" && $0 != "\n" && $0 != "\r" } }
        #expect(lines.count >= 2, "\(shown)")
        for line in lines { #expect(line.count < columns && line.hasPrefix("iteration".prefix(columns - 1)), "\(line)") }
    }

    @Test func presetsFitTheTerminal() throws {
        let terminal = try Terminal(columns: 80)
        #expect(try terminal.run(["presets"]) == 0)
        let lines = terminal.text.split(separator: "\r\n")
        #expect(lines.count > 60)
        // An address may be longer.
        for line in lines where line.count > 80 { #expect(line.drop { $0 == " " }.allSatisfy { $0 != " " }, "\(line)") }
    }

    @Test func aLiveLineFollowsTheWidth() throws {
        let terminal = try Terminal(columns: 120)
        let folder = try TemporaryFolder()
        // Narrow from the first picture of the live line on.
        let status = try terminal.run(["train", "--iterations", "60", "--out", folder.path + "/r"]) { shown in
            if shown.contains("iteration 1/") { terminal.setColumns(30) }
        }
        #expect(status == 0)
        let last = terminal.text.split(separator: "\r\u{1B}[K").last.map { $0.prefix { $0 != "\r\n" } } ?? ""
        #expect(last.hasPrefix("iteration 60/60") && last.count < 30, "\(last)")
    }
}

/// A pseudo-terminal on which the built tool runs.
private final class Terminal: @unchecked Sendable {
    private let main: Int32
    private let other: Int32
    private(set) var text = ""

    init(columns: Int) throws {
        main = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN, which are macros that Swift cannot see.
        var (lock, number): (Int32, Int32) = (0, 0)
        try #require(main >= 0 && ioctl(main, 0x4004_5431, &lock) == 0 && ioctl(main, 0x8004_5430, &number) == 0)
        other = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(other >= 0)
        setColumns(columns)
    }

    deinit { close(main) }

    func setColumns(_ columns: Int) {
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(main, UInt(TIOCSWINSZ), &size)
    }

    /// Runs the tool to its end and keeps what it shows.
    func run(_ words: [String], whenShown: (String) -> Void = { _ in }) throws -> Int32 {
        let process = Process()
        process.executableURL = kantoTool
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KANTO_") }
            .merging(["KANTO_TUNING": "off", "KANTO_BACKEND": "simd"]) { $1 }
        process.standardOutput = FileHandle(fileDescriptor: other)
        process.standardError = FileHandle(fileDescriptor: other)
        try process.run()
        close(other)
        var bytes = [UInt8](repeating: 0, count: 4096)
        var all: [UInt8] = []
        // Reading fails when the last process has closed the terminal.
        while case let count = read(main, &bytes, bytes.count), count > 0 {
            all += bytes[..<count]
            text = String(decoding: all, as: UTF8.self)
            whenShown(text)
        }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
