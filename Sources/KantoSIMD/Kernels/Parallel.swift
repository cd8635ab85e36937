import KantoABI

/// Pieces of work that each thread should find, so that no one waits long for the last.
@inline(__always) var piecesPerThread: Int { 8 }

/// Runs `body` for each index in parallel, with the context by address. `body` captures nothing.
@inline(__always)
func parallelFor<Context>(
    _ host: UnsafePointer<kanto_host>, count: Int, _ context: inout Context,
    _ body: @convention(c) (UnsafeMutableRawPointer?, Int64, Int64) -> Void
) {
    if count <= 0 { return }
    withUnsafeMutablePointer(to: &context) { host.pointee.parallel_for(host, Int64(count), body, $0) }
}

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

/// Rows that one piece of packing copies.
private var rowsPerPackPiece: Int { 256 }

func packInParallel(_ host: UnsafePointer<kanto_host>, _ job: PackJob) {
    var job = job
    let pieces = roundUp(job.panels.rowCount, to: rowsPerPackPiece) / rowsPerPackPiece
    parallelFor(host, count: job.groupCount &* job.panels.count &* pieces, &job) { context, index, _ in
        let job = context!.assumingMemoryBound(to: PackJob.self)
        let panels = job.pointee.panels
        let pieces = roundUp(panels.rowCount, to: rowsPerPackPiece) / rowsPerPackPiece
        let piece = Int(index) % pieces
        let panel = Int(index) / pieces % panels.count
        let group = Int(index) / pieces / panels.count
        let first = piece &* rowsPerPackPiece
        packPanel(
            panels, panel, rows: first..<min(first &+ rowsPerPackPiece, panels.rowCount),
            from: job.pointee.source + group &* job.pointee.groupStrideSource, job.pointee.layout,
            to: job.pointee.packed + group &* job.pointee.groupStridePacked)
    }
}

private struct ProductJob {
    var product: Product
    var pieces: Int
    var a: UnsafePointer<Float>
    var b: UnsafePointer<Float>
    var c: UnsafeMutablePointer<Float>
    var bias: UnsafePointer<Float>?
}

extension Product {
    /// Computes all tiles, panel by panel, so that the threads share one panel while the rows of A pass.
    func computeInParallel(
        _ host: UnsafePointer<kanto_host>, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
        c: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?
    ) {
        if tileCount == 0 || panels.count == 0 { return }
        let wanted = Int(host.pointee.thread_count) &* piecesPerThread
        // A piece of fewer steps than this would spend its time on being handed out.
        let smallest = max(1, 4096 / max(1, panels.rowCount))
        let perPanel = (wanted &+ groupCount &* panels.count &- 1) / (groupCount &* panels.count)
        let tilesPerPiece = max(smallest, (tileCount &+ perPanel &- 1) / perPanel)
        let pieces = (tileCount &+ tilesPerPiece &- 1) / tilesPerPiece
        var job = ProductJob(product: self, pieces: pieces, a: a, b: b, c: c, bias: bias)
        parallelFor(host, count: groupCount &* panels.count &* pieces, &job) { context, index, _ in
            let job = context!.assumingMemoryBound(to: ProductJob.self)
            let pieces = job.pointee.pieces
            let piece = Int(index) % pieces
            let panel = Int(index) / pieces % job.pointee.product.panels.count
            let group = Int(index) / pieces / job.pointee.product.panels.count
            let tiles = job.pointee.product.tileCount
            job.pointee.product.compute(
                group: group, panel: panel, tiles: piece &* tiles / pieces..<(piece &+ 1) &* tiles / pieces,
                a: job.pointee.a, b: job.pointee.b, c: job.pointee.c, bias: job.pointee.bias)
        }
    }
}
