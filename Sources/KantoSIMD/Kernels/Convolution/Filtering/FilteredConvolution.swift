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
        batch = max(shape.batch, 0)
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
    /// which each block reads once, come from memory (256 to 512 channels by 5x5 at 8x8: a quarter faster with 96 than with 24; 128
    /// to 256: up to a tenth with 48, which takes a twentieth more memory for a critic step on 28x28 images); and so that each
    /// thread finds some. Tiles do not depend on each other, so this changes no result.
    private func chooseTilesPerBlock(_ host: UnsafePointer<kanto_host>) -> Int {
        var largest = 0
        var tiles = 0
        for index in 0..<partCount {
            largest = max(largest, parts[index].totalDepth &* weights.panelColumns)
            tiles = max(tiles, batch &* parts[index].tilesPerSample)
        }
        let perThread = tiles &* groups &* partCount / (2 &* Int(host.pointee.thread_count))
        let few = 4 &* largest < 8 << 20 ? 24 : 96
        return max(tileRows, min(few, roundUp(perThread, to: tileRows)))
    }

    /// What a worker needs of the scratch, in floats.
    var workerLayout: FilteredWorkerLayout { FilteredWorkerLayout(self) }
}

/// How a worker's scratch is divided, in floats. Rows and products are some lines longer than they need be, which keeps them off the
/// same sets of a cache.
struct FilteredWorkerLayout {
    /// From one tile to the next, and from one product to the next, of what is read (V) and of products (M).
    let pitchV, strideV, pitchM, strideM: Int
    let offsetM, offsetSums, offsetStage, offsetTail: Int
    /// Offsets of tiles in V and M.
    let offsetTables: Int
    let floatCount: Int

    init(_ plan: FilteredPlan) {
        var products = 1
        var depth = 0
        for index in 0..<plan.partCount {
            products = max(products, plan.parts[index].productCount)
            depth = max(depth, plan.parts[index].greatestDepth)
        }
        let tiles = roundUp(plan.tilesPerBlock, to: tileRows)
        pitchV = roundUp(depth, to: floatsPerLine) &+ floatsPerLine
        strideV = tiles &* pitchV &+ 5 &* floatsPerLine
        pitchM = roundUp(plan.weights.panelColumns, to: floatsPerLine) &+ floatsPerLine
        strideM = tiles &* pitchM &+ 5 &* floatsPerLine
        offsetM = products &* strideV
        offsetSums = offsetM &+ products &* strideM
        offsetStage = offsetSums &+ mostOutputs &* mostOutputs &* pitchM
        offsetTail = offsetStage &+ roundUp(PlaneStage.floatCount, to: floatsPerLine)
        offsetTables = offsetTail &+ mostPoints &* mostPoints &* Lanes.scalarCount
        floatCount = roundUp(offsetTables &+ 2 &* 2 &* max(tiles, mostPoints &* mostPoints), to: floatsPerLine)
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
    /// As many zeros as there are channels: what padding reads.
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
    let plan: FilteredPlan
    let part: FilteredPart
    let layout: FilteredWorkerLayout
    let tiles: Range<Int>
    /// Of the group.
    let source: UnsafePointer<Float>
    let target: UnsafeMutablePointer<Float>
    let weights: UnsafePointer<Float>
    let transformed: UnsafePointer<Float>
    let epilogue: Epilogue
    let zeros: UnsafePointer<Float>
    /// The parts of the worker's scratch.
    let points: UnsafeMutablePointer<Float>
    let products: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Float>
    let plane: PlaneStage
    let tail: UnsafeMutablePointer<Float>
    let offsetsV: UnsafeMutablePointer<Int>
    let offsetsM: UnsafeMutablePointer<Int>

    init(_ job: UnsafePointer<FilteredJob>, part index: Int, group: Int, tiles: Range<Int>, worker: Int) {
        plan = job.pointee.plan
        part = plan.parts[index]
        layout = job.pointee.layout
        self.tiles = tiles
        source = job.pointee.source + group &* plan.inner
        target = job.pointee.target + group &* plan.outer
        weights = job.pointee.weights + group &* plan.weights.groupStride
        transformed = job.pointee.transformed + (group &* plan.weights.countPerGroup &+ part.firstWeight)
        var epilogue = plan.epilogue
        if let bias = job.pointee.bias { epilogue.bias = bias + group &* plan.outer }
        self.epilogue = epilogue
        zeros = job.pointee.zeros
        let scratch = job.pointee.scratch + worker &* layout.floatCount
        points = scratch
        products = scratch + layout.offsetM
        sums = scratch + layout.offsetSums
        plane = PlaneStage(scratch + layout.offsetStage)
        tail = scratch + layout.offsetTail
        offsetsV = UnsafeMutableRawPointer(scratch + layout.offsetTables).assumingMemoryBound(to: Int.self)
        offsetsM = offsetsV + max(roundUp(plan.tilesPerBlock, to: tileRows), mostPoints &* mostPoints)
    }

    func compute() {
        for tile in 0..<roundUp(tiles.count, to: tileRows) {
            offsetsV[tile] = tile &* layout.pitchV
            offsetsM[tile] = tile &* layout.pitchM
        }
        var position = TilePosition(part, tile: tiles.lowerBound)
        for tile in 0..<tiles.count {
            let target = PointTargets(start: points + offsetsV[tile], product: layout.strideV, vector: Lanes.scalarCount)
            let current = position
            position.advance(part)
            prefetchPatches(position)
            transformPatches(current, to: target)
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
            var product = 0
            for v in 0..<part.vertical.pointCount {
                for h in 0..<part.horizontal.pointCount {
                    let depth = part.depth(v, h)
                    let panels = Panels(rowCount: depth, columnCount: plan.outer)
                    let right = transformed + part.firstRow(v, h) &* plan.weights.panelColumns
                    let left = points + product &* layout.strideV
                    let target = products + product &* layout.strideM
                    for panel in 0..<panels.count {
                        let vectors = panels.vectors(panel)
                        let columns = right + panels.offset(panel)
                        var task = TileTask(
                            a: left, offsetsA: offsetsV, c: target + panel &* Panels.fullWidth, offsetsC: offsetsM,
                            panel: columns,
                            lookahead: Lookahead(address: columns), rowCount: roundUp(tiles.count, to: tileRows),
                            columnCount: vectors &* Lanes.scalarCount, nextC: target + panel &* Panels.fullWidth,
                            nextOffsetsC: offsetsM, borderSums: borderSums)
                        task.walk.innerCount = depth
                        task.walk.innerStrideB = vectors &* Lanes.scalarCount
                        computeTiles(&task, vectorCount: vectors)
                    }
                    product &+= 1
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
