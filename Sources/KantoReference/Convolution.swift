import KantoABI

// Rows of weights [output channels / groups] are contiguous, so the innermost loop of all three convolutions runs over
// output channels. A tap that falls into the padding is skipped.

/// The geometry of a forward convolution.
private struct Geometry {
    let batch, height, width, channels, outputChannels: Int
    let kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft, dilationY, dilationX, groups: Int
    let outputHeight, outputWidth: Int

    var groupChannels: Int { channels / groups }
    var groupOutputChannels: Int { outputChannels / groups }

    init(_ problem: UnsafePointer<kanto_problem>) { self.init(problem.pointee.convolution) }

    init(_ convolution: kanto_convolution) {
        batch = Int(convolution.batch)
        height = Int(convolution.height)
        width = Int(convolution.width)
        channels = Int(convolution.channels)
        outputChannels = Int(convolution.output_channels)
        kernelHeight = Int(convolution.kernel_height)
        kernelWidth = Int(convolution.kernel_width)
        strideY = Int(convolution.stride_y)
        strideX = Int(convolution.stride_x)
        padTop = Int(convolution.pad_top)
        padLeft = Int(convolution.pad_left)
        dilationY = Int(convolution.dilation_y)
        dilationX = Int(convolution.dilation_x)
        groups = Int(convolution.groups)
        outputHeight = Int(
            kanto_output_extent(
                convolution.height, convolution.pad_top, convolution.pad_bottom, convolution.kernel_height,
                convolution.stride_y, convolution.dilation_y))
        outputWidth = Int(
            kanto_output_extent(
                convolution.width, convolution.pad_left, convolution.pad_right, convolution.kernel_width,
                convolution.stride_x, convolution.dilation_x))
    }

    func inputRow(_ outputRow: Int, tap: Int) -> Int { outputRow * strideY + tap * dilationY - padTop }
    func inputColumn(_ outputColumn: Int, tap: Int) -> Int { outputColumn * strideX + tap * dilationX - padLeft }

    /// The output columns whose tap falls inside the input.
    func outputColumns(tap: Int) -> Range<Int> {
        let offset = inputColumn(0, tap: tap)
        let first = offset >= 0 ? 0 : pieces(-offset, of: strideX)
        let end = offset >= width ? 0 : min(outputWidth, (width - 1 - offset) / strideX + 1)
        return first..<max(first, end)
    }
}

func planForward(_ problem: kanto_problem) throws(Declined) -> Work {
    try check(flagsOf: problem, among: KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS | KANTO_FLAG_DERIVATIVE)
    try check(activationOf: problem, allowed: true)
    let geometry = try validGeometry(problem)
    return Work(
        description: "conv2d_forward, scalar",
        pieceCount: geometry.batch * geometry.outputHeight,
        body: productBody(
            problem, float32: { forwardRow(Float.self, Float.self, Piece($0, $1, $2)) },
            float64: { forwardRow(Double.self, Double.self, Piece($0, $1, $2)) },
            rounded32: { forwardRow(Float.self, RoundedFloat.self, Piece($0, $1, $2)) },
            rounded64: { forwardRow(Double.self, RoundedDouble.self, Piece($0, $1, $2)) }),
        scratchBytesPerWorker: geometry.outputWidth * geometry.groupOutputChannels * MemoryLayout<Double>.stride)
}

/// One row of the output of one sample.
private func forwardRow<T: Element, Factor: Number>(_ type: T.Type, _ factor: Factor.Type, _ piece: Piece) {
    let g = Geometry(piece.problem)
    let (sample, oy) = piece.index.quotientAndRemainder(dividingBy: g.outputHeight)
    let x = piece.input(0, as: Factor.self) + sample * g.height * g.width * g.channels
    let w = piece.input(1, as: Factor.self)
    let bias = piece.input(2, as: T.self)
    let row = piece.index * g.outputWidth * g.outputChannels
    let y = piece.output(0, as: T.self) + row
    let saved = piece.input(2, as: T.self) + row
    let sums = piece.scratch.assumingMemoryBound(to: Double.self)
    let epilogue = Epilogue(piece.problem.pointee)
    let outputs = g.groupOutputChannels

    for group in 0..<g.groups {
        sums.update(repeating: 0, count: g.outputWidth * outputs)
        for ky in 0..<g.kernelHeight {
            let iy = g.inputRow(oy, tap: ky)
            guard iy >= 0 && iy < g.height else { continue }
            for kx in 0..<g.kernelWidth {
                let columns = g.outputColumns(tap: kx)
                for channel in 0..<g.groupChannels {
                    let weights =
                        w + ((ky * g.kernelWidth + kx) * g.groupChannels + channel) * g.outputChannels
                        + group * outputs
                    for ox in columns {
                        let position = iy * g.width + g.inputColumn(ox, tap: kx)
                        let value = x[position * g.channels + group * g.groupChannels + channel].wide
                        addScaled(outputs, value, weights, stride: 1, to: sums + ox * outputs)
                    }
                }
            }
        }
        for ox in 0..<g.outputWidth {
            let place = ox * g.outputChannels + group * outputs
            epilogue.write(
                sums + ox * outputs, to: y + place, bias: bias + group * outputs, saved: saved + place, count: outputs)
        }
    }
}

func planInputGradient(_ problem: kanto_problem) throws(Declined) -> Work {
    try check(flagsOf: problem, among: KANTO_FLAG_ACCUMULATE | KANTO_FLAG_DERIVATIVE)
    try check(activationOf: problem, allowed: problem.flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0)
    let geometry = try validGeometry(problem)
    return Work(
        description: "conv2d_input_gradient, scalar",
        pieceCount: geometry.batch * geometry.height,
        body: productBody(
            problem, float32: { inputGradientRow(Float.self, Float.self, Piece($0, $1, $2)) },
            float64: { inputGradientRow(Double.self, Double.self, Piece($0, $1, $2)) },
            rounded32: { inputGradientRow(Float.self, RoundedFloat.self, Piece($0, $1, $2)) },
            rounded64: { inputGradientRow(Double.self, RoundedDouble.self, Piece($0, $1, $2)) }),
        scratchBytesPerWorker: geometry.width * geometry.groupChannels * MemoryLayout<Double>.stride)
}

/// One row of the input's gradient of one sample.
private func inputGradientRow<T: Element, Factor: Number>(_ type: T.Type, _ factor: Factor.Type, _ piece: Piece) {
    let g = Geometry(piece.problem)
    let (sample, iy) = piece.index.quotientAndRemainder(dividingBy: g.height)
    let dy = piece.input(0, as: Factor.self) + sample * g.outputHeight * g.outputWidth * g.outputChannels
    let w = piece.input(1, as: Factor.self)
    let row = piece.index * g.width * g.channels
    let dx = piece.output(0, as: T.self) + row
    let saved = piece.input(2, as: T.self) + row
    let sums = piece.scratch.assumingMemoryBound(to: Double.self)
    let epilogue = Epilogue(piece.problem.pointee)
    let outputs = g.groupOutputChannels

    for group in 0..<g.groups {
        sums.update(repeating: 0, count: g.width * g.groupChannels)
        for ky in 0..<g.kernelHeight {
            let (oy, remainder) = (iy + g.padTop - ky * g.dilationY).quotientAndRemainder(dividingBy: g.strideY)
            guard remainder == 0 && oy >= 0 && oy < g.outputHeight else { continue }
            for kx in 0..<g.kernelWidth {
                let columns = g.outputColumns(tap: kx)
                for channel in 0..<g.groupChannels {
                    let weights =
                        w + ((ky * g.kernelWidth + kx) * g.groupChannels + channel) * g.outputChannels
                        + group * outputs
                    for ox in columns {
                        let gradient = dy + (oy * g.outputWidth + ox) * g.outputChannels + group * outputs
                        sums[g.inputColumn(ox, tap: kx) * g.groupChannels + channel] += dot(outputs, gradient, weights)
                    }
                }
            }
        }
        for ix in 0..<g.width {
            let place = ix * g.channels + group * g.groupChannels
            epilogue.write(
                sums + ix * g.groupChannels, to: dx + place, bias: saved, saved: saved + place, count: g.groupChannels)
        }
    }
}

// A piece of the weight gradient is one tap and so many input channels: their sums stay in the first-level cache. The last
// piece is the bias gradient, if there is one.
private let channelBlock = 8

func planWeightGradient(_ problem: kanto_problem) throws(Declined) -> Work {
    try check(flagsOf: problem, among: KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS)
    try check(activationOf: problem, allowed: false)
    let geometry = try validGeometry(problem)
    return Work(
        description: "conv2d_weight_gradient, scalar",
        pieceCount: geometry.weightPieces + (problem.flags & UInt32(KANTO_FLAG_BIAS) != 0 ? 1 : 0),
        body: productBody(
            problem, float32: { weightGradientRows(Float.self, Float.self, Piece($0, $1, $2)) },
            float64: { weightGradientRows(Double.self, Double.self, Piece($0, $1, $2)) },
            rounded32: { weightGradientRows(Float.self, RoundedFloat.self, Piece($0, $1, $2)) },
            rounded64: { weightGradientRows(Double.self, RoundedDouble.self, Piece($0, $1, $2)) }),
        scratchBytesPerWorker: channelBlock * geometry.outputChannels * MemoryLayout<Double>.stride)
}

/// The gradient of one tap's weights for a block of input channels.
private func weightGradientRows<T: Element, Factor: Number>(_ type: T.Type, _ factor: Factor.Type, _ piece: Piece) {
    let g = Geometry(piece.problem)
    guard piece.index < g.weightPieces else { return biasGradient(T.self, g, piece) }
    let (tap, block) = piece.index.quotientAndRemainder(dividingBy: pieces(g.groupChannels, of: channelBlock))
    let (ky, kx) = tap.quotientAndRemainder(dividingBy: g.kernelWidth)
    let firstChannel = block * channelBlock
    let channels = min(channelBlock, g.groupChannels - firstChannel)
    let x = piece.input(0, as: Factor.self)
    let dy = piece.input(1, as: Factor.self)
    let dw = piece.output(0, as: T.self) + (tap * g.groupChannels + firstChannel) * g.outputChannels
    let sums = piece.scratch.assumingMemoryBound(to: Double.self)
    let outputs = g.groupOutputChannels
    let columns = g.outputColumns(tap: kx)

    sums.update(repeating: 0, count: channels * g.outputChannels)
    for sample in 0..<g.batch {
        for oy in 0..<g.outputHeight {
            let iy = g.inputRow(oy, tap: ky)
            guard iy >= 0 && iy < g.height else { continue }
            for ox in columns {
                let position = (sample * g.height + iy) * g.width + g.inputColumn(ox, tap: kx)
                let gradient = dy + ((sample * g.outputHeight + oy) * g.outputWidth + ox) * g.outputChannels
                for group in 0..<g.groups {
                    let values = x + position * g.channels + group * g.groupChannels + firstChannel
                    for channel in 0..<channels {
                        addScaled(
                            outputs, values[channel].wide, gradient + group * outputs, stride: 1,
                            to: sums + channel * g.outputChannels + group * outputs)
                    }
                }
            }
        }
    }
    write(sums, to: dw, count: channels * g.outputChannels, piece)
}

/// The sums of the output's gradient over all positions.
private func biasGradient<T: Element>(_ type: T.Type, _ g: Geometry, _ piece: Piece) {
    let dy = piece.input(1, as: T.self)
    let sums = piece.scratch.assumingMemoryBound(to: Double.self)
    sums.update(repeating: 0, count: g.outputChannels)
    for position in 0..<g.batch * g.outputHeight * g.outputWidth {
        addScaled(g.outputChannels, 1, dy + position * g.outputChannels, stride: 1, to: sums)
    }
    write(sums, to: piece.output(1, as: T.self), count: g.outputChannels, piece)
}

/// Writes sums, added to what the output holds where the problem accumulates.
private func write<T: Element>(
    _ sums: UnsafePointer<Double>, to output: UnsafeMutablePointer<T>, count: Int, _ piece: Piece
) {
    let accumulates = piece.problem.pointee.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
    for index in 0..<count { output[index] = T(sums[index] + (accumulates ? output[index].wide : 0)) }
}

extension Geometry {
    /// Pieces of a weight gradient without that of the bias.
    fileprivate var weightPieces: Int { kernelHeight * kernelWidth * pieces(groupChannels, of: channelBlock) }
}

private func validGeometry(_ problem: kanto_problem) throws(Declined) -> Geometry {
    guard problem.function == 0 else {
        throw Declined("a convolution has no function, but \(problem.function) is asked for")
    }
    let c = problem.convolution
    // Up to 31 bits each, so that no position can overflow.
    for size in [
        c.batch, c.height, c.width, c.channels, c.output_channels, c.kernel_height, c.kernel_width,
        c.pad_top, c.pad_left, c.pad_bottom, c.pad_right,
    ] where size < 0 || size > Int32.max { throw Declined("a size or padding is \(size), expected 0 ... \(Int32.max)") }
    for step in [c.stride_y, c.stride_x, c.dilation_y, c.dilation_x, c.groups] where step < 1 || step > Int32.max {
        throw Declined("a stride, dilation or number of groups is \(step), expected 1 ... \(Int32.max)")
    }
    guard c.channels % c.groups == 0 && c.output_channels % c.groups == 0 else {
        throw Declined(
            "\(c.groups) groups do not divide \(c.channels) input channels and \(c.output_channels) output channels")
    }
    let geometry = Geometry(c)
    // Lines of sums, too, whose size does not depend on the batch.
    let outputHeight = Int64(geometry.outputHeight)
    let outputWidth = Int64(geometry.outputWidth)
    try elementCount([max(1, c.batch), max(1, c.height), c.width, c.channels])
    try elementCount([max(1, c.kernel_height), max(1, c.kernel_width), max(1, c.channels), c.output_channels])
    try elementCount([max(1, c.batch), max(1, outputHeight), outputWidth, c.output_channels])
    return geometry
}
