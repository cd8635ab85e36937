import KantoABI

// Mean and variance, as two reductions. The first sums the differences from the first element, which is no further from
// the mean than √n deviations, so that the mean is right to far less than a deviation, however large it is. The second
// sums the squared differences from the mean as rounded, and is corrected by what rounding took from the mean.

/// Makes a kernel of mean and variance over any set of axes.
func makeStatistics(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    guard problem.pointee.function == 0, problem.pointee.flags == 0, problem.pointee.activation == 0 else {
        return decline(message, "statistics take no function, no flags and no activation")
    }
    var plan = ReductionPlan()
    plan.function = Int(KANTO_FUNCTION_SUM)
    plan.result = .mean
    if let reason = plan.read(problem, host) { return decline(message, reason) }
    let description: StaticString = plan.alongKept ? "statistics of columns" : "statistics of rows"
    return makeKernel(slot, description, plan, scratchBytes: plan.scratchBytes) { kernel, arguments, message in
        runStatistics(madeKernel(at: kernel!, as: ReductionPlan.self).pointee.plan, arguments!, message)
    }
}

private func runStatistics(
    _ plan: ReductionPlan, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    guard plan.keptCount > 0 else { return kanto_status(KANTO_STATUS_OK) }
    guard let mean = kanto_output(arguments, 0)?.assumingMemoryBound(to: Float.self),
        let variance = kanto_output(arguments, 1)?.assumingMemoryBound(to: Float.self),
        // Nothing is read of an empty input.
        let input = floats(kanto_input(arguments, 0)) ?? (plan.reducedCount == 0 ? UnsafePointer(mean) : nil)
    else { return fail(message, "an operand of the statistics is NULL") }
    guard plan.scratchBytes == 0 || arguments.pointee.scratch != nil else {
        return fail(message, "the scratch memory of the statistics is missing: arguments.scratch is NULL")
    }
    let scratch = arguments.pointee.scratch ?? UnsafeMutableRawPointer(mean)
    var run = ReductionRun(plan, input, input, mean, variance, scratch: scratch)
    runPieces(run, arguments.pointee.host!)
    if plan.dividesReduced {
        run.plan.result = .variance
        runPieces(run, arguments.pointee.host!)
    }
    return kanto_status(KANTO_STATUS_OK)
}

/// One of the two reductions, where pieces divide the reduced elements; otherwise both for a few tasks at a time, so that
/// the second finds the elements in cache.
func reduceStatistics(_ run: ReductionRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int) {
    if run.plan.dividesReduced { return reduceOnce(run, tasks, reduced, piece) }
    let taskSize = run.plan.rowCount &* (run.alongKept ? min(columnTile, run.vectorAxis.extent) : 1)
    let step = max(1, (1 << 15) / max(1, taskSize))
    var run = run
    var task = tasks.lowerBound
    while task < tasks.upperBound {
        let some = Range(uncheckedBounds: (task, min(task &+ step, tasks.upperBound)))
        run.plan.result = .mean
        reduceOnce(run, some, reduced, piece)
        run.plan.result = .variance
        reduceOnce(run, some, reduced, piece)
        task = task &+ step
    }
}

private func reduceOnce(_ run: ReductionRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int) {
    if case .mean = run.plan.result {
        sum(DifferencesFromFirst.self, run, tasks, reduced, piece)
    } else {
        sum(SquaredDeviations.self, run, tasks, reduced, piece)
    }
}

@inline(never) private func sum<F: PartnerFunction>(
    _: F.Type, _ run: ReductionRun, _ tasks: Range<Int>, _ reduced: Range<Int>, _ piece: Int
) {
    if run.plan.isStrided {
        reduce(
            Sum.self, columns: Partnered<F, Strided, Contiguous>.self, rows: Partnered<F, Strided, Broadcast>.self, run,
            tasks, reduced, piece)
    } else {
        reduce(
            Sum.self, columns: Partnered<F, Contiguous, Contiguous>.self, rows: Partnered<F, Contiguous, Broadcast>.self,
            run, tasks, reduced, piece)
    }
}

/// The differences from the first element that goes into the same result, if that is finite.
private enum DifferencesFromFirst: PartnerFunction {
    @inline(__always) static func value(_ element: Lanes, _ partner: Lanes) -> Lanes {
        element - partner.replacing(with: 0, where: .!(magnitude(partner) .< Float.infinity))
    }
    @inline(__always) static func partner(_ run: ReductionRun, _ at: Offsets) -> UnsafePointer<Float> {
        run.input0 + at.input0
    }
}

/// The squares of the differences from the mean.
private enum SquaredDeviations: PartnerFunction {
    @inline(__always) static func value(_ element: Lanes, _ partner: Lanes) -> Lanes {
        let difference = element - partner
        return difference * difference
    }
    @inline(__always) static func partner(_ run: ReductionRun, _ at: Offsets) -> UnsafePointer<Float> {
        UnsafePointer(run.output) + at.output
    }
}

extension ReductionRun {
    /// Makes the mean of the sum of the differences from the first element.
    @inline(__always) func writeMean(_ total: Double, _ at: Offsets) {
        var mean = 0.0
        if plan.reducedCount > 0 {
            let first = input0[at.input0]
            mean = total / Double(plan.reducedCount) + (first.magnitude < .infinity ? Double(first) : 0)
        }
        output[at.output] = Float(mean)
        // What rounding took from it waits in the variance's place.
        secondOutput[at.output] = Float(mean - Double(Float(mean)))
    }

    /// Makes the variance of the sum of the squared differences from the rounded mean.
    @inline(__always) func writeVariance(_ total: Double, _ at: Offsets) {
        if plan.reducedCount == 0 { return }
        let rounding = Double(secondOutput[at.output])
        let variance = total / Double(plan.reducedCount) - rounding * rounding
        secondOutput[at.output] = variance < 0 ? 0 : Float(variance)
    }
}
