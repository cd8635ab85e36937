import KantoGAN
import Testing

@testable import KantoRuns

@Suite struct StopConditionTests {
    private func isMet(_ condition: StopCondition, _ count: Int, _ estimate: (Int) -> Double) -> Bool {
        let history = (1...count).map { iteration in
            var metrics = IterationMetrics()
            (metrics.iteration, metrics.meanGradientNorm) = (iteration, 1)
            metrics.wassersteinEstimate = estimate(iteration)
            return metrics
        }
        return condition.isMet(by: history, Verdict.Context())
    }

    @Test func aRunEndsWhenItHasBeenFlatForAWhile() {
        #expect(isMet(.flat, 1000) { _ in 1 })
        #expect(!isMet(.never, 1000) { _ in 1 })
        // A short run rests at its peak.
        #expect(!isMet(.flat, 999) { _ in 1 })
        // Flat now, but not before.
        #expect(!isMet(.flat, 2000) { $0 < 1200 ? 3 - Double($0) / 600 : 1 })
        #expect(isMet(.flat, 5000) { $0 < 1200 ? 3 - Double($0) / 600 : 1 })
        #expect(!isMet(.flat, 5000) { 1000 / Double($0) })
        // It still falls, surely.
        #expect(!isMet(.flat, 5000) { 1 - 0.02 * Double($0) / 1000 })
    }
}
