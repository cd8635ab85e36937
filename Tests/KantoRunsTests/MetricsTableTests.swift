import KantoData
import TestSupport
import Testing

@testable import KantoRuns

@Suite struct MetricsTableTests {
    private func lines(_ log: String, withLists: Bool = false) throws -> [String] {
        let folder = try TemporaryFolder()
        _ = try folder.write(log, to: "metrics.jsonl")
        var lines: [String] = []
        try MetricsTable(ofRun: folder.path, withLists: withLists).forEachLine { lines.append($0) }
        return lines
    }

    private let log = """
        {"iteration":1,"penalty":0.125,"counts":[3,4],"seconds":1.5}
        {"iteration":2,"penalty":null,"counts":[5,6],"held_out_critic_loss":-1e-05,"seconds":2}
        {"iteration":3,"pen
        """

    @Test func numbersStandAsInTheLog() throws {
        #expect(try lines(log) == ["iteration,penalty,seconds,held_out_critic_loss", "1,0.125,1.5,", "2,,2,-1e-05"])
    }

    @Test func listsHaveAColumnANumber() throws {
        #expect(
            try lines(log, withLists: true) == [
                "iteration,penalty,counts_0,counts_1,seconds,held_out_critic_loss", "1,0.125,3,4,1.5,", "2,,5,6,2,-1e-05",
            ])
    }

    @Test func aRunWithoutIterationsHasAHeader() throws { #expect(try lines("") == ["iteration"]) }

    @Test func aLineThatIsNoneIsTold() throws {
        let error = #expect(throws: DataError.self) { try lines("{\"iteration\":1}\n{\"iteration\":}\n") }
        #expect(error?.description.contains("metrics.jsonl: line 2: expected a value") == true, "\(String(describing: error))")
    }
}
