import KantoABI

/// How the operands of a nest stand along its innermost axis.
enum Rows {
    /// The output is contiguous, each input is contiguous or one element for the whole row.
    case vectors(a: RowKind, b: RowKind, c: RowKind)
    /// Anything else: elements are gathered and scattered one by one.
    case strided
}

enum RowKind { case contiguous, broadcast }

/// How an elementwise op is computed.
private struct ElementwisePlan {
    var op = 0
    var function = 0
    var parameter: Float = 0
    var inputCount = 0
    var scalarCount = 0
    var isFill = false
    var isTransposition = false
    var rows = Rows.strided
    var loops = Loops()
    var elementCount = 0
    /// Whether the work is worth a fork and join.
    var isParallel = false
}

/// What the threads of one run share.
struct ElementwiseRun {
    var op: Int
    var function: Int
    var isTransposition: Bool
    var rows: Rows
    var loops: Loops
    var constants: Constants
    var output: UnsafeMutablePointer<Float>
    var input0: UnsafePointer<Float>
    var input1: UnsafePointer<Float>
    var input2: UnsafePointer<Float>
    /// The number of elements; of tiles in a transposition.
    var workCount: Int
    var pieceCount: Int
}

/// Makes a kernel of an elementwise op: unary, binary or ternary.
func makeElementwise(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    let op = Int(problem.pointee.op)
    var plan = ElementwisePlan()
    plan.op = op
    plan.function = Int(problem.pointee.function)
    plan.parameter = Float(problem.pointee.parameter)
    guard problem.pointee.flags == 0, problem.pointee.activation == 0 else {
        return decline(message, "elementwise ops take no flags and no activation")
    }
    guard let info = kanto_find_function(problem.pointee.op, problem.pointee.function)?.pointee else {
        return decline(message, "no such elementwise function in the SIMD backend")
    }
    plan.inputCount = Int(info.input_count)
    plan.scalarCount = Int(info.scalar_count)
    if plan.function == KANTO_FUNCTION_FILL {
        // The copy of one element, which is the scalar.
        plan.isFill = true
        plan.function = Int(KANTO_FUNCTION_COPY)
    }

    var list = AxisList()
    defer { list.deallocate() }
    if let reason = list.read(problem, inputCount: plan.inputCount, &plan.elementCount) {
        return decline(message, reason)
    }
    for index in 0..<list.count where list.axes[index].output == 0 {
        return decline(message, "an output stride of 0 in an elementwise op: only inputs can be broadcast")
    }
    list.collapse()
    if op == KANTO_OP_UNARY, plan.function == KANTO_FUNCTION_COPY, let loops = transposition(&list) {
        plan.isTransposition = true
        plan.loops = loops
    } else {
        let index = innermostAxis(list, inputCount: plan.inputCount)
        let inner = index < 0 ? Axis() : list.remove(at: index)
        plan.loops = Loops(inner: inner, outside: list)
        plan.rows = rows(along: inner, inputCount: plan.inputCount)
    }

    // A fork and join takes 1 to 5 µs, as long as about 2¹⁵ elements of a cheap function, in cache, on one core.
    let isCostly = info.traits & UInt32(KANTO_TRAIT_TRANSCENDENTAL) != 0
    plan.isParallel = plan.elementCount >= (isCostly ? 1 << 13 : 1 << 15)

    let description: StaticString =
        if plan.isTransposition { "elementwise transposition" } else if case .strided = plan.rows {
            "elementwise strided"
        } else { "elementwise vectors" }
    return makeKernel(slot, description, plan) { kernel, arguments, message in
        runElementwise(madeKernel(at: kernel!, as: ElementwisePlan.self), arguments!, message)
    }
}

private func runElementwise(
    _ made: UnsafePointer<MadeKernel<ElementwisePlan>>, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    let plan = made.pointee.plan
    guard plan.elementCount > 0 else { return kanto_status(KANTO_STATUS_OK) }
    var constants = Constants(parameter: plan.parameter)
    if plan.scalarCount > 0 {
        guard let scalars = kanto_scalars(arguments, UInt32(plan.scalarCount)) else {
            return fail(message, "scalars of an elementwise function are missing")
        }
        constants.s0 = Float(scalars[0])
        if plan.scalarCount > 1 { constants.s1 = Float(scalars[1]) }
    }
    return withUnsafePointer(to: constants.s0) { fillValue in
        let first = plan.isFill ? fillValue : floats(kanto_input(arguments, 0))
        let output = kanto_output(arguments, 0)?.assumingMemoryBound(to: Float.self)
        guard let output, let first else { return fail(message, "an operand of an elementwise op is NULL") }
        guard let second = plan.inputCount < 2 ? first : floats(kanto_input(arguments, 1)),
            let third = plan.inputCount < 3 ? first : floats(kanto_input(arguments, 2))
        else { return fail(message, "an operand of an elementwise op is NULL") }
        let loops = plan.loops
        var run = ElementwiseRun(
            op: plan.op, function: plan.function, isTransposition: plan.isTransposition,
            rows: plan.rows, loops: loops, constants: constants,
            output: output, input0: first, input1: second, input2: third,
            workCount: plan.isTransposition ? transpositionTileCount(loops) : plan.elementCount,
            pieceCount: 1)
        let host = arguments.pointee.host!
        if plan.isParallel { run.pieceCount = Int(host.pointee.thread_count) }
        if run.pieceCount > 1 {
            parallelFor(host, count: run.pieceCount, &run) { context, index, _ in
                compute(context!.assumingMemoryBound(to: ElementwiseRun.self).pointee, piece: Int(index))
            }
        } else {
            compute(run, piece: 0)
        }
        return kanto_status(KANTO_STATUS_OK)
    }
}

private func compute(_ run: ElementwiseRun, piece: Int) {
    let work = share(piece, of: run.pieceCount, run.workCount, granularity: run.isTransposition ? 1 : 64)
    if run.isTransposition { return transpose(run, tiles: work) }
    switch run.op {
    case KANTO_OP_UNARY: computeUnary(run, work)
    case KANTO_OP_BINARY: computeBinary(run, work)
    default: computeTernary(run, work)
    }
}

/// The axis along which rows are cheapest, or -1 if there is none. The costs, in elements of a vector loop: a row takes
/// about 16 to start; a gathered or scattered element 8, and up to 8 more the less of a cache line is used.
private func innermostAxis(_ list: AxisList, inputCount: Int) -> Int {
    var best = -1
    var bestCost = 0.0
    for index in 0..<list.count {
        let axis = list.axes[index]
        var cost = 16 / Double(axis.extent)
        if case .strided = rows(along: axis, inputCount: inputCount) {
            cost += 8 + Double(min(axis.output, 16)) / 2
            cost += 8 + Double(min(axis.input0, 16)) / 2
            if inputCount > 1 { cost += 8 + Double(min(axis.input1, 16)) / 2 }
            if inputCount > 2 { cost += 8 + Double(min(axis.input2, 16)) / 2 }
        }
        // Of equals the one that lies further in.
        if best < 0 || cost <= bestCost {
            best = index
            bestCost = cost
        }
    }
    return best
}

private func rows(along axis: Axis, inputCount: Int) -> Rows {
    func kind(_ stride: Int) -> RowKind? { stride == 0 ? .broadcast : stride == 1 ? .contiguous : nil }
    guard axis.output == 1, let a = kind(axis.input0), let b = kind(axis.input1), let c = kind(axis.input2) else {
        return axis.extent == 1 ? .vectors(a: .contiguous, b: .contiguous, c: .contiguous) : .strided
    }
    return .vectors(a: a, b: b, c: c)
}
