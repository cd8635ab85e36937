import Glibc
import KantoABI
import KantoConsistency
import KantoReference

/// A mistake that a backend might make.
enum Mistake: Sendable {
    case none
    // In what is computed.
    case dropsTheLastProduct, dropsTheLastColumn, dropsTheLastRow, accumulatesAlways, accumulatesNever, forgetsTheBias
    case ignoresTheSlope, ignoresTransposeB, ignoresTheBatchStride, treatsNaNLikeANumber
    case swapsThePadding, ignoresDilation, swapsTheStrides, forgetsTheDerivative
    case turnsNaNIntoZero, flushesDenormals
    case multipliesByTheSlope, multipliesByTheDerivative, takesASharedMatrixForSeveral, overlooksASpecialValueAtTheEnd
    case forgetsTheMeanOfTheVariance, subtractsMoments, drawsTheNextBlock
    case stopsOneElementShort, takesTheMaximumMagnitudeForTheMaximum
    // In how.
    case writesBeyondTheEnd, writesBeforeTheStart, writesToAnInput, roundsToBfloat16, readsAlignedOperandsOtherwise
    case overrunsTheScratch, keepsStateOfARun, needsItsThreads, declines, declinesSilently, fails
    case leavesAnotherRounding, leavesAnotherRoundingOnAWorker
    /// No mistake: the second input has a prepared form, its bytes.
    case preparesAnInput
    case preparesOtherNumbers, preparesBeyondTheEnd
}

/// The reference backend with one mistake built in. Lives as long as the process.
func brokenBackend(_ mistake: Mistake) -> UnsafePointer<kanto_backend> {
    let backend = UnsafeMutablePointer<BrokenTable>.allocate(capacity: 1)
    backend.initialize(to: BrokenTable(table: referenceBackend().pointee, mistake: mistake))
    let table = backend.pointer(to: \.table)!
    let offers = UnsafeMutablePointer<UInt32>.allocate(capacity: KANTO_OP_RANDOM + 1)
    offers.initialize(repeating: 1 << KANTO_DTYPE_F32, count: KANTO_OP_RANDOM + 1)
    table.pointee.offers = UnsafePointer(offers)
    table.pointee.make = { backend, problem, host, slot, message in
        let mistake = UnsafeRawPointer(backend!).assumingMemoryBound(to: BrokenTable.self).pointee.mistake
        if mistake == .declines {
            message!.pointee.text.update(from: [CChar(bitPattern: 110), 111, 0], count: 3)
        }
        if mistake == .declines || mistake == .declinesSilently { return kanto_status(KANTO_STATUS_DECLINED) }
        var changed = problem!.pointee
        mistake.change(&changed)
        var inner: UnsafeMutablePointer<kanto_kernel>?
        let status = referenceBackend().pointee.make(referenceBackend(), &changed, host, &inner, message)
        guard let inner else { return status }
        let kernel = UnsafeMutablePointer<BrokenKernel>.allocate(capacity: 1)
        kernel.initialize(
            to: BrokenKernel(
                header: inner.pointee, inner: inner, mistake: mistake, problem: problem!.pointee, preparedBytes: (0, 0),
                runCount: 0, threadCount: host!.pointee.thread_count))
        if [.preparesAnInput, .preparesOtherNumbers, .preparesBeyondTheEnd].contains(mistake) { prepareInputs(of: kernel) }
        kernel.pointee.header.run = { kernel, arguments, message in
            let kernel = UnsafeMutableRawPointer(mutating: kernel!).assumingMemoryBound(to: BrokenKernel.self)
            return kernel.pointee.run(arguments!.pointee, message)
        }
        kernel.pointee.header.release = { kernel in
            let kernel = UnsafeMutableRawPointer(kernel!).assumingMemoryBound(to: BrokenKernel.self)
            kernel.pointee.inner.pointee.release(kernel.pointee.inner)
            kernel.deallocate()
        }
        slot!.pointee = kernel.pointer(to: \.header)
        return status
    }
    return UnsafePointer(table)
}

/// The host sees its first member.
private struct BrokenTable {
    var table: kanto_backend
    let mistake: Mistake
}

extension Mistake {
    /// Turns the problem into the one that is computed by mistake.
    fileprivate func change(_ problem: inout kanto_problem) {
        let accumulate = UInt32(KANTO_FLAG_ACCUMULATE)
        switch self {
        case .dropsTheLastProduct: problem.matmul.k = max(0, problem.matmul.k - 1)
        case .dropsTheLastColumn: problem.matmul.n = max(0, problem.matmul.n - 1)
        case .dropsTheLastRow: problem.matmul.m = max(0, problem.matmul.m - 1)
        case .accumulatesAlways: problem.flags |= accumulate
        case .accumulatesNever: problem.flags &= ~accumulate
        case .forgetsTheBias: problem.flags &= ~UInt32(KANTO_FLAG_BIAS)
        case .ignoresTheSlope: problem.parameter = 0
        case .ignoresTransposeB where problem.matmul.n == problem.matmul.k:
            problem.flags &= ~UInt32(KANTO_FLAG_TRANSPOSE_B)
        case .ignoresTheBatchStride: problem.matmul.batch_stride_a = 0
        case .takesASharedMatrixForSeveral where problem.matmul.batch == 2 && problem.matmul.batch_stride_a == 0:
            problem.matmul.batch_stride_a = 1
        case .treatsNaNLikeANumber where problem.function == KANTO_FUNCTION_MAXIMUM:
            problem.function = UInt32(KANTO_FUNCTION_GREATER)
        case .swapsThePadding: swap(&problem.convolution.pad_left, &problem.convolution.pad_right)
        case .swapsTheStrides:
            // Where both ways give as many output elements, so that none is written elsewhere.
            var swapped = problem.convolution
            swap(&swapped.stride_y, &swapped.stride_x)
            if swapped.outputCount == problem.convolution.outputCount { problem.convolution = swapped }
        case .multipliesByTheSlope where problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) == 0 && problem.isPiecewiseLinear:
            problem.activation = UInt32(KANTO_ACTIVATION_NONE)
        case .multipliesByTheDerivative where problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0 && problem.isPiecewiseLinear:
            problem.flags &= ~UInt32(KANTO_FLAG_DERIVATIVE)
            problem.activation = UInt32(KANTO_ACTIVATION_NONE)
        case .forgetsTheDerivative where problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0:
            problem.flags &= ~UInt32(KANTO_FLAG_DERIVATIVE)
            problem.activation = UInt32(KANTO_ACTIVATION_NONE)
        case .ignoresDilation:
            // The output keeps its size.
            let c = problem.convolution
            problem.convolution.pad_right -= (c.dilation_x - 1) * (c.kernel_width - 1)
            if problem.convolution.pad_right < 0 { problem.convolution = c } else { problem.convolution.dilation_x = 1 }
        case .stopsOneElementShort: problem.iteration.extent.0 = max(0, problem.iteration.extent.0 - 1)
        case .takesTheMaximumMagnitudeForTheMaximum where problem.function == KANTO_FUNCTION_REDUCE_MAXIMUM:
            problem.function = UInt32(KANTO_FUNCTION_MAXIMUM_MAGNITUDE)
        default: break
        }
    }
}

extension kanto_problem {
    /// Whether it has a ReLU or a leaky one.
    fileprivate var isPiecewiseLinear: Bool {
        activation == KANTO_ACTIVATION_RELU || activation == KANTO_ACTIVATION_LEAKY_RELU
    }
}

extension kanto_convolution {
    fileprivate var outputCount: Int64 {
        kanto_output_extent(height, pad_top, pad_bottom, kernel_height, stride_y, dilation_y)
            * kanto_output_extent(width, pad_left, pad_right, kernel_width, stride_x, dilation_x)
    }
}

private struct BrokenKernel {
    var header: kanto_kernel
    var inner: UnsafeMutablePointer<kanto_kernel>
    var mistake: Mistake
    var problem: kanto_problem
    /// Bytes of the form of each input.
    var preparedBytes: (Int, Int)
    var runCount: Int
    /// Those that it was made for.
    let threadCount: UInt32

    mutating func run(_ given: kanto_arguments, _ message: UnsafeMutablePointer<kanto_message>?) -> kanto_status {
        var arguments = given
        let operands = operands(of: problem)
        let output = given.outputs[0]!.assumingMemoryBound(to: Float.self)
        let span = operands.outputs[0].span
        let inputSpan = operands.inputs.first?.span ?? 0
        if mistake == .keepsStateOfARun { runCount += 1 }
        var copy: [Float] = []
        if mistake == .roundsToBfloat16, let input = given.inputs[0]?.assumingMemoryBound(to: Float.self) {
            copy = (0..<inputSpan).map { Float(bitPattern: (input[$0].bitPattern &+ 0x8000) & 0xFFFF_0000) }
        }
        if mistake == .overlooksASpecialValueAtTheEnd, let input = given.inputs[0]?.assumingMemoryBound(to: Float.self) {
            copy = (0..<inputSpan).map { input[$0] }
            if let last = copy.last, !last.isFinite { copy[inputSpan - 1] = 0 }
        }
        var environment = fenv_t()
        fegetenv(&environment)
        if mistake == .flushesDenormals { flushDenormals(environment) }
        let status = copy.withUnsafeBufferPointer {
            var inputs = (0..<Int(given.input_count)).map { given.inputs[$0] }
            if !$0.isEmpty { inputs[0] = UnsafeRawPointer($0.baseAddress) }
            if let form = kanto_prepared(&arguments, 1) { inputs[1] = form }
            return inputs.withUnsafeBufferPointer {
                arguments.inputs = $0.baseAddress
                return inner.pointee.run(inner, &arguments, message)
            }
        }
        if mistake == .flushesDenormals { fesetenv(&environment) }
        switch mistake {
        case .turnsNaNIntoZero:
            for index in 0..<span where operands.outputs[0].isElement[index] && output[index].isNaN { output[index] = 0 }
        case .multipliesByTheSlope where problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) == 0 && problem.isPiecewiseLinear:
            for index in 0..<span where operands.outputs[0].isElement[index] {
                output[index] *= output[index] > 0 ? 1 : Float(problem.parameter)
            }
        case .multipliesByTheDerivative where problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0 && problem.isPiecewiseLinear:
            guard let saved = given.inputs[2]?.assumingMemoryBound(to: Float.self) else { break }
            for index in 0..<span where operands.outputs[0].isElement[index] {
                output[index] *= saved[index].isNaN ? .nan : saved[index] > 0 ? 1 : Float(problem.parameter)
            }
        case .needsItsThreads where span > 0 && given.host.pointee.thread_count < threadCount: output[0] = -output[0] + 1
        case .writesBeyondTheEnd: output[span] = 0
        case .writesBeforeTheStart: output[-1] = 0
        case .writesToAnInput where inputSpan > 0:
            UnsafeMutableRawPointer(mutating: given.inputs[0]!).assumingMemoryBound(to: Float.self)[0] += 1
        case .readsAlignedOperandsOtherwise where span > 0 && Int(bitPattern: output) % 64 == 0:
            output[0] = output[0].nextUp
        case .overrunsTheScratch where given.scratch != nil:
            (given.scratch + header.scratch_bytes).storeBytes(of: 0, as: UInt8.self)
        case .forgetsTheMeanOfTheVariance where span > 0:
            let variance = given.outputs[1]!.assumingMemoryBound(to: Float.self)
            variance[0] += output[0] * output[0]
        case .subtractsMoments:
            let variance = given.outputs[1]!.assumingMemoryBound(to: Float.self)
            for index in 0..<span where operands.outputs[0].isElement[index] {
                let square = output[index] * output[index]
                variance[index] = (square + variance[index]) - square
            }
        case .drawsTheNextBlock where span > 4: output.update(from: output + 4, count: span - 4)
        case .keepsStateOfARun where span > 0 && runCount > 1: output[0] = output[0].nextUp
        case .fails: return kanto_status(KANTO_STATUS_FAILED)
        case .leavesAnotherRounding: fesetround(FE_UPWARD)
        case .leavesAnotherRoundingOnAWorker:
            given.host.pointee.parallel_for(given.host, 2, { _, _, worker in if worker > 0 { fesetround(FE_UPWARD) } }, nil)
        default: break
        }
        return status
    }
}

/// Gives a kernel's second input a prepared form.
private func prepareInputs(of kernel: UnsafeMutablePointer<BrokenKernel>) {
    let inputs = operands(of: kernel.pointee.problem).inputs
    guard inputs.count > 1 else { return }
    kernel.pointee.preparedBytes.1 = inputs[1].span * MemoryLayout<Float>.size
    kernel.pointee.header.prepared_count = 2
    kernel.pointee.header.prepared_bytes =
        UnsafeRawPointer(kernel.pointer(to: \.preparedBytes)!).assumingMemoryBound(to: Int.self)
    kernel.pointee.header.prepare = { kernel, index, form, arguments, _ in
        let kernel = UnsafeRawPointer(kernel!).assumingMemoryBound(to: BrokenKernel.self)
        let byteCount = kernel.pointee.preparedBytes.1
        guard index == 1, arguments!.pointee.inputs[0] == nil else { return kanto_status(KANTO_STATUS_FAILED) }
        form!.copyMemory(from: kanto_input(arguments, 1), byteCount: byteCount)
        let numbers = form!.assumingMemoryBound(to: Float.self)
        switch kernel.pointee.mistake {
        case .preparesOtherNumbers: numbers[0] += 1
        case .preparesBeyondTheEnd: numbers[byteCount / 4] = 0
        default: break
        }
        return kanto_status(KANTO_STATUS_OK)
    }
}

/// Lets this thread take and give zeros for denormals.
private func flushDenormals(_ environment: fenv_t) {
    var environment = environment
    #if arch(x86_64)
    environment.__mxcsr |= 0x8040
    #else
    environment.__fpcr |= 1 << 24
    #endif
    fesetenv(&environment)
}
