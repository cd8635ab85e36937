import KantoABI

// Forward convolution and input gradient by minimal filtering, in five steps:
//
//   1. taps to points, U = G w Gᵀ, packed as the right sides of the products (FilteredWeights.swift),
//   and for a block of tiles at a time, which stays in the second-level cache,
//   2. patches of what is read to points, V = Bᵀ d B (FilteredPatches.swift),
//   3. a product for each pair of points, M = V U, by the tiles of matmul,
//   4. points to outputs, y = Aᵀ M A, and
//   5. the epilogue (FilteredOutputs.swift).
//
// PointTransforms.swift has the matrices, FilteredAxis.swift strides and phases, FilteredPart.swift which products there are.

/// Of one problem, forward or input gradient.
struct FilteredPlan {
    var batch: Int
    var groups: Int
    /// Channels of a group that are read, and written.
    var inner: Int
    var outer: Int
    var strides: ConvolutionShape.RowStrides
    /// The forward convolution has one part, the input gradient one for each pair of phases.
    var parts: UnsafeMutablePointer<FilteredPart>
    var partCount = 0
    var weights: FilteredWeights
    var epilogue: Epilogue
    var hasBias: Bool
    var tilesPerBlock = 0
    var workerCount: Int

    /// Numbers of the transformed weights of all groups.
    var weightCount: Int { groups &* weights.countPerGroup }

    /// The tiles of a part, in blocks.
    func blockCount(_ part: Int) -> Int {
        let tiles = batch &* parts[part].tilesPerSample
        return (tiles &+ tilesPerBlock &- 1) / tilesPerBlock
    }
}

extension FilteredPlan {
    /// - Parameter outputs: of a tile along each axis; nil where tiles do not serve the shape, for which there is no plan.
    init?(
        _ shape: ConvolutionShape, isAdjoint: Bool, outputs: Int?, _ requested: RequestedEpilogue,
        _ host: UnsafePointer<kanto_host>
    ) {
        guard let outputs else { return nil }
        batch = shape.batch
        groups = shape.groups
        inner = isAdjoint ? shape.groupOutputChannels : shape.groupChannels
        outer = isAdjoint ? shape.groupChannels : shape.groupOutputChannels
        strides = isAdjoint ? shape.adjointStrides : shape.forwardStrides
        epilogue = requested.epilogue
        hasBias = requested.hasBias
        workerCount = Int(host.pointee.thread_count)
        weights = FilteredWeights(
            inner: inner, outer: outer, kernelHeight: shape.kernelHeight, kernelWidth: shape.kernelWidth,
            tapStride: shape.groupChannels &* shape.outputChannels, rowStride: isAdjoint ? 1 : shape.outputChannels,
            columnStride: isAdjoint ? shape.outputChannels : 1, groupStride: shape.groupOutputChannels)
        let (phasesY, phasesX) = isAdjoint ? (shape.vertical.stride, shape.horizontal.stride) : (1, 1)
        parts = .allocate(capacity: phasesY &* phasesX)
        for y in 0..<phasesY {
            for x in 0..<phasesX {
                append(
                    isAdjoint
                        ? FilteredPart(
                            vertical: shape.vertical.filteredAdjoint(phase: y, outputs: outputs),
                            horizontal: shape.horizontal.filteredAdjoint(phase: x, outputs: outputs), depth: weights.depth)
                        : FilteredPart(
                            vertical: shape.vertical.filteredForward(outputs: outputs),
                            horizontal: shape.horizontal.filteredForward(outputs: outputs), depth: weights.depth))
            }
        }
        tilesPerBlock = chooseTilesPerBlock(host)
    }

    private mutating func append(_ part: FilteredPart) {
        var part = part
        if part.tilesPerSample == 0 { return }
        part.firstWeight = weights.countPerGroup
        weights.countPerGroup &+= part.totalDepth &* weights.panelColumns
        (parts + partCount).initialize(to: part)
        partCount &+= 1
    }

    /// How many tiles make a block: few enough that their points stay in the second-level cache, more where the transformed weights,
    /// which each block reads once, come from memory (256 to 512 channels by 5x5 at 8x8: a quarter faster with 96 than with 24) or
    /// from the third-level cache (128 to 256 at 16x16: a tenth), unless the problem is so small that the blocks' scratch shows
    /// beside its operands (a twentieth of a critic step's on 28x28 images); and so that each thread finds some. Tiles do not
    /// depend on each other, so this changes no result.
    private func chooseTilesPerBlock(_ host: UnsafePointer<kanto_host>) -> Int {
        var largest = 0
        var tiles = 0
        for index in 0..<partCount {
            largest = max(largest, parts[index].totalDepth &* weights.panelColumns)
            tiles = max(tiles, batch &* parts[index].tilesPerSample)
        }
        let perThread = tiles &* groups &* partCount / (2 &* Int(host.pointee.thread_count))
        let byteCount = 4 &* largest
        let few = byteCount < 8 << 20 && (byteCount < 4 << 20 || tiles < 2048) ? 24 : 96
        return max(tileRows, min(few, roundUp(perThread, to: tileRows)))
    }

    /// What a worker needs of the scratch.
    private var workerLayout: FilteredWorkerLayout { FilteredWorkerLayout(self, tiles: tilesPerBlock) }
}

/// Puts a kernel of the plan into the slot.
func makeFiltered(_ plan: FilteredPlan, _ operation: StaticString, _ slot: KernelSlot) -> kanto_status {
    makeKernel(slot, operation, tile: plan.tileName, plan, scratchBytes: plan.scratchBytes, owned: plan.parts) {
        kernel, arguments, _ in
        let plan = madeKernel(at: kernel!, as: FilteredPlan.self).pointee.plan
        plan.run(
            arguments!.pointee.host!, source: floats(kanto_input(arguments, 0))!, weights: floats(kanto_input(arguments, 1))!,
            target: kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self),
            bias: plan.hasBias ? floats(kanto_input(arguments, 2)) : nil, saved: kanto_input(arguments, 2),
            scratch: arguments!.pointee.scratch!)
        return kanto_status(KANTO_STATUS_OK)
    }
}

/// What the threads of one run share.
struct FilteredJob {
    var plan: FilteredPlan
    var layout: FilteredWorkerLayout
    var source: UnsafePointer<Float>
    var weights: UnsafePointer<Float>
    var transformed: UnsafePointer<Float>
    var target: UnsafeMutablePointer<Float>
    var bias: UnsafePointer<Float>?
    var zeros: UnsafePointer<Float>
    /// Of the first worker.
    var scratch: UnsafeMutablePointer<Float>
}

extension FilteredPlan {
    var zeroCount: Int { roundUp(weights.depth, to: floatsPerLine) }

    var scratchBytes: Int {
        4
            &* (roundUp(weightCount, to: floatsPerLine) &+ zeroCount &+ workerCount &* workerLayout.floatCount
                &+ workerCount &* weights.stageCount)
    }

    /// Computes everything; `scratch` has `scratchBytes`, aligned to a line.
    func run(
        _ host: UnsafePointer<kanto_host>, source: UnsafePointer<Float>, weights: UnsafePointer<Float>,
        target: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?, saved: UnsafeRawPointer?,
        scratch: UnsafeMutableRawPointer
    ) {
        let transformed = scratch.assumingMemoryBound(to: Float.self)
        let zeros = transformed + roundUp(weightCount, to: floatsPerLine)
        let workers = zeros + zeroCount
        let layout = workerLayout
        fillWithZeros(zeros, zeroCount)
        transformWeights(host, weights, to: transformed, stages: workers + workerCount &* layout.floatCount)
        var job = FilteredJob(
            plan: self, layout: layout, source: source, weights: weights, transformed: UnsafePointer(transformed), target: target,
            bias: bias, zeros: UnsafePointer(zeros), scratch: workers)
        job.plan.epilogue.derivative.setSaved(saved, output: target)
        var count = 0
        for part in 0..<partCount { count = max(count, blockCount(part)) }
        // The parts of a block read the same positions.
        parallelFor(host, count: groups &* count &* partCount, &job) { context, index, worker in
            let job = context!.assumingMemoryBound(to: FilteredJob.self)
            let plan = job.pointee.plan
            let part = Int(index) % plan.partCount
            let block = Int(index) / plan.partCount / plan.groups
            let tiles = plan.batch &* plan.parts[part].tilesPerSample
            let first = block &* plan.tilesPerBlock
            if first >= tiles { return }
            FilteredBlock(
                job, part: part, group: Int(index) / plan.partCount % plan.groups,
                tiles: first..<min(first &+ plan.tilesPerBlock, tiles), worker: Int(worker)
            ).compute()
        }
    }
}

/// Some tiles of one part and group.
struct FilteredBlock {
    let worker: FilteredWorker
    let tiles: Range<Int>
    /// Of the group.
    let target: UnsafeMutablePointer<Float>
    let weights: UnsafePointer<Float>
    let transformed: UnsafePointer<Float>
    let epilogue: Epilogue
    /// Of each tile, in V and in M.
    let offsetsV: UnsafeMutablePointer<Int>
    let offsetsM: UnsafeMutablePointer<Int>

    var plan: FilteredPlan { worker.plan }
    var part: FilteredPart { worker.part }
    var layout: FilteredWorkerLayout { worker.layout }
    /// V and M.
    var points: UnsafeMutablePointer<Float> { worker.scratch }
    var products: UnsafeMutablePointer<Float> { worker.scratch + layout.offsetM }

    init(_ job: UnsafePointer<FilteredJob>, part: Int, group: Int, tiles: Range<Int>, worker number: Int) {
        let (plan, layout) = (job.pointee.plan, job.pointee.layout)
        worker = FilteredWorker(
            plan, layout, part: part, source: job.pointee.source + group &* plan.inner, zeros: job.pointee.zeros,
            scratch: job.pointee.scratch + number &* layout.floatCount)
        self.tiles = tiles
        target = job.pointee.target + group &* plan.outer
        weights = job.pointee.weights + group &* plan.weights.groupStride
        transformed = job.pointee.transformed + (group &* plan.weights.countPerGroup &+ plan.parts[part].firstWeight)
        var epilogue = plan.epilogue
        if let bias = job.pointee.bias { epilogue.bias = bias + group &* plan.outer }
        self.epilogue = epilogue
        (offsetsV, offsetsM) = (worker.table(0), worker.table(1))
    }

    func compute() {
        for tile in 0..<roundUp(tiles.count, to: tileRows) {
            offsetsV[tile] = tile &* layout.pitchV
            offsetsM[tile] = tile &* layout.pitchM
        }
        var position = TilePosition(part, tile: tiles.lowerBound)
        for tile in 0..<tiles.count {
            let row = points + offsetsV[tile]
            let current = position
            position.advance(part)
            worker.prefetchPatches(position)
            worker.transformPatches(current, step: Lanes.scalarCount) { product in row + product &* layout.strideV }
        }
        multiply()
        position = TilePosition(part, tile: tiles.lowerBound)
        for tile in 0..<tiles.count {
            finish(position, products + offsetsM[tile])
            position.advance(part)
        }
    }

    /// M = V U for each pair of points. Rows past the last tile multiply what is left there, and are not read.
    private func multiply() {
        withBorderSums { borderSums in
            part.forEachProduct { pair in
                let panels = Panels(rowCount: pair.depth, columnCount: plan.outer)
                let right = transformed + pair.firstRow &* plan.weights.panelColumns
                let left = points + pair.number &* layout.strideV
                let target = products + pair.number &* layout.strideM
                for panel in 0..<panels.count {
                    let width = panels.vectors(panel) &* Lanes.scalarCount
                    let columns = right + panels.offset(panel)
                    let sums = target + panel &* Panels.fullWidth
                    var task = TileTask(
                        a: left, offsetsA: offsetsV, c: sums, offsetsC: offsetsM, panel: columns,
                        lookahead: Lookahead(address: columns), rowCount: roundUp(tiles.count, to: tileRows), columnCount: width,
                        nextC: sums, nextOffsetsC: offsetsM, borderSums: borderSums)
                    task.walk.innerCount = pair.depth
                    task.walk.innerStrideB = width
                    computeTiles(&task, vectorCount: panels.vectors(panel))
                }
            }
        }
    }
}

/// A sample, and the first output of a tile along each axis.
struct TilePosition {
    var sample: Int
    var y: Int
    var x: Int

    init(_ part: FilteredPart, tile: Int) {
        sample = tile / part.tilesPerSample
        let rest = tile % part.tilesPerSample
        y = rest / part.horizontal.tileCount &* part.vertical.outputs
        x = rest % part.horizontal.tileCount &* part.horizontal.outputs
    }

    @inline(__always) mutating func advance(_ part: FilteredPart) {
        x &+= part.horizontal.outputs
        if x < part.horizontal.count { return }
        x = 0
        y &+= part.vertical.outputs
        if y < part.vertical.count { return }
        y = 0
        sample &+= 1
    }
}
