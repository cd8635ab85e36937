import KantoABI

// What the kernels of this folder share: a kernel is a block of memory that starts with its kanto_kernel.

/// Fills the head of a kernel's block but for `run`. The block is to come from `allocate`.
func setHeader(_ header: inout kanto_kernel, _ description: StaticString, scratchBytes: Int) {
    header.struct_size = UInt32(MemoryLayout<kanto_kernel>.size)
    header.scratch_bytes = scratchBytes
    header.description = UnsafeRawPointer(description.utf8Start).assumingMemoryBound(to: CChar.self)
    header.release = { kernel in kernel?.deallocate() }
}

/// Writes what broke and returns KANTO_STATUS_FAILED.
func fail(_ message: Message?, _ reason: StaticString) -> kanto_status {
    _ = decline(message, reason)
    return kanto_status(KANTO_STATUS_FAILED)
}

@inline(__always) func floats(_ pointer: UnsafeRawPointer?) -> UnsafePointer<Float>? {
    pointer?.assumingMemoryBound(to: Float.self)
}

/// The piece's share of the range 0 ..< count, cut at multiples of the granularity.
@inline(__always) func share(_ piece: Int, of pieceCount: Int, _ count: Int, granularity: Int) -> Range<Int> {
    let units = (count + granularity - 1) / granularity
    let lower = min(count, units * piece / pieceCount * granularity)
    let upper = min(count, units * (piece + 1) / pieceCount * granularity)
    return Range(uncheckedBounds: (lower, upper))
}

extension AxisList {
    /// Appends the axes of the problem's nest that are longer than 1 and counts its elements, or returns why not.
    mutating func read(
        _ problem: UnsafePointer<kanto_problem>, inputCount: Int, _ elementCount: inout Int
    ) -> StaticString? {
        let iteration = problem.pointee.iteration
        let rank = Int(iteration.rank)
        guard 0...Int(KANTO_MAXIMUM_RANK) ~= rank else { return "the rank is not in 0 ... 6" }
        elementCount = 1
        for index in 0..<rank {
            var axis = Axis()
            axis.extent = element(index, of: iteration.extent)
            axis.output = element(index, of: iteration.output_stride)
            if inputCount > 0 { axis.input0 = element(index, of: iteration.input_stride.0) }
            if inputCount > 1 { axis.input1 = element(index, of: iteration.input_stride.1) }
            if inputCount > 2 { axis.input2 = element(index, of: iteration.input_stride.2) }
            guard axis.extent >= 0, axis.output >= 0, axis.input0 >= 0, axis.input1 >= 0, axis.input2 >= 0 else {
                return "a negative extent or stride"
            }
            let (product, overflow) = elementCount.multipliedReportingOverflow(by: axis.extent)
            guard !overflow else { return "more elements than can be counted" }
            elementCount = product
            if axis.extent != 1 { append(axis) }
        }
        return nil
    }
}

private typealias SixIntegers = (Int64, Int64, Int64, Int64, Int64, Int64)

private func element(_ index: Int, of tuple: SixIntegers) -> Int {
    switch index {
    case 0: Int(tuple.0)
    case 1: Int(tuple.1)
    case 2: Int(tuple.2)
    case 3: Int(tuple.3)
    case 4: Int(tuple.4)
    default: Int(tuple.5)
    }
}
