import KantoABI

// The input gradient of few channels (the first layer of a critic, the last of a generator). A tile whose columns are
// channels would leave most lanes empty, so the columns are taps and channels: for some output positions
// [positions, output channels] x [output channels, taps · channels], then each position adds its small window to the
// sample's gradient. That gradient is summed with its padding, so that no window has to be clipped.

private struct ScatterPlan {
    var shape: ConvolutionShape
    /// Of the gradient; the product has none.
    var epilogue: Epilogue
    var product: Product
    /// Numbers in a row of the product: taps · channels, rounded up to whole vectors.
    var windowSize: Int
    /// Tiles of a product that stays in the first-level cache until it is scattered.
    var tilesPerBlock: Int
    /// Extents of the padded gradient, with room for a chunk behind its end.
    var paddedWidth: Int
    var paddedSize: Int

    var productSize: Int { tilesPerBlock &* tileRows &* windowSize }
    var workerSize: Int { roundUp(productSize &+ paddedSize, to: floatsPerLine) }
}

/// A window's row is added in chunks of this many numbers, whatever the instruction set.
private typealias Chunk = SIMD8<Float>

extension ConvolutionShape {
    /// Whether the input gradient is made in this way. Not where it is mostly padding, or steps between the outputs: of that
    /// every worker would hold a copy.
    var hasScatteredInputGradient: Bool {
        guard groupChannels <= 4, outputSize > 0, batch > 0, inputSize > 0 else { return false }
        let paddedSize = Double(vertical.paddedExtent) * Double(horizontal.paddedExtent) * Double(channels)
        return paddedSize <= max(4 * Double(inputSize), 0x1p20)
    }
}

func makeScatteredInputGradient(
    _ shape: ConvolutionShape, _ words: SumWords, _ epilogue: Epilogue, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot
) -> kanto_status {
    let panels = Panels(rowCount: shape.groupOutputChannels, columnCount: shape.weightRows)
    var product = Product(panels: panels, classes: UnsafeMutablePointer<RowClass>.allocate(capacity: 1))
    product.groupStrideA = shape.groupOutputChannels
    product.groupStrideB = panels.size
    product.storesPadding = true
    product.words = words
    let windowSize = roundUp(shape.weightRows, to: Lanes.scalarCount)
    var rowClass = RowClass()
    rowClass.walk.innerCount = shape.groupOutputChannels
    rowClass.walk.innerStrideB = 1
    rowClass.rows.count = shape.outputHeight &* shape.outputWidth
    rowClass.rows.innerCount = rowClass.rows.count
    rowClass.rows.innerStrideA = shape.outputChannels
    rowClass.rows.innerStrideC = windowSize
    product.append(rowClass)
    product.fit(host, countA: shape.outputSize)
    let plan = ScatterPlan(
        shape: shape, epilogue: epilogue, product: product, windowSize: windowSize,
        tilesPerBlock: min(max(4096 / (tileRows &* windowSize), 1), product.tileCount),
        paddedWidth: shape.horizontal.paddedExtent,
        paddedSize: shape.vertical.paddedExtent &* shape.horizontal.paddedExtent &* shape.channels
            &+ Chunk.scalarCount)
    let scratch = roundUp(shape.groups &* panels.size, to: floatsPerLine) &+ Int(host.pointee.thread_count) &* plan.workerSize
    return makeKernel(
        slot, "conv2d_input_gradient", tile: tileName, plan, scratchBytes: 4 &* scratch, owned: plan.product.classes,
        run: runScatter)
}

extension ConvolutionAxis {
    /// From the first tap of the first output to the last tap of the last, and at least the input behind its padding.
    fileprivate var paddedExtent: Int {
        max((output &- 1) &* stride &+ (kernel &- 1) &* dilation &+ 1, pad &+ input)
    }
}

private struct ScatterJob {
    var plan: UnsafePointer<MadeKernel<ScatterPlan>>
    var dy: UnsafePointer<Float>
    var packed: UnsafePointer<Float>
    var workers: UnsafeMutablePointer<Float>
    var dx: UnsafeMutablePointer<Float>
    var epilogue: Epilogue
}

private let runScatter: RunFunction = { kernel, arguments, _ in
    let made = madeKernel(at: kernel!, as: ScatterPlan.self)
    let host = arguments!.pointee.host!
    let shape = made.pointee.plan.shape
    let product = made.pointee.plan.product
    let packed = arguments!.pointee.scratch!.assumingMemoryBound(to: Float.self)
    packInParallel(
        host,
        PackJob(
            panels: product.panels,
            layout: PanelSource(
                rowsPerBlock: shape.groupOutputChannels, rowStride: 1, columnStride: shape.outputChannels),
            groupCount: shape.groups, groupStrideSource: shape.groupOutputChannels,
            groupStridePacked: product.panels.size,
            source: kanto_input(arguments, 1)!.assumingMemoryBound(to: Float.self), packed: packed))
    var job = ScatterJob(
        plan: made, dy: kanto_input(arguments, 0)!.assumingMemoryBound(to: Float.self), packed: packed,
        workers: packed + roundUp(shape.groups &* product.panels.size, to: floatsPerLine),
        dx: kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self), epilogue: made.pointee.plan.epilogue)
    job.epilogue.derivative.setSaved(kanto_input(arguments, 2), output: job.dx)
    parallelFor(host, count: shape.batch, &job) { context, index, worker in
        context!.assumingMemoryBound(to: ScatterJob.self).pointee.computeSample(Int(index), worker: Int(worker))
    }
    return kanto_status(KANTO_STATUS_OK)
}

extension ScatterJob {
    func computeSample(_ sample: Int, worker: Int) {
        let plan = plan.pointee.plan
        let shape = plan.shape
        let products = workers + worker &* plan.workerSize
        let padded = products + plan.productSize
        fillWithZeros(padded, plan.paddedSize)
        for group in 0..<shape.groups {
            var tile = 0
            while tile < plan.product.tileCount {
                let end = min(tile &+ plan.tilesPerBlock, plan.product.tileCount)
                let first = tile &* tileRows
                plan.product.compute(
                    group: group, panels: 0..<plan.product.panels.count, tiles: tile..<end,
                    ProductOperands(
                        a: dy + sample &* shape.outputSize, b: packed, c: products - first &* plan.windowSize))
                let positions = first..<min(end &* tileRows, shape.outputHeight &* shape.outputWidth)
                scatter(positions, products, to: padded + group &* shape.groupChannels)
                tile = end
            }
        }
        let rowSize = shape.width &* shape.channels
        for row in 0..<shape.height {
            let source =
                padded
                + ((row &+ shape.vertical.pad) &* plan.paddedWidth &+ shape.horizontal.pad) &* shape.channels
            epilogue.store(source, count: rowSize, to: dx + (sample &* shape.height &+ row) &* rowSize)
        }
    }

    /// Adds the window [kernel height, kernel width, channels] of each position to the padded gradient.
    private func scatter(
        _ positions: Range<Int>, _ products: UnsafePointer<Float>, to padded: UnsafeMutablePointer<Float>
    ) {
        let plan = plan.pointee.plan
        let shape = plan.shape
        let runSize = shape.kernelWidth &* shape.groupChannels
        let tapStride = shape.dilationY &* plan.paddedWidth &* shape.channels
        // In a run's last chunk the lanes past its end add nothing; the product has room there, as has the gradient.
        let tail = runSize % Chunk.scalarCount
        let whole = runSize &- tail
        let indices = SIMD8<UInt32>(0, 1, 2, 3, 4, 5, 6, 7)
        let mask = SIMD8<UInt32>.zero.replacing(with: SIMD8(repeating: .max), where: indices .< UInt32(tail))
        let readsPastRun = plan.windowSize &- shape.weightRows >= Chunk.scalarCount &- tail
        var window = products
        for position in positions {
            let row = position / shape.outputWidth
            let column = position &- row &* shape.outputWidth
            let origin = row &* shape.vertical.stride &* plan.paddedWidth &+ column &* shape.horizontal.stride
            var target = padded + origin &* shape.channels
            var source = window
            for tap in 0..<shape.kernelHeight {
                if shape.hasContiguousRows {
                    var i = 0
                    while i < whole {
                        addChunk(loadChunk(source + i), to: target + i)
                        i &+= Chunk.scalarCount
                    }
                    if tail > 0 {
                        if readsPastRun || tap &+ 1 < shape.kernelHeight && runSize >= Chunk.scalarCount {
                            let bits = unsafeBitCast(loadChunk(source + i), to: SIMD8<UInt32>.self) & mask
                            addChunk(unsafeBitCast(bits, to: Chunk.self), to: target + i)
                        } else {
                            while i < runSize {
                                target[i] += source[i]
                                i &+= 1
                            }
                        }
                    }
                } else {
                    for kernelColumn in 0..<shape.kernelWidth {
                        for channel in 0..<shape.groupChannels {
                            target[kernelColumn &* shape.dilationX &* shape.channels &+ channel] +=
                                source[kernelColumn &* shape.groupChannels &+ channel]
                        }
                    }
                }
                source += runSize
                target += tapStride
            }
            window += plan.windowSize
        }
    }
}

@inline(__always) private func loadChunk(_ source: UnsafePointer<Float>) -> Chunk {
    UnsafeRawPointer(source).loadUnaligned(as: Chunk.self)
}

@inline(__always) private func addChunk(_ chunk: Chunk, to target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: loadChunk(target) + chunk, as: Chunk.self)
}

func fillWithZeros(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    target.update(repeating: 0, count: count)
}
