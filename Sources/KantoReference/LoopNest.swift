import KantoABI

/// One loop of a nest.
struct Axis {
    var extent: Int
    var outputStride: Int
    var inputStrides: (Int, Int, Int)

    /// Whether this loop, around `inner`, is the same as one longer loop.
    func continues(_ inner: Axis) -> Bool {
        outputStride == inner.outputStride * inner.extent
            && inputStrides.0 == inner.inputStrides.0 * inner.extent
            && inputStrides.1 == inner.inputStrides.1 * inner.extent
            && inputStrides.2 == inner.inputStrides.2 * inner.extent
    }
}

/// The loops of an iteration, outermost first. Loops of one round are left out, loops that continue each other made one.
func loopNest(_ iteration: kanto_iteration) throws(Declined) -> [Axis] {
    guard iteration.rank >= 0 && iteration.rank <= KANTO_MAXIMUM_RANK else {
        throw Declined("the rank is \(iteration.rank), expected 0 ... \(KANTO_MAXIMUM_RANK)")
    }
    let rank = Int(iteration.rank)
    let extents = values(iteration.extent, rank)
    try elementCount(extents.map(Int64.init))
    let outputs = values(iteration.output_stride, rank)
    let inputs = (
        values(iteration.input_stride.0, rank), values(iteration.input_stride.1, rank),
        values(iteration.input_stride.2, rank)
    )
    for strides in [outputs, inputs.0, inputs.1, inputs.2] {
        for (extent, stride) in zip(extents, strides) { try elementCount([Int64(extent), Int64(stride)]) }
    }
    var axes: [Axis] = []
    for index in 0..<rank where extents[index] != 1 {
        let axis = Axis(
            extent: extents[index], outputStride: outputs[index],
            inputStrides: (inputs.0[index], inputs.1[index], inputs.2[index]))
        if let outer = axes.last, outer.continues(axis) {
            axes[axes.count - 1] = axis
            axes[axes.count - 1].extent *= outer.extent
        } else {
            axes.append(axis)
        }
    }
    return axes
}

private func values<Tuple>(_ tuple: Tuple, _ count: Int) -> [Int] {
    withUnsafeBytes(of: tuple) { $0.bindMemory(to: Int64.self).prefix(count).map(Int.init) }
}

/// Offsets of one element of a nest in its operands.
struct Offsets {
    var output = 0
    var inputs = (0, 0, 0)

    init() {}

    /// `index` counts the rounds of `axes` in row-major order.
    init(_ index: Int, in axes: Slice<UnsafeBufferPointer<Axis>>) {
        var rest = index
        var axes = axes
        while let axis = axes.popLast() {
            let (quotient, position) = rest.quotientAndRemainder(dividingBy: axis.extent)
            rest = quotient
            output += position * axis.outputStride
            inputs.0 += position * axis.inputStrides.0
            inputs.1 += position * axis.inputStrides.1
            inputs.2 += position * axis.inputStrides.2
        }
    }
}
