import KantoABI

private struct ForwardPlan {
    var product: Product
    var layout: PanelSource
    var groupStrideWeights: Int
    var hasBias: Bool
}

func makeConvolutionForward(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?,
    _ algorithm: ConvolutionAlgorithm
) -> kanto_status {
    guard problem.pointee.flags & ~UInt32(KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS | KANTO_FLAG_DERIVATIVE) == 0 else {
        return decline(message, "unknown flag of a convolution")
    }
    if let flaw = ConvolutionShape.flaw(problem) { return decline(message, flaw) }
    let requested = RequestedEpilogue(problem)
    if let refusal = requested.refusal { return decline(message, refusal) }
    let shape = ConvolutionShape(problem.pointee.convolution)
    let choice = shape.filteredOutputs(problem, algorithm)
    if let plan = FilteredPlan(shape, isAdjoint: false, outputs: choice.outputs, requested, host) {
        return makeFiltered(plan, "conv2d_forward", slot)
    }
    if let refusal = choice.refusal { return decline(message, refusal) }
    var product = shape.forwardProduct(host)
    product.words = SumWords(of: problem)
    product.epilogue = requested.epilogue
    let plan = ForwardPlan(
        product: product, layout: PanelSource(rowsPerBlock: max(shape.weightRows, 1), rowStride: shape.outputChannels),
        groupStrideWeights: shape.groupOutputChannels, hasBias: requested.hasBias)
    let scratch = product.groupCount &* product.panels.size
    return makeKernel(
        slot, "conv2d_forward", tile: tileName, plan, scratchBytes: 4 &* scratch, owned: plan.product.classes, run: runForward)
}

private let runForward: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: ForwardPlan.self)
    let host = arguments!.pointee.host!
    var product = made.pointee.plan.product
    if product.tileCount == 0 || product.panels.columnCount == 0 { return kanto_status(KANTO_STATUS_OK) }
    let y = kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self)
    let bias = made.pointee.plan.hasBias ? kanto_input(arguments, 2)!.assumingMemoryBound(to: Float.self) : nil
    product.epilogue.derivative.setSaved(kanto_input(arguments, 2), output: y)
    // Without channels nothing else is read; the addresses only have to be some.
    var x = UnsafePointer(y)
    var packed = y
    if product.panels.rowCount > 0 {
        // An input without elements, all of whose positions are padding, need not have an address.
        x = floats(kanto_input(arguments, 0)) ?? x
        packed = arguments!.pointee.scratch!.assumingMemoryBound(to: Float.self)
        product.packWeights(
            host, kanto_input(arguments, 1)!.assumingMemoryBound(to: Float.self), made.pointee.plan.layout,
            groupStride: made.pointee.plan.groupStrideWeights, into: packed)
    }
    product.computeInParallel(host, ProductOperands(a: x, b: UnsafePointer(packed), c: y, bias: bias))
    return kanto_status(KANTO_STATUS_OK)
}
