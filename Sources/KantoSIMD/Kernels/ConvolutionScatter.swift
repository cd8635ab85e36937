import KantoABI

// The input gradient of few channels (the first layer of a critic, the last of a generator). A tile whose columns are
// channels would leave most lanes empty, so the columns are taps and channels: for each sample
// [output positions, output channels] x [output channels, taps · channels], then each position adds its small window.

private struct ScatterPlan {
    var shape: ConvolutionShape
    var accumulates: Bool
    var product: Product
    /// Numbers of one worker's product.
    var productSize: Int
}

func makeScatteredInputGradient(
    _ shape: ConvolutionShape, accumulates: Bool, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot
) -> kanto_status {
    let panels = Panels(rowCount: shape.groupOutputChannels, columnCount: shape.weightRows)
    var product = Product(panels: panels, classes: UnsafeMutablePointer<RowClass>.allocate(capacity: 1))
    product.groupStrideA = shape.groupOutputChannels
    product.groupStrideB = panels.size
    product.fit(host)
    var rowClass = RowClass()
    rowClass.walk.innerCount = shape.groupOutputChannels
    rowClass.walk.innerStrideB = 1
    rowClass.rows.count = shape.outputHeight &* shape.outputWidth
    rowClass.rows.innerCount = rowClass.rows.count
    rowClass.rows.innerStrideA = shape.outputChannels
    rowClass.rows.innerStrideC = shape.weightRows
    product.append(rowClass)
    let size = roundUp(rowClass.rows.count &* shape.weightRows, to: 16)
    let plan = ScatterPlan(shape: shape, accumulates: accumulates, product: product, productSize: size)
    let scratch = roundUp(shape.groups &* panels.size, to: 16) &+ Int(host.pointee.thread_count) &* size
    return makeKernel(slot, "conv2d_input_gradient", plan, scratchFloats: scratch, run: runScatter) { kernel in
        let made = UnsafeMutableRawPointer(kernel!).assumingMemoryBound(to: MadeKernel<ScatterPlan>.self)
        made.pointee.plan.product.classes.deallocate()
        made.deallocate()
    }
}

private struct ScatterJob {
    var plan: UnsafePointer<MadeKernel<ScatterPlan>>
    var dy: UnsafePointer<Float>
    var packed: UnsafePointer<Float>
    var products: UnsafeMutablePointer<Float>
    var dx: UnsafeMutablePointer<Float>
}

private let runScatter: RunFunction = { kernel, arguments, _ in
    let made = plan(of: kernel!, as: ScatterPlan.self)
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
            source: arguments!.pointee.inputs.1!.assumingMemoryBound(to: Float.self), packed: packed))
    var job = ScatterJob(
        plan: made, dy: arguments!.pointee.inputs.0!.assumingMemoryBound(to: Float.self), packed: packed,
        products: packed + roundUp(shape.groups &* product.panels.size, to: 16),
        dx: arguments!.pointee.outputs.0!.assumingMemoryBound(to: Float.self))
    parallelFor(host, count: shape.batch, &job) { context, index, worker in
        let job = context!.assumingMemoryBound(to: ScatterJob.self).pointee
        let shape = job.plan.pointee.plan.shape
        let product = job.plan.pointee.plan.product
        let products = job.products + Int(worker) &* job.plan.pointee.plan.productSize
        let dx = job.dx + Int(index) &* shape.inputSize
        if !job.plan.pointee.plan.accumulates { fillWithZeros(dx, shape.inputSize) }
        for group in 0..<shape.groups {
            for panel in 0..<product.panels.count {
                // The product is per group, so that the worker's space is that of one.
                product.compute(
                    group: group, panel: panel, tiles: 0..<product.tileCount,
                    a: job.dy + Int(index) &* shape.outputSize, packed: job.packed, c: products, bias: nil)
            }
            scatter(shape, products, to: dx + group &* shape.groupChannels)
        }
    }
    return kanto_status(KANTO_STATUS_OK)
}

/// Adds the window [kernel height, kernel width, channels] of each output position to the input gradient of a sample.
private func scatter(
    _ shape: ConvolutionShape, _ products: UnsafePointer<Float>, to dx: UnsafeMutablePointer<Float>
) {
    let channels = shape.groupChannels
    let stepX = shape.dilationX &* shape.channels
    var window = products
    for row in 0..<shape.outputHeight {
        let top = row &* shape.vertical.stride &- shape.vertical.pad
        for column in 0..<shape.outputWidth {
            let left = column &* shape.horizontal.stride &- shape.horizontal.pad
            var first = 0
            while first < shape.kernelWidth && left &+ first &* shape.dilationX < 0 { first &+= 1 }
            var end = shape.kernelWidth
            while end > first && left &+ (end &- 1) &* shape.dilationX >= shape.width { end &-= 1 }
            for tap in 0..<shape.kernelHeight {
                let y = top &+ tap &* shape.dilationY
                if y < 0 || y >= shape.height || first == end { continue }
                var source = window + (tap &* shape.kernelWidth &+ first) &* channels
                var target = dx + (y &* shape.width &+ left &+ first &* shape.dilationX) &* shape.channels
                if shape.hasContiguousRows {
                    for i in 0..<(end &- first) &* channels { target[i] += source[i] }
                } else {
                    for _ in first..<end {
                        for i in 0..<channels { target[i] += source[i] }
                        source += channels
                        target += stepX
                    }
                }
            }
            window += shape.weightRows
        }
    }
}

func fillWithZeros(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    target.update(repeating: 0, count: count)
}
