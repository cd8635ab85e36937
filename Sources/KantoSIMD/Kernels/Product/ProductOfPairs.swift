import KantoABI
import KantoShims

// Products of bfloat16: both operands are rounded first, in pairs along the inner dimension, into the kernel's scratch. What
// remains is a product of float32 with half as many steps, whose numbers are words (SumWord.swift):
//
//     matmul            A [m, k]   pairs of columns      B [k, n]            pairs of rows
//     conv2d_forward    x          pairs of channels     w [taps, ci, co]    pairs of rows
//     input gradient    dy         pairs of channels     w [taps, ci, co]    pairs of columns
//     weight gradient   x          pairs of samples      dy                  pairs of samples, at the same position
//
// An odd number is paired with a zero.

private struct PairedProductPlan {
    /// Of the first two inputs.
    var first: PairLayout
    var second: PairLayout
    /// Of a weight gradient, from dy as it is; no kept elements in other products.
    var bias = ReductionPlan()

    /// Words of the operands, and of both with what lies between.
    var secondOffset: Int { roundUp(first.wordCount, to: floatsPerLine) }
    var wordCount: Int { secondOffset &+ roundUp(second.wordCount, to: floatsPerLine) }
}

/// A kernel for a matmul or a convolution of precision bfloat16.
func makeProductOfPairs(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    var words = problem.pointee
    var plan: PairedProductPlan
    var name: StaticString = "bfloat16 matmul"
    if Int(problem.pointee.op) == KANTO_OP_MATMUL {
        plan = PairedProductPlan(of: problem.pointee.matmul, flags: problem.pointee.flags, words: &words.matmul)
    } else {
        if let flaw = ConvolutionShape.flaw(problem) { return decline(message, flaw) }
        let shape = ConvolutionShape(problem.pointee.convolution)
        plan = PairedProductPlan(of: shape, Int(problem.pointee.op), words: &words.convolution)
        switch Int(problem.pointee.op) {
        case KANTO_OP_CONV2D_FORWARD: name = "bfloat16 conv2d_forward"
        case KANTO_OP_CONV2D_INPUT_GRADIENT: name = "bfloat16 conv2d_input_gradient"
        case KANTO_OP_CONV2D_WEIGHT_GRADIENT:
            name = "bfloat16 conv2d_weight_gradient"
            if let reason = plan.bias.readBiasGradient(problem, shape, host) { return decline(message, reason) }
            words.flags &= ~UInt32(KANTO_FLAG_BIAS)
        default: return decline(message, "only products have a precision")
        }
    }
    let status = makeExact(&words, host, slot, message, .direct)
    guard status == kanto_status(KANTO_STATUS_OK), let product = slot.pointee else { return status }
    let scratch = max(4 &* plan.wordCount &+ product.pointee.scratch_bytes, plan.bias.keptCount > 0 ? plan.bias.scratchBytes : 0)
    return makeKernel(slot, name, tile: tileName, plan, scratchBytes: scratch, other: product, run: runProductOfPairs)
}

extension PairedProductPlan {
    fileprivate init(of matmul: kanto_matmul, flags: UInt32, words: inout kanto_matmul) {
        let (m, n, k, batch) = (Int(matmul.m), Int(matmul.n), Int(matmul.k), Int(matmul.batch))
        // A batch that shares an operand rounds it once.
        func layout(_ isColumns: Bool, _ other: Int, rowStride: Int64, batchStride: Int64) -> PairLayout {
            let matrices = batchStride == 0 ? min(batch, 1) : batch
            return isColumns
                ? .columns(rows: (matrices, Int(batchStride), other, Int(rowStride)), count: k)
                : .rows((matrices, Int(batchStride), k, Int(rowStride)), width: other)
        }
        let transposesA = flags & UInt32(KANTO_FLAG_TRANSPOSE_A) != 0
        let transposesB = flags & UInt32(KANTO_FLAG_TRANSPOSE_B) != 0
        first = layout(!transposesA, m, rowStride: matmul.row_stride_a, batchStride: matmul.batch_stride_a)
        second = layout(transposesB, n, rowStride: matmul.row_stride_b, batchStride: matmul.batch_stride_b)
        bias.keptCount = 0
        words.k = Int64(pairs(k))
        words.row_stride_a = transposesA ? matmul.m : words.k
        words.row_stride_b = transposesB ? words.k : matmul.n
        if matmul.batch_stride_a != 0 { words.batch_stride_a = matmul.m &* words.k }
        if matmul.batch_stride_b != 0 { words.batch_stride_b = words.k &* matmul.n }
    }

    fileprivate init(of shape: ConvolutionShape, _ op: Int, words: inout kanto_convolution) {
        let (positions, outputs) = (shape.height &* shape.width, shape.outputHeight &* shape.outputWidth)
        let taps = shape.kernelHeight &* shape.kernelWidth
        if op != KANTO_OP_CONV2D_WEIGHT_GRADIENT { bias.keptCount = 0 }
        switch op {
        case KANTO_OP_CONV2D_FORWARD:
            first = .columns(groups: shape.groups, of: shape.batch &* positions, count: shape.groupChannels)
            second = .rows(
                (taps, shape.groupChannels &* shape.outputChannels, shape.groupChannels, shape.outputChannels),
                width: shape.outputChannels)
            words.channels = Int64(shape.groups &* pairs(shape.groupChannels))
        case KANTO_OP_CONV2D_INPUT_GRADIENT:
            first = .columns(groups: shape.groups, of: shape.batch &* outputs, count: shape.groupOutputChannels)
            second = .columns(groups: shape.groups, of: taps &* shape.groupChannels, count: shape.groupOutputChannels)
            words.output_channels = Int64(shape.groups &* pairs(shape.groupOutputChannels))
        default:
            first = .rows((1, 0, shape.batch, shape.inputSize), width: shape.inputSize)
            second = .rows((1, 0, shape.batch, shape.outputSize), width: shape.outputSize)
            words.batch = Int64(pairs(shape.batch))
        }
    }
}

private let runProductOfPairs: RunFunction = { kernel, arguments, message in
    let made = madeKernel(at: kernel!, as: PairedProductPlan.self)
    let plan = made.pointee.plan
    plan.bias.sumBias(arguments!)
    var words = arguments!.pointee
    // A problem without pairs may have no scratch and no inputs.
    guard plan.wordCount > 0, let scratch = words.scratch else {
        return made.pointee.head.other!.pointee.run(made.pointee.head.other!, &words, message)
    }
    let (first, second) = (
        scratch.assumingMemoryBound(to: Float.self), scratch.assumingMemoryBound(to: Float.self) + plan.secondOffset
    )
    plan.first.round(floats(kanto_input(arguments, 0)), into: first, words.host!)
    plan.second.round(floats(kanto_input(arguments, 1)), into: second, words.host!)
    var inputs: (UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?) = (
        UnsafeRawPointer(first), UnsafeRawPointer(second), kanto_input(arguments, 2)
    )
    words.scratch = scratch + 4 &* plan.wordCount
    return withUnsafeBytes(of: &inputs) {
        words.inputs = $0.baseAddress!.assumingMemoryBound(to: UnsafeRawPointer?.self)
        return made.pointee.head.other!.pointee.run(made.pointee.head.other!, &words, message)
    }
}
