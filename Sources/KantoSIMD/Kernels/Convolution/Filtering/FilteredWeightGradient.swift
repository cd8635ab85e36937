import KantoABI

// The weight gradient by minimal filtering, the adjoint of the forward one in its weights (FilteredConvolution.swift):
//
//   1. for a block of tiles, patches of the input to points, V = Bᵀ d B, and the outputs' gradient to points, Y = A dy Aᵀ,
//   2. a product for each pair of points with the tiles as its inner dimension, dU += Vᵀ Y, and after the last block
//   3. points to the gradient of the taps, dw = Gᵀ dU G.
//
// All threads work on one block, so neither the blocks nor the order of any sum depends on how many threads there are.

struct FilteredWeightGradient {
    /// Reads the input, as the forward convolution does, and says where the weights stand.
    var forward: FilteredPlan
    var accumulates: Bool
    /// Tiles of a block.
    var blockLimit = 0

    var part: FilteredPart { forward.parts[0] }
    var tileCount: Int { forward.batch &* part.tilesPerSample }
    /// Of one panel of dU and Y.
    var columns: Int { forward.weights.panelColumns }
    /// The points of tiles stand in the shared scratch.
    var workerLayout: FilteredWorkerLayout { FilteredWorkerLayout(forward, tiles: 0) }
    var blockCount: Int { (tileCount &+ blockLimit &- 1) / blockLimit }

    init(_ forward: FilteredPlan, accumulates: Bool) {
        self.forward = forward
        self.accumulates = accumulates
        let perTile = part.totalDepth &+ part.productCount &* columns
        // Each block reads and writes all of dU once: so many tiles that their own points are nearly as many numbers.
        let paying = 7 &* part.totalDepth &* columns / (8 &* max(perTile, 1))
        let limit = min(max(roundUp(paying, to: tilesPerPiece), leastTiles), mostTiles)
        blockLimit = min(roundUp(balanced(tileCount, limit), to: tilesPerPiece), limit)
    }

    /// How the scratch is divided, in floats: dU, then V as [vectors of channels, tiles, a vector] and Y as panels [tiles, width],
    /// product by product, then zeros and what each worker needs.
    var sumCount: Int { roundUp(part.totalDepth &* columns, to: floatsPerLine) }
    var packedCount: Int { roundUp(part.totalDepth &* blockLimit, to: floatsPerLine) }
    var panelCount: Int { roundUp(part.productCount &* columns &* blockLimit, to: floatsPerLine) }
    var scratchCount: Int {
        forward.groups &* sumCount &+ packedCount &+ panelCount &+ forward.zeroCount &+ outputZeroCount
            &+ forward.workerCount &* workerLayout.floatCount &+ floatsPerLine
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
    var layout: FilteredWorkerLayout
    var x: UnsafePointer<Float>
    var dy: UnsafePointer<Float>
    var dw: UnsafeMutablePointer<Float>
    var sums: UnsafeMutablePointer<Float>
    var packed: UnsafeMutablePointer<Float>
    var panels: UnsafeMutablePointer<Float>
    var zeros: UnsafePointer<Float>
    var outputZeros: UnsafePointer<Float>
    /// Of the first worker.
    var scratch: UnsafeMutablePointer<Float>
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
        let flag = workers + forward.workerCount &* workerLayout.floatCount
        fillWithZeros(zeros, forward.zeroCount &+ outputZeroCount)
        var job = FilteredWeightGradientJob(
            plan: self, layout: workerLayout, x: x, dy: dy, dw: dw, sums: scratch, packed: packed, panels: panels, zeros: zeros,
            outputZeros: zeros + forward.zeroCount, scratch: workers, flag: flag)
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

    /// Tiles of rows of a product, and the pieces that they are cut into.
    fileprivate func rowTiles(_ pair: FilteredPart.PointPair) -> Int { roundUp(pair.depth, to: tileRows) / tileRows }
    fileprivate func pieces(_ pair: FilteredPart.PointPair) -> Int {
        (rowTiles(pair) &+ rowTilesPerPiece &- 1) / rowTilesPerPiece
    }
    fileprivate var productPieces: Int {
        var count = 0
        part.forEachProduct { count &+= pieces($0) }
        return count
    }
}

extension FilteredWeightGradientJob {
    mutating func addBlock(_ host: UnsafePointer<kanto_host>) {
        parallelFor(host, count: (tiles.count &+ tilesPerPiece &- 1) / tilesPerPiece, &self) { context, index, worker in
            let job = context!.assumingMemoryBound(to: FilteredWeightGradientJob.self)
            let tiles = job.pointee.tiles
            let first = tiles.lowerBound &+ Int(index) &* tilesPerPiece
            let some = first..<min(first &+ tilesPerPiece, tiles.upperBound)
            job.pointee.transform(some, job.pointee.worker(Int(worker)))
        }
        parallelFor(host, count: plan.productPieces, &self) { context, index, _ in
            context!.assumingMemoryBound(to: FilteredWeightGradientJob.self).pointee.multiply(piece: Int(index))
        }
    }

    private func worker(_ number: Int) -> FilteredWorker {
        FilteredWorker(
            plan.forward, layout, part: 0, source: x + group &* plan.forward.inner, zeros: zeros,
            scratch: scratch + number &* layout.floatCount)
    }

    /// The points of some tiles, of the input and of the outputs' gradient, to where the products read them.
    private func transform(_ some: Range<Int>, _ worker: FilteredWorker) {
        let part = plan.part
        let firstRows = worker.table(0)
        part.forEachProduct { firstRows[$0.number] = $0.firstRow }
        var position = TilePosition(part, tile: some.lowerBound)
        for tile in some.lowerBound &- tiles.lowerBound..<some.upperBound &- tiles.lowerBound {
            let start = packed + tile &* Lanes.scalarCount
            let current = position
            position.advance(part)
            worker.prefetchPatches(position)
            prefetchOutputs(position)
            worker.transformPatches(current, step: tiles.count &* Lanes.scalarCount) { product in
                start + firstRows[product] &* tiles.count
            }
            expand(worker, current, tile: tile)
        }
    }

    /// Where an output of a tile stands in dy.
    @inline(__always) private func output(_ position: TilePosition, _ y: Int, _ x: Int) -> UnsafePointer<Float> {
        let strides = plan.forward.strides
        let offset = (position.y &+ y) &* strides.rowC &+ (position.x &+ x) &* strides.columnC
        return dy + (position.sample &* strides.sampleC &+ offset &+ group &* plan.forward.outer)
    }

    private func prefetchOutputs(_ position: TilePosition) {
        for y in 0..<plan.part.vertical.outputs {
            for x in 0..<plan.part.horizontal.outputs { prefetchLines(output(position, y, x), count: plan.forward.outer) }
        }
    }

    /// Y = A dy Aᵀ of a tile; outputs that there are not are zeros.
    private func expand(_ worker: FilteredWorker, _ position: TilePosition, tile: Int) {
        let (vertical, horizontal) = (plan.part.vertical, plan.part.horizontal)
        let layout = Panels(rowCount: tiles.count, columnCount: plan.forward.outer)
        worker.plane.setSources(vertical.outputs, horizontal.outputs) { y, x in
            let isThere = position.y &+ y < vertical.count && position.x &+ x < horizontal.count
            return isThere ? output(position, y, x) : outputZeros
        }
        worker.plane.setTargets(vertical.pointCount, horizontal.pointCount) { v, h in
            panels + (v &* horizontal.pointCount &+ h) &* plan.columns &* tiles.count
        }
        for panel in 0..<layout.count {
            let columns = layout.columns(panel)
            worker.plane.run(
                OutputExpansion.self, vertical.pointCount, horizontal.pointCount, first: panel &* Panels.fullWidth,
                target: layout.offset(panel) &+ tile &* roundUp(columns, to: Lanes.scalarCount), step: Lanes.scalarCount,
                channels: columns)
        }
    }

    /// Adds the products of some rows of one pair of points.
    func multiply(piece: Int) {
        var before = 0
        plan.part.forEachProduct { pair in
            let (rowTiles, pieces) = (plan.rowTiles(pair), plan.pieces(pair))
            let number = piece &- before
            before &+= pieces
            if number >= 0 && number < pieces {
                multiply(pair, tileRange: number &* rowTiles / pieces..<(number &+ 1) &* rowTiles / pieces)
            }
        }
    }

    private func multiply(_ pair: FilteredPart.PointPair, tileRange: Range<Int>) {
        let columns = plan.columns
        let layout = Panels(rowCount: tiles.count, columnCount: plan.forward.outer)
        let target = sums + (group &* plan.sumCount &+ pair.firstRow &* columns)
        var offsets = (SIMD64<Int>(), SIMD64<Int>())
        withUnsafeMutableBytes(of: &offsets) { bytes in
            let offsetsA = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int.self)
            let offsetsC = offsetsA + rowTilesPerPiece &* tileRows
            for tile in 0..<tileRange.count {
                for row in 0..<tileRows {
                    let index = tile &* tileRows &+ row
                    let channel = min(tileRange.lowerBound &* tileRows &+ index, pair.depth &- 1)
                    let (vector, lane) = (channel / Lanes.scalarCount, channel % Lanes.scalarCount)
                    offsetsA[index] = vector &* tiles.count &* Lanes.scalarCount &+ lane
                    offsetsC[index] = channel &* columns
                }
            }
            withBorderSums { borderSums in
                for panel in 0..<layout.count {
                    let width = layout.vectors(panel) &* Lanes.scalarCount
                    let right = panels + (pair.number &* columns &* tiles.count &+ layout.offset(panel))
                    let to = target + panel &* Panels.fullWidth
                    var task = TileTask(
                        a: packed + pair.firstRow &* tiles.count, offsetsA: offsetsA, c: to, offsetsC: offsetsC,
                        panel: right, lookahead: Lookahead(address: right),
                        rowCount: min(tileRange.count &* tileRows, pair.depth &- tileRange.lowerBound &* tileRows),
                        columnCount: width, nextC: to, nextOffsetsC: offsetsC, borderSums: borderSums)
                    task.epilogue.accumulates = tiles.lowerBound > 0
                    task.walk.innerCount = tiles.count
                    task.walk.innerStrideA = Lanes.scalarCount
                    task.walk.innerStrideB = width
                    computeTiles(&task, vectorCount: layout.vectors(panel))
                }
            }
        }
    }

    /// Raises the flag if a sum of this channel is not finite.
    func check(channel: Int) {
        var check = FiniteCheck()
        plan.part.forEachPhase { phaseV, phaseH in
            for v in 0..<plan.part.vertical.pointCount(phaseV) {
                for h in 0..<plan.part.horizontal.pointCount(phaseH) {
                    check.add(row(v, h, phaseV, phaseH, channel), count: plan.columns)
                }
            }
        }
        if !check.holds { flag.pointee = 1 }
    }

    /// The row of dU that a channel of any group has for a phase and a point.
    private func row(_ v: Int, _ h: Int, _ phaseV: Int, _ phaseH: Int, _ channel: Int) -> UnsafePointer<Float> {
        let (group, channel) = (channel / plan.forward.inner, channel % plan.forward.inner)
        let row = plan.part.firstRow(v, h) &+ plan.part.slot(phaseV, phaseH, atPoint: h) &+ channel
        return UnsafePointer(sums) + (group &* plan.sumCount &+ row &* plan.columns)
    }

    /// dw = Gᵀ dU G of one input channel of any group, all its taps.
    func gather(channel: Int, worker number: Int) {
        let (part, weights) = (plan.part, plan.forward.weights)
        let worker = worker(number)
        let (group, inner) = (channel / plan.forward.inner, channel % plan.forward.inner)
        let origin = dw + (inner &* weights.rowStride &+ group &* weights.groupStride)
        var epilogue = Epilogue()
        epilogue.accumulates = plan.accumulates
        part.forEachPhase { phaseV, phaseH in
            let (pointsV, pointsH) = (part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
            let (tapsV, tapsH) = (part.vertical.phase(phaseV).taps, part.horizontal.phase(phaseH).taps)
            worker.plane.setSources(pointsV, pointsH) { v, h in row(v, h, phaseV, phaseH, channel) }
            worker.plane.setTargets(tapsV, tapsH) { v, h in worker.sums(v, h) }
            worker.plane.run(TapGathering.self, pointsV, pointsH, step: Lanes.scalarCount, channels: plan.columns)
            for v in 0..<tapsV {
                for h in 0..<tapsH {
                    let tap = origin + part.tap(phaseV, phaseH, v, h, of: weights) &* weights.tapStride
                    epilogue.store(worker.sums(v, h), count: plan.forward.outer, to: tap)
                }
            }
        }
    }
}
