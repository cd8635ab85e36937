import KantoABI
import KantoShims

/// A matrix to be packed, for each of several groups.
struct PackJob {
    var panels: Panels
    var layout: PanelSource
    var groupCount = 1
    var groupStrideSource = 0
    var groupStridePacked = 0
    var source: UnsafePointer<Float>
    var packed: UnsafeMutablePointer<Float>
}

/// The rows of several matrices, shared out for packing. A piece is some rows of one matrix, for all panels, so that rows
/// of the source are read from end to end.
struct PackPieces {
    static var rowLimit: Int { 64 }
    var groupCount: Int
    /// Of each matrix.
    var rowCount: Int

    private var perGroup: Int { roundUp(rowCount, to: PackPieces.rowLimit) / PackPieces.rowLimit }
    var count: Int { groupCount &* perGroup }
    func group(_ piece: Int64) -> Int { Int(piece) / perGroup }
    func rows(_ piece: Int64) -> Range<Int> {
        let first = Int(piece) % perGroup &* PackPieces.rowLimit
        return first..<min(first &+ PackPieces.rowLimit, rowCount)
    }
}

extension PackJob {
    fileprivate var pieces: PackPieces { PackPieces(groupCount: groupCount, rowCount: panels.rowCount) }
}

func packInParallel(_ host: UnsafePointer<kanto_host>, _ job: PackJob) {
    var job = job
    parallelFor(host, count: job.pieces.count, &job) { context, index, _ in
        let job = context!.assumingMemoryBound(to: PackJob.self)
        let panels = job.pointee.panels
        let rows = job.pointee.pieces.rows(index)
        let group = job.pointee.pieces.group(index)
        let source = job.pointee.source + group &* job.pointee.groupStrideSource
        let packed = job.pointee.packed + group &* job.pointee.groupStridePacked
        let step = job.pointee.layout.columnStride == 1 ? rowsPerPackStep : rows.count
        var row = rows.lowerBound
        while row < rows.upperBound {
            let end = min(row &+ step, rows.upperBound)
            for panel in 0..<panels.count {
                packPanel(panels, panel, rows: row..<end, from: source, job.pointee.layout, to: packed)
            }
            row &+= step
        }
    }
}

private struct ProductJob {
    var product: Product
    /// Blocks of rows, and groups of panels for each.
    var blockCount: Int
    var panelPieces: Int
    var operands: ProductOperands
}

extension Product {
    /// Computes all tiles, block of rows by block of rows. Where there are too few blocks for the threads, each is cut
    /// into pieces of some of the panels.
    func computeInParallel(_ host: UnsafePointer<kanto_host>, _ operands: ProductOperands) {
        if tileCount == 0 || panels.count == 0 { return }
        let wanted = Int(host.pointee.thread_count) &* piecesPerThread
        // A piece of fewer steps than this would spend its time on being handed out.
        let smallest = max(1, 4096 / max(1, panels.rowCount))
        let blocks = min(
            roundUp(tileCount, to: tilesPerBlock) / tilesPerBlock, max(1, tileCount &* panels.count / smallest))
        let panelPieces = min(
            panels.count, roundUp(wanted, to: blocks &* groupCount) / (blocks &* groupCount),
            max(1, tileCount / blocks &* panels.count / smallest))
        var job = ProductJob(product: self, blockCount: blocks, panelPieces: panelPieces, operands: operands)
        job.product.epilogue.storesPastCaches = exceedsCaches(host) && consistsOfLines(operands.c)
        parallelFor(host, count: groupCount &* blocks &* panelPieces, &job) { context, index, _ in
            let job = context!.assumingMemoryBound(to: ProductJob.self)
            let (blocks, panelPieces) = (job.pointee.blockCount, job.pointee.panelPieces)
            let (tiles, panels) = (job.pointee.product.tileCount, job.pointee.product.panels.count)
            let panelPiece = Int(index) % panelPieces
            let block = Int(index) / panelPieces % blocks
            job.pointee.product.compute(
                group: Int(index) / panelPieces / blocks,
                panels: panelPiece &* panels / panelPieces..<(panelPiece &+ 1) &* panels / panelPieces,
                tiles: block &* tiles / blocks..<(block &+ 1) &* tiles / blocks, job.pointee.operands)
            if job.pointee.product.epilogue.storesPastCaches { kanto_fence_stores_past_caches() }
        }
    }
}
