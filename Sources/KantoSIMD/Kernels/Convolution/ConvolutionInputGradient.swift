import KantoABI

private struct InputGradientPlan {
    var product: Product
    var layout: PanelSource
    var groupStrideWeights: Int
}

func makeConvolutionInputGradient(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?,
    _ algorithm: ConvolutionAlgorithm
) -> kanto_status {
    guard problem.pointee.flags & ~UInt32(KANTO_FLAG_ACCUMULATE | KANTO_FLAG_DERIVATIVE) == 0 else {
        return decline(message, "unknown flag of an input gradient")
    }
    let requested = RequestedEpilogue(problem)
    if let refusal = requested.refusal { return decline(message, refusal) }
    guard !requested.epilogue.activates, requested.epilogue.curve == .none else {
        return decline(message, "an input gradient has no activation, other than as a derivative")
    }
    if let flaw = ConvolutionShape.flaw(problem) { return decline(message, flaw) }
    let shape = ConvolutionShape(problem.pointee.convolution)
    let choice = shape.filteredOutputs(problem, algorithm)
    if let plan = FilteredPlan(shape, isAdjoint: true, outputs: choice.outputs, requested, host) {
        return makeFiltered(plan, "conv2d_input_gradient", slot)
    }
    if let refusal = choice.refusal { return decline(message, refusal) }
    if shape.hasScatteredInputGradient {
        return makeScatteredInputGradient(shape, SumWords(of: problem), requested.epilogue, host, slot)
    }
    var product = shape.adjointProduct(host)
    product.words = SumWords(of: problem)
    product.epilogue = requested.epilogue
    // Tap by tap, the weights [channels, output channels] are packed transposed.
    let plan = InputGradientPlan(
        product: product,
        layout: PanelSource(
            rowsPerBlock: max(shape.groupOutputChannels, 1), blockStride: shape.groupChannels &* shape.outputChannels,
            rowStride: 1, columnStride: shape.outputChannels),
        groupStrideWeights: shape.groupOutputChannels)
    let scratch = product.groupCount &* product.panels.size
    return makeKernel(
        slot, "conv2d_input_gradient", tile: tileName, plan, scratchBytes: 4 &* scratch, owned: plan.product.classes,
        run: runInputGradient)
}

private let runInputGradient: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: InputGradientPlan.self)
    let host = arguments!.pointee.host!
    var product = made.pointee.plan.product
    if product.tileCount == 0 || product.panels.columnCount == 0 { return kanto_status(KANTO_STATUS_OK) }
    let dx = kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self)
    product.epilogue.derivative.setSaved(kanto_input(arguments, 2), output: dx)
    // Where the output is empty nothing else is read; the addresses only have to be some.
    let dy = kanto_input(arguments, 0)?.assumingMemoryBound(to: Float.self) ?? UnsafePointer(dx)
    var packed = dx
    if product.panels.rowCount > 0 {
        packed = arguments!.pointee.scratch!.assumingMemoryBound(to: Float.self)
        product.packWeights(
            host, kanto_input(arguments, 1)!.assumingMemoryBound(to: Float.self), made.pointee.plan.layout,
            groupStride: made.pointee.plan.groupStrideWeights, into: packed)
    }
    product.computeInParallel(host, ProductOperands(a: dy, b: UnsafePointer(packed), c: dx))
    return kanto_status(KANTO_STATUS_OK)
}
