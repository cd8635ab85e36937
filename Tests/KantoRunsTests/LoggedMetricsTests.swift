import Foundation
import KantoData
import KantoGAN
import TestSupport
import Testing

@testable import KantoRuns

@Suite struct LoggedMetricsTests {
    @Test func aLogReadsBackAsItWasMeasured() throws {
        let folder = try TemporaryFolder()
        let run = try Run(Preset.digits.configuration, folder: folder.path + "/run")
        let history = try (0..<3).map { _ in try run.step() }
        #expect(history.allSatisfy { $0.gradientNormHistogram.total == 5 * 64 && $0.seconds > 0 })
        #expect(try LoggedMetrics(ofRun: run.folder).history == history)
    }

    /// Numbers that were not finite, lines of an earlier version, and one that is being written.
    @Test func whatIsMissingIsKnownToBe() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write(
            """
            {"iteration":1,"critic_loss":null,"wasserstein_estimate":2,"penalty":0.5,"gradient_norm_mean":1.5,"gradient_norm_max":2.5,"generator_loss":-1,"seconds":0.25}
            {"iteration":2,"critic_lo
            """, to: "metrics.jsonl")
        let history = try LoggedMetrics(ofRun: folder.path).history
        #expect(history.count == 1)
        let metrics = try #require(history.first)
        #expect(metrics.criticLoss.isNaN && metrics.wassersteinEstimate == 2 && metrics.seconds == 0.25)
        #expect(metrics.gradientNormHistogram.total == 0 && metrics.gradientNormWithin == nil && metrics.heldOutCriticLoss == nil)
    }

    @Test(arguments: ["[1,2]", "[\(Array(repeating: "-1", count: 80).joined(separator: ","))]", "3", "null"])
    func aBrokenHistogramIsTold(_ histogram: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("{\"iteration\":1,\"gradient_norm_histogram\":\(histogram)}\n", to: "metrics.jsonl")
        let error = #expect(throws: DataError.self) { try LoggedMetrics(ofRun: folder.path) }
        #expect(error?.description.hasPrefix("\(path): line 1: expected an object") == true)
    }
}
