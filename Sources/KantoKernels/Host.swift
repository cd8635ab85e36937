import KantoABI
import KantoShims

/// What the host lends to kernels: worker threads, the caches' sizes, scratch memory. Used in a turn only (see `KernelTurn`).
final class Host: @unchecked Sendable {
    typealias ParallelFor = @convention(c) (Int64, Int64, kanto_body?, UnsafeMutableRawPointer?) -> Void

    /// The C view; its address identifies this object to `parallel_for`.
    private struct Lent {
        var header: kanto_host
        var parallelFor: ParallelFor?
        var pool: Unmanaged<ThreadPool>?
    }

    private let lent = UnsafeMutablePointer<Lent>.allocate(capacity: 1)
    private var scratch: UnsafeMutableRawPointer?
    private var scratchByteCount = 0

    var threadCount: Int { Int(lent.pointee.header.thread_count) }

    /// Whether the workers are a backend's own.
    let hasLentWorkers: Bool

    var pointer: UnsafePointer<kanto_host> { UnsafeRawPointer(lent).assumingMemoryBound(to: kanto_host.self) }

    /// - Parameters:
    ///   - parallelFor: a backend's own workers, which then serve everybody; `nil` for the host's pool.
    init(threadCount: Int, parallelFor: ParallelFor?) {
        hasLentWorkers = parallelFor != nil
        var header = kanto_host()
        header.struct_size = UInt32(MemoryLayout<kanto_host>.size)
        let caches = Processor.caches
        header.level1_cache_bytes = Int64(caches.level1)
        header.level2_cache_bytes = Int64(caches.level2)
        header.level3_cache_bytes = Int64(caches.level3)
        header.parallel_for = { host, count, body, context in
            guard let host, let body, count > 0 else { return }
            let lent = UnsafeRawPointer(host).assumingMemoryBound(to: Lent.self)
            // Within a piece, inline and as the same worker. A thread whose turn it is not may have been lent the host to make
            // a kernel while the workers are busy with another's run: inline too.
            if count == 1 || host.pointee.thread_count == 1 || kanto_worker() >= 0 || !kanto_holds_turn() {
                runPieces(count, as: max(0, kanto_worker()), body, context)
            } else if let parallelFor = lent.pointee.parallelFor {
                var piece = Piece(body: body, context: context)
                parallelFor(Int64(host.pointee.thread_count), count, runMarked, &piece)
            } else {
                lent.pointee.pool!._withUnsafeGuaranteedRef { $0.run(count: count, body: body, context: context) }
            }
        }
        header.thread_count = UInt32(threadCount)
        let pool = parallelFor == nil && threadCount > 1 ? Unmanaged.passRetained(ThreadPool(threadCount: threadCount)) : nil
        lent.initialize(to: Lent(header: header, parallelFor: parallelFor, pool: pool))
    }

    /// Scratch of at least `byteCount` bytes, aligned to 64; its content is undefined. The same memory at each call.
    func scratch(_ byteCount: Int) throws(KernelError) -> UnsafeMutableRawPointer? {
        if byteCount > scratchByteCount {
            if let scratch { Memory.release(scratch, byteCount: scratchByteCount) }
            (scratch, scratchByteCount) = (nil, 0)
            scratch = try Memory.allocate(byteCount: byteCount)
            scratchByteCount = Memory.sizeClass(of: byteCount).byteCount
        }
        return byteCount > 0 ? scratch : nil
    }
}

/// Runs pieces here, one after the other, as one worker.
private func runPieces(_ count: Int64, as worker: Int64, _ body: kanto_body, _ context: UnsafeMutableRawPointer?) {
    let outer = kanto_worker()
    kanto_set_worker(worker)
    // No `for`: it allocates in debug builds.
    var index: Int64 = 0
    while index < count {
        body(context, index, worker)
        index += 1
    }
    kanto_set_worker(outer)
}

/// A piece for the workers of a backend, which do not know the host's mark.
private struct Piece {
    let body: kanto_body
    let context: UnsafeMutableRawPointer?
}

private let runMarked: kanto_body = { context, index, worker in
    let piece = context!.assumingMemoryBound(to: Piece.self)
    let outer = kanto_worker()
    kanto_set_worker(worker)
    piece.pointee.body(piece.pointee.context, index, worker)
    kanto_set_worker(outer)
}
