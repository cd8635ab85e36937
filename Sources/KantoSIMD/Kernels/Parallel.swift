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

/// The piece's share of the range 0 ..< count, cut at multiples of the granularity.
@inline(__always) func share(_ piece: Int, of pieceCount: Int, _ count: Int, granularity: Int) -> Range<Int> {
    let units = (count + granularity - 1) / granularity
    let lower = min(count, units * piece / pieceCount * granularity)
    let upper = min(count, units * (piece + 1) / pieceCount * granularity)
    return Range(uncheckedBounds: (lower, upper))
}
