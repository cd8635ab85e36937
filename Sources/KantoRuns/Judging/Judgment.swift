import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoMetrics

/// How a verdict is found: the rules, one by one.
struct Judgment {
    let history: [IterationMetrics]
    let context: Verdict.Context

    var verdict: Verdict {
        if let failure { return failure }
        let usable = history.filter { $0.firstNonFinite == nil }
        guard usable.count >= Verdict.leastIterations else {
            return Verdict(
                .tooEarly, "Too early to tell",
                "\(grouped(usable.count)) iteration\(usable.count == 1 ? "" : "s") so far, where a verdict wants "
                    + "\(Verdict.leastIterations).")
        }
        let trend = Trend(usable.map(\.wassersteinEstimate))
        let critic = Critic(usable, context)
        if let complaint = critic.complaint {
            return Verdict(
                .criticOffTarget, "Critic off its target",
                "\(capitalized(complaint)), so that the \(estimateName) means little.")
        }
        if let overfitting = HeldOutGap(usable)?.evidence { return Verdict(.criticOverfits, "Critic overfits", overfitting) }
        if trend.isSure, abs(trend.change) > Trend.tolerance {
            if trend.change < 0 { return Verdict(.improving, "Improving", "\(moved(trend)), and \(critic.clause).") }
            let since = iteration(after: usable.count - trend.fifth, of: usable)
            return Verdict(
                .rising(since: since), "Rising since iteration \(grouped(since))",
                "\(moved(trend)), and \(critic.clause): look at the samples before you go on.")
        }
        if let modes = context.modes ?? latestModes, modes.covered < modes.all {
            let missing = modes.all - modes.covered
            return Verdict(
                .modeMissing, "\(grouped(missing)) mode\(missing == 1 ? "" : "s") missing",
                "The samples have \(grouped(modes.covered)) of the data's \(grouped(modes.all)) modes, and the \(estimateName) no "
                    + "longer falls.")
        }
        let since = rounded(iteration(after: trend.settledAfter, of: usable), of: usable.count)
        let evidence = moved(trend) + (trend.isSure ? "" : ", within its noise") + ", and \(critic.clause)."
        // What rounds to nothing is nothing, however sure it is.
        return trend.isSure && trend.change < -0.005
            ? Verdict(.almostFlat(since: since), "Almost flat since iteration \(grouped(since))", evidence)
            : Verdict(.flat(since: since), "Flat since iteration \(grouped(since))", evidence)
    }

    /// What ends a run.
    private var failure: Verdict? {
        guard let last = history.last else { return nil }
        if let quantity = last.firstNonFinite {
            return Verdict(
                .stopped, "Stopped: no finite \(quantity) at iteration \(grouped(last.iteration))",
                "The \(quantity) of iteration \(grouped(last.iteration)) is not a finite number, and no further iteration makes it "
                    + "one.")
        }
        var test = DivergenceTest(context.regularizer)
        var reason: String?
        for metrics in history.suffix(DivergenceTest.memory) { reason = test.reason(after: metrics) }
        return reason.map {
            Verdict(.diverging, "Diverging at iteration \(grouped(last.iteration))", capitalized($0) + ".")
        }
    }

    private var latestModes: (covered: Int, all: Int)? {
        guard let metrics = history.last(where: { $0.coveredModes != nil }), let all = metrics.modeCount else { return nil }
        return (metrics.coveredModes!, all)
    }

    private var estimateName: String { context.loss.kind is WassersteinLoss ? "Wasserstein estimate" : "difference of scores" }

    private func moved(_ trend: Trend) -> String {
        let share = percent(abs(trend.change))
        return "The \(estimateName) \(share == "0%" ? "changed" : trend.change < 0 ? "fell" : "rose") by \(share) over the last "
            + "\(grouped(trend.fifth)) iterations"
    }

    private func iteration(after count: Int, of usable: [IterationMetrics]) -> Int {
        usable[min(count, usable.count - 1)].iteration
    }

    /// To hundreds, or of a short run to fifties.
    private func rounded(_ iteration: Int, of count: Int) -> Int {
        let unit = count >= 2000 ? 100 : 50
        return max(unit, Int((Double(iteration) / Double(unit)).rounded()) * unit)
    }
}

/// How steep the critic is, and how steep it should be.
private struct Critic {
    /// Mean gradient norm of the last twentieth of the run.
    private let norm: Double
    /// The share of the penalty's points where it is within 10% of 1, where it should be 1.
    private let nearOne: Double?
    private let held: HeldNorm?
    /// What a sound critic's norm lies in.
    private let bounds: ClosedRange<Double>

    init(_ history: [IterationMetrics], _ context: Verdict.Context) {
        let recent = history.suffix(max(1, history.count / 20))
        norm = mean(recent.map(\.meanGradientNorm))
        held = context.regularizer.weight > 0 ? context.regularizer.regularizer.heldNorm : nil
        let shares = recent.compactMap(\.gradientNormWithin)
        nearOne = held?.target != 1 || shares.isEmpty ? nil : mean(shares)
        guard let held else {
            bounds = 0...(.infinity)
            return
        }
        // A critic of slope s gains s W and pays λ k (s − τ)²: it settles at τ + W / 2 λ k. With a λ of 10 that is little.
        let distance = max(0, mean(recent.map(\.wassersteinEstimate))) / max(norm, .leastNormalMagnitude)
        let settled = held.target + distance / (2 * context.regularizer.weight * held.stiffness)
        bounds = (held.isUpperBound ? 0 : 0.8 * held.target)...max(0.8 * held.target, 1.25 * settled)
    }

    /// What is wrong; nil if nothing is.
    var complaint: String? {
        guard let held, !bounds.contains(norm) else { return nil }
        return clause + ", where the penalty should hold it \(held.isUpperBound ? "below" : "at") \(decimal(held.target))"
    }

    /// `the mean gradient norm is 1.02 with 64% of the points within 10% of 1`
    var clause: String {
        let share = nearOne.map { " with \(percent($0)) of the points within 10% of 1" } ?? ""
        return "the mean gradient norm is \(threeDigits(norm))" + share
    }
}

/// What the critic tells apart on its training samples but not on held-out ones, over the run.
private struct HeldOutGap {
    /// The gap as a share of the critic's loss on training samples: of the first third of the measurements, and of the last.
    private let first, last: Double
    private let estimates: (training: Double, heldOut: Double)

    private static let leastCount = 2
    /// An ordinary run on 1,400 digits comes to a quarter in 3,000 iterations, one on 90 of them to six tenths in 500.
    private static let limit = 0.4

    /// - Returns: nil without enough measurements.
    init?(_ history: [IterationMetrics]) {
        let measured = history.compactMap { metrics -> (heldOut: Double, training: Double)? in
            guard let heldOut = metrics.heldOutCriticLoss, let training = metrics.trainingCriticLoss,
                heldOut.isFinite, training.isFinite
            else { return nil }
            return (heldOut, training)
        }
        guard measured.count >= Self.leastCount else { return nil }
        let third = max(1, measured.count / 3)
        func share(_ part: ArraySlice<(heldOut: Double, training: Double)>) -> Double {
            let gap = mean(part.map { $0.heldOut - $0.training }), size = mean(part.map { abs($0.training) })
            return gap / max(size, .leastNormalMagnitude)
        }
        (first, last) = (share(measured.prefix(third)), share(measured.suffix(third)))
        let end = measured.suffix(third)
        estimates = (-mean(end.map(\.training)), -mean(end.map(\.heldOut)))
    }

    /// Why the critic overfits; nil if it does not.
    var evidence: String? {
        guard last > Self.limit, last > first || last > 1.5 * Self.limit else { return nil }
        return "The critic tells training samples from generated ones by \(threeDigits(estimates.training)) but held-out ones by "
            + "\(threeDigits(estimates.heldOut)), so that \(percent(last)) of what it says is known by heart."
    }
}

private func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

/// `12%`
private func percent(_ share: Double) -> String { fixed(100 * share, 0) + "%" }
