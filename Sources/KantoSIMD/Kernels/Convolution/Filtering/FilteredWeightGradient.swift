import KantoABI

// The weight gradient by minimal filtering, the adjoint of the forward one in its weights (FilteredConvolution.swift):
//
//   1. for a block of tiles, patches of the input to points, V = Bᵀ d B, and the outputs' gradient to points, Y = A dy Aᵀ,
//   2. a product for each pair of points with the tiles as its inner dimension, dU += Vᵀ Y, and after the last block
//   3. points to the gradient of the taps, dw = Gᵀ dU G.
//
// All threads work on one block, so neither the blocks nor the order of any sum depends on how many threads there are.

struct FilteredWeightGradient {
    /// Reads the input, as the forward convolution does. Its epilogue and its weights are not used.
    var forward: FilteredPlan
    var outputChannels: Int
    var accumulates: Bool
    /// Tiles of a block.
    var blockLimit = 0

    var part: FilteredPart { forward.parts[0] }
    var tileCount: Int { forward.batch &* part.tilesPerSample }
    /// Of one panel of dU and Y.
    var columns: Int { roundUp(forward.outer, to: Lanes.scalarCount) }
    var blockCount: Int { (tileCount &+ blockLimit &- 1) / blockLimit }

    init(_ forward: FilteredPlan, outputChannels: Int, accumulates: Bool) {
        self.forward = forward
        self.outputChannels = outputChannels
        self.accumulates = accumulates
        // The points of tiles stand in the shared scratch.
        self.forward.tilesPerBlock = 0
        let perTile = part.totalDepth &+ part.productCount &* columns
        // Each block reads and writes all of dU once: so many tiles that their own points are nearly as many numbers.
        let paying = 7 &* part.totalDepth &* columns / (8 &* max(perTile, 1))
        let limit = min(max(roundUp(paying, to: tilesPerPiece), leastTiles), mostTiles)
        blockLimit = min(roundUp(balanced(max(tileCount, 1), limit), to: tilesPerPiece), limit)
    }

    /// How the scratch is divided, in floats: dU, then V as [vectors of channels, tiles, a vector] and Y as panels [tiles, width],
    /// product by product, then zeros and what each worker needs.
    var sumCount: Int { roundUp(part.totalDepth &* columns, to: floatsPerLine) }
    var packedCount: Int { roundUp(part.totalDepth &* blockLimit, to: floatsPerLine) }
    var panelCount: Int { roundUp(part.productCount &* columns &* blockLimit, to: floatsPerLine) }
    var scratchCount: Int {
        forward.groups &* sumCount &+ packedCount &+ panelCount &+ forward.zeroCount &+ outputZeroCount
            &+ forward.workerCount &* forward.workerLayout.floatCount &+ floatsPerLine
    }
    var outputZeroCount: Int { roundUp(columns, to: floatsPerLine) }
}

/// Tiles that are transformed at once by a thread, whose points are still in its cache when they are packed.
private var tilesPerPiece: Int { 8 }
private var leastTiles: Int { 96 }
private var mostTiles: Int { 768 }
/// Tiles of rows of a product that a thread takes at once, for all panels in turn.
private var rowTilesPerPiece: Int { 8 }

private struct FilteredWeightGradientJob {
    var plan: FilteredWeightGradient
    var forward: FilteredJob
    var dy: UnsafePointer<Float>
    var dw: UnsafeMutablePointer<Float>
    var sums: UnsafeMutablePointer<Float>
    var packed: UnsafeMutablePointer<Float>
    var panels: UnsafeMutablePointer<Float>
    var outputZeros: UnsafePointer<Float>
    /// Not zero where a sum is not finite.
    var flag: UnsafeMutablePointer<Float>
    var group = 0
    var tiles = 0..<0
}

extension FilteredWeightGradient {
    /// Computes everything. Returns false if a sum is not finite; then nothing is to be read of the output, which nothing was added
    /// to, and the direct sums are wanted.
    func run(
        _ host: UnsafePointer<kanto_host>, x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) -> Bool {
        let packed = scratch + forward.groups &* sumCount
        let panels = packed + packedCount
        let zeros = panels + panelCount
        let workers = zeros + (forward.zeroCount &+ outputZeroCount)
        let flag = workers + forward.workerCount &* forward.workerLayout.floatCount
        fillWithZeros(zeros, forward.zeroCount &+ outputZeroCount)
        var job = FilteredWeightGradientJob(
            plan: self,
            forward: FilteredJob(
                plan: forward, layout: forward.workerLayout, source: x, weights: x, transformed: x, target: dw, bias: nil,
                zeros: zeros,
                scratch: workers),
            dy: dy, dw: dw, sums: scratch, packed: packed, panels: panels, outputZeros: zeros + forward.zeroCount, flag: flag)
        flag.pointee = 0
        for group in 0..<forward.groups {
            job.group = group
            for block in 0..<blockCount {
                job.tiles = block &* tileCount / blockCount..<(block &+ 1) &* tileCount / blockCount
                job.addBlock(host)
            }
        }
        let channels = forward.groups &* forward.inner
        parallelFor(host, count: channels, &job) { context, index, _ in
            context!.assumingMemoryBound(to: FilteredWeightGradientJob.self).pointee.check(channel: Int(index))
        }
        if flag.pointee != 0 { return false }
        parallelFor(host, count: channels, &job) { context, index, worker in
            context!.assumingMemoryBound(to: FilteredWeightGradientJob.self).pointee
                .gather(channel: Int(index), worker: Int(worker))
        }
        return true
    }

    fileprivate func rowTiles(_ v: Int, _ h: Int) -> Int { roundUp(part.depth(v, h), to: tileRows) / tileRows }
    /// Of a product.
    fileprivate func pieces(_ v: Int, _ h: Int) -> Int { (rowTiles(v, h) &+ rowTilesPerPiece &- 1) / rowTilesPerPiece }
    fileprivate var productPieces: Int {
        var count = 0
        forEachProduct { v, h, _ in count &+= pieces(v, h) }
        return count
    }

    @inline(__always) fileprivate func forEachProduct(_ body: (_ v: Int, _ h: Int, _ product: Int) -> Void) {
        var product = 0
        for v in 0..<part.vertical.pointCount {
            for h in 0..<part.horizontal.pointCount {
                body(v, h, product)
                product &+= 1
            }
        }
    }
}

extension FilteredWeightGradientJob {
    mutating func addBlock(_ host: UnsafePointer<kanto_host>) {
        parallelFor(host, count: (tiles.count &+ tilesPerPiece &- 1) / tilesPerPiece, &self) { context, index, worker in
            let job = context!.assumingMemoryBound(to: FilteredWeightGradientJob.self)
            let tiles = job.pointee.tiles
            let first = tiles.lowerBound &+ Int(index) &* tilesPerPiece
            let some = first..<min(first &+ tilesPerPiece, tiles.upperBound)
            withUnsafePointer(to: &job.pointee.forward) { forward in
                job.pointee.transform(
                    FilteredBlock(forward, part: 0, group: job.pointee.group, tiles: some, worker: Int(worker)))
            }
        }
        parallelFor(host, count: plan.productPieces, &self) { context, index, _ in
            context!.assumingMemoryBound(to: FilteredWeightGradientJob.self).pointee.multiply(piece: Int(index))
        }
    }

    /// The points of some tiles, of the input and of the outputs' gradient, to where the products read them.
    func transform(_ block: FilteredBlock) {
        let part = block.part
        let first = block.tiles.lowerBound &- tiles.lowerBound
        var position = TilePosition(part, tile: block.tiles.lowerBound)
        plan.forEachProduct { v, h, product in block.offsetsV[product] = part.firstRow(v, h) }
        for tile in 0..<block.tiles.count {
            let start = packed + (first &+ tile) &* Lanes.scalarCount
            let current = position
            position.advance(part)
            block.prefetchPatches(position)
            prefetchOutputs(block, position)
            block.transformPatches(
                current, to: PointTargets(start: start, product: nil, vector: tiles.count &* Lanes.scalarCount))
            expand(block, current, tile: first &+ tile)
        }
    }

    private func prefetchOutputs(_ block: FilteredBlock, _ position: TilePosition) {
        let strides = plan.forward.strides
        let origin = dy + (position.sample &* strides.sampleC &+ group &* plan.forward.outer)
        for y in 0..<block.part.vertical.outputs {
            for x in 0..<block.part.horizontal.outputs {
                prefetchLines(
                    origin + ((position.y &+ y) &* strides.rowC &+ (position.x &+ x) &* strides.columnC),
                    count: plan.forward.outer)
            }
        }
    }

    /// Y = A dy Aᵀ of a tile; outputs that there are not are zeros.
    private func expand(_ block: FilteredBlock, _ position: TilePosition, tile: Int) {
        let part = block.part
        let strides = plan.forward.strides
        let origin = dy + (position.sample &* strides.sampleC &+ group &* plan.forward.outer)
        for y in 0..<part.vertical.outputs {
            for x in 0..<part.horizontal.outputs {
                let isInside = position.y &+ y < part.vertical.count && position.x &+ x < part.horizontal.count
                let offset = (position.y &+ y) &* strides.rowC &+ (position.x &+ x) &* strides.columnC
                block.plane.sources[y &* mostPoints &+ x] = isInside ? origin + offset : outputZeros
            }
        }
        plan.forEachProduct { v, h, product in
            block.plane.targets[v &* mostPoints &+ h] = panels + product &* plan.columns &* tiles.count
        }
        let layout = Panels(rowCount: tiles.count, columnCount: plan.forward.outer)
        let (pointsV, pointsH) = (part.vertical.pointCount, part.horizontal.pointCount)
        for panel in 0..<layout.count {
            let columns = layout.columns(panel)
            let whole = columns / Lanes.scalarCount
            let target = layout.offset(panel) &+ tile &* roundUp(columns, to: Lanes.scalarCount)
            let first = panel &* Panels.fullWidth
            block.plane.run(OutputExpansion.self, pointsV, pointsH, source: first, target: target, vectors: whole)
            let rest = columns &- whole &* Lanes.scalarCount
            if rest == 0 { continue }
            for y in 0..<part.vertical.outputs {
                for x in 0..<part.horizontal.outputs {
                    block.pad(y &* mostPoints &+ x, from: first &+ columns &- rest, count: rest)
                }
            }
            block.plane.run(OutputExpansion.self, pointsV, pointsH, target: target &+ whole &* Lanes.scalarCount, vectors: 1)
        }
    }

    /// Adds the products of some rows of one pair of points.
    func multiply(piece: Int) {
        var piece = piece
        var isDone = false
        plan.forEachProduct { v, h, product in
            let rowTiles = plan.rowTiles(v, h)
            let pieces = plan.pieces(v, h)
            if !isDone && piece < pieces {
                multiply(v, h, product, tileRange: piece &* rowTiles / pieces..<(piece &+ 1) &* rowTiles / pieces)
                isDone = true
            }
            piece &-= pieces
        }
    }

    private func multiply(_ v: Int, _ h: Int, _ product: Int, tileRange: Range<Int>) {
        let depth = plan.part.depth(v, h)
        let columns = plan.columns
        let layout = Panels(rowCount: tiles.count, columnCount: plan.forward.outer)
        let firstRow = plan.part.firstRow(v, h)
        let target = sums + (group &* plan.sumCount &+ firstRow &* columns)
        var offsets = (SIMD64<Int>(), SIMD64<Int>())
        withUnsafeMutableBytes(of: &offsets) { bytes in
            let offsetsA = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int.self)
            let offsetsC = offsetsA + rowTilesPerPiece &* tileRows
            for tile in 0..<tileRange.count {
                for row in 0..<tileRows {
                    let index = tile &* tileRows &+ row
                    let channel = min(tileRange.lowerBound &* tileRows &+ index, depth &- 1)
                    let (vector, lane) = (channel / Lanes.scalarCount, channel % Lanes.scalarCount)
                    offsetsA[index] = vector &* tiles.count &* Lanes.scalarCount &+ lane
                    offsetsC[index] = channel &* columns
                }
            }
            withBorderSums { borderSums in
                for panel in 0..<layout.count {
                    let vectors = layout.vectors(panel)
                    let right = panels + (product &* columns &* tiles.count &+ layout.offset(panel))
                    let to = target + panel &* Panels.fullWidth
                    var task = TileTask(
                        a: packed + firstRow &* tiles.count, offsetsA: offsetsA, c: to, offsetsC: offsetsC,
                        panel: right, lookahead: Lookahead(address: right),
                        rowCount: min(tileRange.count &* tileRows, depth &- tileRange.lowerBound &* tileRows),
                        columnCount: vectors &* Lanes.scalarCount, nextC: to, nextOffsetsC: offsetsC, borderSums: borderSums)
                    task.epilogue.accumulates = tiles.lowerBound > 0
                    task.walk.innerCount = tiles.count
                    task.walk.innerStrideA = Lanes.scalarCount
                    task.walk.innerStrideB = vectors &* Lanes.scalarCount
                    computeTiles(&task, vectorCount: vectors)
                }
            }
        }
    }

    /// Raises the flag if a sum of this channel is not finite.
    func check(channel: Int) {
        var differences = Lanes(repeating: 0)
        forEachRow(ofChannel: channel) { row in
            var column = 0
            while column < plan.columns {
                let lanes = loadLanes(row + column)
                differences += lanes - lanes
                column &+= Lanes.scalarCount
            }
        }
        for lane in 0..<Lanes.scalarCount where differences[lane] != 0 { flag.pointee = 1 }
    }

    /// The rows of dU that a channel of any group has, phase by phase and point by point.
    private func forEachRow(ofChannel channel: Int, _ body: (UnsafePointer<Float>) -> Void) {
        let part = plan.part
        for phaseV in 0..<part.vertical.phaseCount {
            for phaseH in 0..<part.horizontal.phaseCount {
                for v in 0..<part.vertical.pointCount(phaseV) {
                    for h in 0..<part.horizontal.pointCount(phaseH) {
                        body(row(v, h, phaseV, phaseH, channel))
                    }
                }
            }
        }
    }

    private func row(_ v: Int, _ h: Int, _ phaseV: Int, _ phaseH: Int, _ channel: Int) -> UnsafeMutablePointer<Float> {
        let part = plan.part
        let (group, channel) = (channel / plan.forward.inner, channel % plan.forward.inner)
        let row = part.firstRow(v, h) &+ part.slot(phaseV, phaseH, atPoint: h) &+ channel
        return sums + (group &* plan.sumCount &+ row &* plan.columns)
    }

    /// dw = Gᵀ dU G of one input channel, all its taps.
    func gather(channel: Int, worker: Int) {
        let part = plan.part
        let group = channel / plan.forward.inner
        withUnsafePointer(to: forward) { job in
            let block = FilteredBlock(job, part: 0, group: group, tiles: 0..<0, worker: worker)
            for phaseV in 0..<part.vertical.phaseCount {
                for phaseH in 0..<part.horizontal.phaseCount {
                    let (pointsV, pointsH) = (part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
                    for v in 0..<pointsV {
                        for h in 0..<pointsH {
                            block.plane.sources[v &* mostPoints &+ h] = UnsafePointer(row(v, h, phaseV, phaseH, channel))
                        }
                    }
                    gather(block, phaseV, phaseH, channel % plan.forward.inner, group)
                }
            }
        }
    }

    /// The taps of one phase of a channel, whose rows of dU are listed.
    private func gather(_ block: FilteredBlock, _ phaseV: Int, _ phaseH: Int, _ channel: Int, _ group: Int) {
        let part = plan.part
        let (vertical, horizontal) = (part.vertical.phase(phaseV), part.horizontal.phase(phaseH))
        for v in 0..<vertical.taps {
            for h in 0..<horizontal.taps { block.plane.targets[v &* mostPoints &+ h] = block.sums(v, h) }
        }
        block.plane.run(
            TapGathering.self, part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH),
            vectors: plan.columns / Lanes.scalarCount)
        let origin = dw + (channel &* plan.outputChannels &+ group &* plan.forward.outer)
        var epilogue = Epilogue()
        epilogue.accumulates = plan.accumulates
        for v in 0..<vertical.taps {
            for h in 0..<horizontal.taps {
                let tap = plan.forward.weights.offset(
                    tapY: vertical.firstTap &+ v &* vertical.tapStep, tapX: horizontal.firstTap &+ h &* horizontal.tapStep)
                epilogue.store(block.sums(v, h), count: plan.forward.outer, to: origin + tap)
            }
        }
    }
}
