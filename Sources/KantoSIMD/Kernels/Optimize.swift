import KantoABI

/// A kernel of the optimizer's update.
private struct OptimizePlan {
    var header = kanto_kernel()
    var count = 0
}

/// What the threads of one run share: the operands, and the constants of a step.
private struct AdamRun {
    var count: Int
    var pieceCount: Int
    var gradient: UnsafePointer<Float>
    var parameter: UnsafeMutablePointer<Float>
    var first: UnsafeMutablePointer<Float>
    var second: UnsafeMutablePointer<Float>
    var beta1: Float
    var oneMinusBeta1: Float
    var beta2: Float
    var oneMinusBeta2: Float
    /// 1 - learning rate · weight decay.
    var decay: Float
    /// Learning rate / (1 - β₁ᵗ).
    var step: Float
    /// 1 / √(1 - β₂ᵗ).
    var secondScale: Float
    var epsilon: Float
}

/// Makes a kernel that updates parameters and moments in one pass.
func makeOptimize(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ kernel: KernelSlot, _ message: Message?
) -> kanto_status {
    guard problem.pointee.function == UInt32(KANTO_FUNCTION_ADAM) else {
        return decline(message, "no such optimizer in the SIMD backend: it has Adam")
    }
    guard problem.pointee.flags == 0, problem.pointee.activation == 0 else {
        return decline(message, "an optimizer takes no flags and no activation")
    }
    guard problem.pointee.iteration.rank == 1, problem.pointee.iteration.extent.0 >= 0 else {
        return decline(message, "an optimizer's operands have rank 1")
    }
    let block = UnsafeMutablePointer<OptimizePlan>.allocate(capacity: 1)
    block.initialize(to: OptimizePlan())
    block.pointee.count = Int(problem.pointee.iteration.extent.0)
    setHeader(&block.pointee.header, "adam", scratchBytes: 0)
    block.pointee.header.run = { kernel, arguments, message in runOptimize(kernel!, arguments!, message) }
    kernel.pointee = UnsafeMutableRawPointer(block).assumingMemoryBound(to: kanto_kernel.self)
    return kanto_status(KANTO_STATUS_OK)
}

private func runOptimize(
    _ kernel: UnsafePointer<kanto_kernel>, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    let count = UnsafeRawPointer(kernel).assumingMemoryBound(to: OptimizePlan.self).pointee.count
    guard count > 0 else { return kanto_status(KANTO_STATUS_OK) }
    guard let s = arguments.pointee.scalars else {
        return fail(message, "the scalars of Adam are missing: arguments.scalars is NULL")
    }
    let outputs = arguments.pointee.outputs
    guard let gradient = floats(arguments.pointee.inputs.0),
        let parameter = outputs.0?.assumingMemoryBound(to: Float.self),
        let first = outputs.1?.assumingMemoryBound(to: Float.self),
        let second = outputs.2?.assumingMemoryBound(to: Float.self)
    else { return fail(message, "an operand of Adam is NULL") }
    let host = arguments.pointee.host!
    var run = AdamRun(
        count: count, pieceCount: count < 1 << 13 ? 1 : Int(host.pointee.thread_count),
        gradient: gradient, parameter: parameter, first: first, second: second,
        beta1: Float(s[1]), oneMinusBeta1: Float(1 - s[1]), beta2: Float(s[2]), oneMinusBeta2: Float(1 - s[2]),
        decay: Float(1 - s[0] * s[6]), step: Float(s[0] / s[4]), secondScale: Float(1 / s[5].squareRoot()),
        epsilon: Float(s[3]))
    if run.pieceCount > 1 {
        host.pointee.parallel_for(host, Int64(run.pieceCount), { context, index, _ in
            adam(context!.assumingMemoryBound(to: AdamRun.self).pointee, piece: Int(index))
        }, &run)
    } else {
        adam(run, piece: 0)
    }
    return kanto_status(KANTO_STATUS_OK)
}

private func adam(_ run: AdamRun, piece: Int) {
    let part = share(piece, of: run.pieceCount, run.count, granularity: 64)
    var position = part.lowerBound
    let gradient = Contiguous(run.gradient, stride: 1)
    let parameter = Contiguous(run.parameter, stride: 1)
    let first = Contiguous(run.first, stride: 1)
    let second = Contiguous(run.second, stride: 1)
    let newParameter = ContiguousOutput(run.parameter, stride: 1)
    let newFirst = ContiguousOutput(run.first, stride: 1)
    let newSecond = ContiguousOutput(run.second, stride: 1)
    while position &+ Lanes.scalarCount <= part.upperBound {
        let (p, m, v) = adam(
            run, gradient.lanes(at: position), parameter.lanes(at: position), first.lanes(at: position),
            second.lanes(at: position))
        newParameter.store(p, at: position)
        newFirst.store(m, at: position)
        newSecond.store(v, at: position)
        position = position &+ Lanes.scalarCount
    }
    let rest = part.upperBound &- position
    if rest > 0 {
        let (p, m, v) = adam(
            run, gradient.lanes(at: position, count: rest), parameter.lanes(at: position, count: rest),
            first.lanes(at: position, count: rest), second.lanes(at: position, count: rest))
        newParameter.store(p, at: position, count: rest)
        newFirst.store(m, at: position, count: rest)
        newSecond.store(v, at: position, count: rest)
    }
}

@inline(__always) private func adam(
    _ run: AdamRun, _ gradient: Lanes, _ parameter: Lanes, _ first: Lanes, _ second: Lanes
) -> (parameter: Lanes, first: Lanes, second: Lanes) {
    let m = multiplyAdd(Lanes(repeating: run.beta1), first, run.oneMinusBeta1 * gradient)
    let v = multiplyAdd(Lanes(repeating: run.beta2), second, run.oneMinusBeta2 * (gradient * gradient))
    let root = multiplyAdd(squareRoot(v), Lanes(repeating: run.secondScale), Lanes(repeating: run.epsilon))
    let p = multiplyAdd(Lanes(repeating: run.decay), parameter, -(run.step * m / root))
    return (p, m, v)
}
