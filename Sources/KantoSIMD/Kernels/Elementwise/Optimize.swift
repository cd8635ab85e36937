import KantoABI

/// The step of an optimizer, for a vector of parameters.
private protocol OptimizerStep {
    /// Moments that it keeps for each parameter.
    static var momentCount: Int { get }
    /// Takes s0, s1 ….
    init(_ s: UnsafePointer<Double>)
    func update(_ parameter: inout Lanes, _ first: inout Lanes, _ second: inout Lanes, _ gradient: Lanes)
}

/// What an optimizer's update is planned to be.
private struct OptimizePlan {
    var function = 0
    var momentCount = 0
    var scalarCount: UInt32 = 0
    var count = 0
}

/// What the threads of one run share.
private struct OptimizeRun {
    var function: Int
    var count: Int
    var pieceCount: Int
    var scalars: UnsafePointer<Double>
    var gradient: UnsafePointer<Float>
    var parameter: UnsafeMutablePointer<Float>
    var first: UnsafeMutablePointer<Float>
    /// Some address where there is one moment only.
    var second: UnsafeMutablePointer<Float>
}

/// Makes a kernel that updates parameters and moments in one pass.
func makeOptimize(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    var plan = OptimizePlan()
    plan.function = Int(problem.pointee.function)
    let description: StaticString
    switch plan.function {
    case KANTO_FUNCTION_ADAM: (plan.momentCount, description) = (Adam.momentCount, "adam")
    case KANTO_FUNCTION_MOMENTUM: (plan.momentCount, description) = (Momentum.momentCount, "momentum")
    case KANTO_FUNCTION_RMSPROP: (plan.momentCount, description) = (RMSProp.momentCount, "rmsprop")
    default: return decline(message, "no such optimizer in the SIMD backend: it has Adam, momentum and RMSProp")
    }
    guard problem.pointee.flags == 0, problem.pointee.activation == 0 else {
        return decline(message, "an optimizer takes no flags and no activation")
    }
    guard problem.pointee.iteration.rank == 1, problem.pointee.iteration.extent.0 >= 0 else {
        return decline(message, "an optimizer's operands have rank 1")
    }
    plan.scalarCount = kanto_find_function(problem.pointee.op, problem.pointee.function)?.pointee.scalar_count ?? 0
    plan.count = Int(problem.pointee.iteration.extent.0)
    return makeKernel(slot, description, plan) { kernel, arguments, message in
        runOptimize(madeKernel(at: kernel!, as: OptimizePlan.self).pointee.plan, arguments!, message)
    }
}

private func runOptimize(
    _ plan: OptimizePlan, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    guard plan.count > 0 else { return kanto_status(KANTO_STATUS_OK) }
    guard let scalars = kanto_scalars(arguments, plan.scalarCount) else {
        return fail(message, "scalars of an optimizer are missing")
    }
    guard let gradient = floats(kanto_input(arguments, 0)),
        let parameter = kanto_output(arguments, 0)?.assumingMemoryBound(to: Float.self),
        let first = kanto_output(arguments, 1)?.assumingMemoryBound(to: Float.self),
        let second = plan.momentCount < 2 ? first : kanto_output(arguments, 2)?.assumingMemoryBound(to: Float.self)
    else { return fail(message, "an operand of an optimizer is NULL") }
    let host = arguments.pointee.host!
    var run = OptimizeRun(
        function: plan.function, count: plan.count,
        pieceCount: plan.count < 1 << 13 ? 1 : Int(host.pointee.thread_count), scalars: scalars, gradient: gradient,
        parameter: parameter, first: first, second: second)
    if run.pieceCount > 1 {
        parallelFor(host, count: run.pieceCount, &run) { context, index, _ in
            update(context!.assumingMemoryBound(to: OptimizeRun.self).pointee, piece: Int(index))
        }
    } else {
        update(run, piece: 0)
    }
    return kanto_status(KANTO_STATUS_OK)
}

private func update(_ run: OptimizeRun, piece: Int) {
    let part = share(piece, of: run.pieceCount, run.count, granularity: 64)
    switch run.function {
    case KANTO_FUNCTION_ADAM: update(Adam.self, run, part)
    case KANTO_FUNCTION_MOMENTUM: update(Momentum.self, run, part)
    default: update(RMSProp.self, run, part)
    }
}

@inline(never) private func update<Step: OptimizerStep>(_: Step.Type, _ run: OptimizeRun, _ part: Range<Int>) {
    let step = Step(run.scalars)
    var position = part.lowerBound
    while position &+ Lanes.scalarCount <= part.upperBound {
        var parameter = loadLanes(run.parameter + position)
        var first = loadLanes(run.first + position)
        var second = Step.momentCount > 1 ? loadLanes(run.second + position) : Lanes()
        step.update(&parameter, &first, &second, loadLanes(run.gradient + position))
        storeLanes(parameter, to: run.parameter + position)
        storeLanes(first, to: run.first + position)
        if Step.momentCount > 1 { storeLanes(second, to: run.second + position) }
        position = position &+ Lanes.scalarCount
    }
    let rest = part.upperBound &- position
    if rest > 0 {
        @inline(__always) func load(_ source: UnsafePointer<Float>) -> Lanes {
            Contiguous(source, stride: 1).lanes(at: position, count: rest)
        }
        @inline(__always) func store(_ lanes: Lanes, _ target: UnsafeMutablePointer<Float>) {
            ContiguousOutput(target, stride: 1).store(lanes, at: position, count: rest)
        }
        var parameter = load(run.parameter)
        var first = load(run.first)
        var second = Step.momentCount > 1 ? load(run.second) : Lanes()
        step.update(&parameter, &first, &second, load(run.gradient))
        store(parameter, run.parameter)
        store(first, run.first)
        if Step.momentCount > 1 { store(second, run.second) }
    }
}

private struct Adam: OptimizerStep {
    let beta1, oneMinusBeta1, beta2, oneMinusBeta2: Lanes
    /// 1 - learning rate · weight decay.
    let decay: Lanes
    /// Learning rate / (1 - β₁ᵗ).
    let step: Lanes
    /// 1 / √(1 - β₂ᵗ).
    let secondScale: Lanes
    let epsilon: Lanes

    @inline(__always) static var momentCount: Int { 2 }
    @inline(__always) init(_ s: UnsafePointer<Double>) {
        beta1 = Lanes(repeating: Float(s[1]))
        oneMinusBeta1 = Lanes(repeating: Float(1 - s[1]))
        beta2 = Lanes(repeating: Float(s[2]))
        oneMinusBeta2 = Lanes(repeating: Float(1 - s[2]))
        decay = Lanes(repeating: Float(1 - s[0] * s[6]))
        step = Lanes(repeating: Float(s[0] / s[4]))
        secondScale = Lanes(repeating: Float(1 / s[5].squareRoot()))
        epsilon = Lanes(repeating: Float(s[3]))
    }
    @inline(__always)
    func update(_ parameter: inout Lanes, _ first: inout Lanes, _ second: inout Lanes, _ gradient: Lanes) {
        first = multiplyAdd(beta1, first, oneMinusBeta1 * gradient)
        second = multiplyAdd(beta2, second, oneMinusBeta2 * (gradient * gradient))
        let root = multiplyAdd(squareRoot(second), secondScale, epsilon)
        parameter = multiplyAdd(decay, parameter, -(step * first / root))
    }
}

private struct Momentum: OptimizerStep {
    let rate, momentum: Lanes
    /// 1 - learning rate · weight decay.
    let decay: Lanes

    @inline(__always) static var momentCount: Int { 1 }
    @inline(__always) init(_ s: UnsafePointer<Double>) {
        rate = Lanes(repeating: Float(s[0]))
        momentum = Lanes(repeating: Float(s[1]))
        decay = Lanes(repeating: Float(1 - s[0] * s[2]))
    }
    @inline(__always)
    func update(_ parameter: inout Lanes, _ first: inout Lanes, _: inout Lanes, _ gradient: Lanes) {
        first = multiplyAdd(momentum, first, gradient)
        parameter = multiplyAdd(decay, parameter, -(rate * first))
    }
}

private struct RMSProp: OptimizerStep {
    let rate, beta, oneMinusBeta, epsilon: Lanes
    /// 1 - learning rate · weight decay.
    let decay: Lanes

    @inline(__always) static var momentCount: Int { 1 }
    @inline(__always) init(_ s: UnsafePointer<Double>) {
        rate = Lanes(repeating: Float(s[0]))
        beta = Lanes(repeating: Float(s[1]))
        oneMinusBeta = Lanes(repeating: Float(1 - s[1]))
        epsilon = Lanes(repeating: Float(s[2]))
        decay = Lanes(repeating: Float(1 - s[0] * s[3]))
    }
    @inline(__always)
    func update(_ parameter: inout Lanes, _ first: inout Lanes, _: inout Lanes, _ gradient: Lanes) {
        first = multiplyAdd(beta, first, oneMinusBeta * (gradient * gradient))
        parameter = multiplyAdd(decay, parameter, -(rate * gradient / (squareRoot(first) + epsilon)))
    }
}
