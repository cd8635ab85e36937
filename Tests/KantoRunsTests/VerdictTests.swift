import KantoGAN
import KantoKernels
import KantoNN
import Testing

@testable import KantoRuns

/// Verdicts on made histories, one of each kind.
@Suite struct VerdictTests {
    /// Iterations whose estimate follows a curve with noise on it; the critic is sound.
    private func history(
        _ count: Int, noise: Double = 0.02, norm: Double = 1, _ estimate: (Double) -> Double
    ) -> [IterationMetrics] {
        var random = SystemlessRandom(state: 7)
        return (1...count).map { iteration in
            var metrics = IterationMetrics()
            metrics.iteration = iteration
            metrics.wassersteinEstimate = estimate(Double(iteration)) + noise * (random.next() - 0.5)
            metrics.meanGradientNorm = norm
            metrics.largestGradientNorm = 1.2 * norm
            var counts = [Int](repeating: 0, count: 80)
            (counts[40], counts[60]) = (160, 160)
            metrics.gradientNormHistogram = GradientNormHistogram(counts: counts)!
            return metrics
        }
    }

    private struct SystemlessRandom {
        var state: UInt64
        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) * 0x1p-53
        }
    }

    @Test func aShortRunIsNotJudged() {
        #expect(Verdict([]).evidence == "0 iterations so far, where a verdict wants 300.")
        let one = Verdict(history(1) { _ in 1 })
        #expect(one.kind == .tooEarly && one.grade == .neutral && one.headline == "Too early to tell")
        #expect(one.evidence == "1 iteration so far, where a verdict wants 300.")
        #expect(Verdict(history(299) { _ in 1 }).kind == .tooEarly)
        #expect(Verdict(history(300) { _ in 1 }).kind != .tooEarly)
    }

    @Test func aFallingEstimateImproves() {
        let verdict = Verdict(history(5000) { 3 / (1 + $0 / 1000) })
        #expect(verdict.kind == .improving && verdict.grade == .good && verdict.headline == "Improving")
        #expect(verdict.evidence == "The Wasserstein estimate fell by 18% over the last 1,000 iterations, and the mean gradient norm is 1.00 with 50% of the points within 10% of 1.")
    }

    @Test func aRisingEstimateIsWarnedOf() {
        let verdict = Verdict(history(2000) { 1 + $0 / 1000 })
        #expect(verdict.kind == .rising(since: 1601) && verdict.grade == .warning)
        #expect(verdict.headline == "Rising since iteration 1,601")
        #expect(verdict.evidence.contains("rose by 17% over the last 400 iterations"))
    }

    @Test func aFlatEstimateIsFlatFromWhereItSettled() {
        let verdict = Verdict(history(5000) { $0 < 2300 ? 3 - 2 * $0 / 2300 : 1 })
        #expect(verdict.kind == .flat(since: 2200) && verdict.headline == "Flat since iteration 2,200")
        #expect(verdict.grade == .neutral && verdict.evidence.contains("The Wasserstein estimate changed by 0%"))
        // Noise as large as the estimate itself is no trend.
        guard case .flat = Verdict(history(3000, noise: 2) { _ in 1 }).kind else {
            Issue.record("noise is taken for a trend")
            return
        }
    }

    @Test func anEstimateThatFallsALittleIsAlmostFlat() {
        let verdict = Verdict(history(5000) { 1.1 - 0.1 * $0 / 5000 })
        guard case .almostFlat(let since) = verdict.kind else {
            Issue.record("\(verdict)")
            return
        }
        #expect((1500...3500).contains(since) && verdict.headline.hasPrefix("Almost flat since iteration "))
        #expect(verdict.evidence.contains("fell by 2% over"))
    }

    /// Nothing is divided by zero.
    @Test(arguments: [0, 1, -3, 1e-300, 1e300]) func aConstantIsFlatFromTheStart(_ value: Double) {
        let verdict = Verdict(history(1000, noise: 0) { _ in value })
        #expect(verdict.kind == .flat(since: 50))
        #expect(!verdict.evidence.contains("nan") && !verdict.evidence.contains("inf"), "\(verdict.evidence)")
    }

    /// An estimate that has come down to nothing stays there: changes of a small remainder are none.
    @Test func whatIsLeftOfALargeEstimateIsFlat() {
        let verdict = Verdict(history(4000, noise: 0.001) { $0 < 1000 ? 2 * (1 - $0 / 1000) : 0.0005 * $0 / 4000 })
        guard case .flat(let since) = verdict.kind else {
            Issue.record("\(verdict)")
            return
        }
        #expect((900...1100).contains(since))
    }

    @Test func aCriticThatThePenaltyDoesNotHoldIsOffItsTarget() {
        for norm in [0.6, 1.6] {
            let verdict = Verdict(history(1000, norm: norm) { 3 / $0 })
            #expect(verdict.kind == .criticOffTarget && verdict.grade == .warning, "\(norm)")
            #expect(verdict.evidence.contains("where the penalty should hold it at 1, so that the Wasserstein estimate means little"))
        }
        func kind(_ norm: Double, _ regularizer: RegularizerDescription, estimate: Double = 1) -> Verdict.Kind {
            var context = Verdict.Context()
            context.regularizer = regularizer
            return Verdict(history(1000, noise: 0, norm: norm) { _ in estimate }, context).kind
        }
        // A weak penalty gives way: with λ = 0.1 and W = 0.2 the norm settles at 2.
        #expect(kind(2, RegularizerDescription(TwoSidedPenalty(), weight: 0.1), estimate: 0.4) == .flat(since: 50))
        #expect(kind(2, RegularizerDescription(TwoSidedPenalty(), weight: 10), estimate: 0.4) == .criticOffTarget)
        // Other targets, an upper bound, and norms that nothing holds.
        #expect(kind(750, RegularizerDescription(TwoSidedPenalty(target: 750), weight: 10)) == .flat(since: 50))
        #expect(kind(0.3, RegularizerDescription(OneSidedPenalty(), weight: 10)) == .flat(since: 50))
        #expect(kind(1.6, RegularizerDescription(OneSidedPenalty(), weight: 10)) == .criticOffTarget)
        #expect(kind(4, RegularizerDescription(ZeroCenteredPenalty(), weight: 10)) == .flat(since: 50))
        #expect(kind(4, RegularizerDescription(TwoSidedPenalty(), weight: 0)) == .flat(since: 50))
    }

    @Test func aCriticThatKnowsItsSamplesByHeartOverfits() {
        func measured(heldOut: (Double) -> Double) -> Verdict {
            var history = history(5000) { _ in 2 }
            for index in stride(from: 499, to: 5000, by: 500) {
                (history[index].trainingCriticLoss, history[index].heldOutCriticLoss) = (-2, heldOut(Double(index)))
            }
            return Verdict(history)
        }
        let verdict = measured { -2 + 1.5 * $0 / 5000 }
        #expect(verdict.kind == .criticOverfits && verdict.grade == .warning && verdict.headline == "Critic overfits")
        #expect(verdict.evidence == "The critic tells training samples from generated ones by 2.00 but held-out ones by 0.650, so that 67% of what it says is known by heart.")
        for sound in [measured { _ in -1.9 }, measured { _ in -2.2 }, measured { $0 < 1000 ? -1 : -1.8 }] {
            #expect(sound.kind == .flat(since: 100), "\(sound)")
        }
    }

    @Test func missingModesAreNamedWhenNothingImproves() {
        var context = Verdict.Context()
        context.modes = (6, 8)
        let verdict = Verdict(history(3000) { _ in 1 }, context)
        #expect(verdict.kind == .modeMissing && verdict.grade == .warning && verdict.headline == "2 modes missing")
        #expect(verdict.evidence == "The samples have 6 of the data's 8 modes, and the Wasserstein estimate no longer falls.")
        #expect(Verdict(history(3000) { 3000 / $0 }, context).kind == .improving)
        context.modes = (8, 8)
        #expect(Verdict(history(3000) { _ in 1 }, context).kind == .flat(since: 100))
        // What the run has measured last.
        var measured = history(3000) { _ in 1 }
        (measured[999].coveredModes, measured[999].modeCount) = (8, 8)
        (measured[1999].coveredModes, measured[1999].modeCount) = (7, 8)
        #expect(Verdict(measured).headline == "1 mode missing")
        #expect(Verdict(measured.prefix(1999)).kind == .flat(since: 50))
    }

    @Test func whatIsNoNumberEndsARun() {
        var history = history(500) { _ in 1 }
        history[499].penalty = .nan
        let verdict = Verdict(history)
        #expect(verdict.kind == .stopped && verdict.grade == .bad)
        #expect(verdict.headline == "Stopped: no finite penalty at iteration 500")
        // A short run, too; and one that was measured again after it.
        #expect(Verdict(history.suffix(3)).kind == .stopped)
        history[499].penalty = 0
        history[200].wassersteinEstimate = .infinity
        #expect(Verdict(history).kind == .flat(since: 50))
    }

    @Test func aSlopeWithoutBoundDiverges() {
        let verdict = Verdict(history(200, norm: 700) { _ in 1 })
        #expect(verdict.kind == .diverging && verdict.grade == .bad && verdict.headline == "Diverging at iteration 200")
        #expect(verdict.evidence == "The training diverges: the mean gradient norm of the last 21 iterations has the median 700, where the penalty holds it at 1.")
    }

    @Test func otherLossesHaveNoWassersteinEstimate() {
        var configuration = TrainingConfiguration()
        configuration.loss = LossDescription(HingeLoss())
        #expect(Verdict(history(400) { _ in 1 }, Verdict.Context(configuration)).evidence.hasPrefix("The difference of scores "))
    }

    @Test func thousandsAreSeparated() {
        #expect([0, 12, 999, 1000, 65_536, 1_234_567, -4500].map(grouped) == ["0", "12", "999", "1,000", "65,536", "1,234,567", "-4,500"])
    }
}
