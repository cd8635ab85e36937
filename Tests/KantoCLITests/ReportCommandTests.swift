import Foundation
import TestSupport
import Testing

struct ReportCommandTests {
    @Test func aRunAndTwoRuns() throws {
        let folder = try TemporaryFolder()
        let (first, second) = (folder.path + "/first", folder.path + "/second")
        for (run, seed) in [(first, "1"), (second, "2")] {
            #expect(try kanto("train", "--iterations", "3", "--seed", seed, "--out", run).status == 0)
        }
        // Training has written the page already; this writes the same.
        let page = first + "/report.html"
        let written = try String(contentsOfFile: page, encoding: .utf8)
        let again = try kanto("report", first + "/")
        #expect(again.status == 0 && again.output == "wrote \(page)\n", "\(again)")
        #expect(try String(contentsOfFile: page, encoding: .utf8) == written)
        // What is killed before its first snapshot has none, and gets one.
        try FileManager.default.removeItem(atPath: second + "/report.html")
        try FileManager.default.removeItem(atPath: second + "/samples")
        #expect(try kanto("report", second).status == 0)
        #expect(try String(contentsOfFile: second + "/report.html", encoding: .utf8).contains("3 iterations, finished"))

        let both = folder.path + "/both.html"
        #expect(try kanto("report", first, second, "--out", both, "--along", "seconds").output == "wrote \(both)\n")
        let html = try String(contentsOfFile: both, encoding: .utf8)
        #expect(html.contains("They differ in seed, 1 and 2") && html.contains("value=\"seconds\" checked"))
    }

    @Test func whatCannotBeReported() throws {
        let folder = try TemporaryFolder()
        func expect(_ words: [String], _ status: Int32, _ part: String) throws {
            let outcome = try kanto(["report"] + words)
            #expect(outcome.status == status && outcome.errors.contains(part), "\(outcome)")
            #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty)
        }
        try expect([folder.path + "/none"], 66, "there is no such run")
        try expect([folder.path], 66, "config.json")
        try expect([folder.path, "--out", "page.txt"], 64, "ends in .html")
        try expect(Array(repeating: folder.path, count: 7), 64, "expected 6 at most")
        try expect([], 64, "run")
    }
}
