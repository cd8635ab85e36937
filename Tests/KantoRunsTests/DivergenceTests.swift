import KantoGAN
import Testing

@testable import KantoRuns

struct DivergenceTests {
    /// The first iteration, from 1, after which a series of mean gradient norms is told to diverge.
    private func end(_ norms: [Double], penaltyWeight: Double = 10, target: Double = 1) -> Int? {
        var test = DivergenceTest(RegularizerDescription(TwoSidedPenalty(target: target), weight: penaltyWeight))
        return norms.indices.first { index in
            var metrics = IterationMetrics()
            metrics.meanGradientNorm = norms[index]
            return test.reason(after: metrics) != nil
        }.map { $0 + 1 }
    }

    private func series(_ count: Int, _ norm: (Int) -> Double) -> [Double] { (0..<count).map(norm) }

    @Test func aGoodRunGoesOn() {
        #expect(end(series(5000) { [0.6, 0.9, 1.1, 1.9][$0 % 4] }) == nil)
        // Single explosions that the penalty takes back.
        #expect(end(series(5000) { $0 % 50 < 2 ? 1e6 : 1 }) == nil)
        // A rough start, and a critic that is flat at first.
        #expect(end(series(500) { $0 < 10 ? 5000 : 1 }) == nil)
        #expect(end(series(500) { $0 < 100 ? 1e-6 : 1 }) == nil)
        // Large but held.
        #expect(end(series(500) { _ in 40 }) == nil)
    }

    @Test func aSlopeThatStaysFarTooSteepEnds() {
        #expect(end(series(500) { [450, 1900, 120][$0 % 3] }) == 21)
        #expect(end(series(1000) { $0 < 700 ? 1 : 150 }) == 711)
    }

    @Test func growthWithoutEndEnds() throws {
        let ended = try #require(end(series(1000) { $0 < 300 ? 1 : min(1e30, Double($0 - 299) * 1e3) }))
        #expect((303...304).contains(ended))
        // Where no penalty holds the slope, too.
        #expect(try #require(end(series(1000) { $0 < 300 ? 3 : 1e10 }, penaltyWeight: 0)) == 303)
    }

    @Test func aWeakPenaltyHoldsTheSlopeLess() {
        #expect(end(series(500) { _ in 300 }, penaltyWeight: 0.01) == nil)
        #expect(end(series(500) { _ in 300 }, penaltyWeight: 0) == nil)
        #expect(end(series(500) { _ in 300 }, penaltyWeight: 100) == 21)
    }

    @Test func aSlopeIsJudgedByItsTarget() {
        #expect(end(series(500) { _ in 750 }, target: 750) == nil)
        #expect(end(series(500) { _ in 80_000 }, target: 750) == 21)
    }
}
