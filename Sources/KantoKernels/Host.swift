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
        /// The system's number of each worker's thread; 0 where it is not known yet.
        var threads: UnsafeMutablePointer<Int32>
    }

    /// Twice: with all threads, and with those that a run is lent.
    private let lent = UnsafeMutablePointer<Lent>.allocate(capacity: 2)
    private var crowding: Crowding
    private var scratch: UnsafeMutableRawPointer?
    private var scratchByteCount = 0

    /// All threads, the caller included: fewer than were asked for if the system refuses some.
    var threadCount: Int { Int(lent.pointee.header.thread_count) }

    /// Whether the workers are a backend's own.
    let hasLentWorkers: Bool

    /// What kernels are made with.
    var pointer: UnsafePointer<kanto_host> { UnsafeRawPointer(lent).assumingMemoryBound(to: kanto_host.self) }

    /// What a run is lent: fewer threads while the machine is busy. On the thread that runs it. Allocates nothing.
    var pointerForRun: UnsafePointer<kanto_host> {
        let run = lent + 1
        if crowding.threadCount > 1 {
            let now = kanto_coarse_nanoseconds()
            if now >= crowding.nextLook {
                let threads = lent.pointee.threads, caller = kanto_thread()
                if threads[0] != caller {
                    threads[0] = caller
                    crowding.forget(0)
                }
                crowding.look(at: now) { worker in
                    let waited = threads[worker] == 0 ? -1 : kanto_thread_waited(threads[worker])
                    return waited < 0 ? nil : UInt64(waited)
                }
                run.pointee.header.thread_count = UInt32(crowding.limit)
            }
        }
        return UnsafeRawPointer(run).assumingMemoryBound(to: kanto_host.self)
    }

    /// - Parameters:
    ///   - parallelFor: a backend's own workers, which then serve everybody; `nil` for the host's pool.
    ///   - start: starts the threads of the pool.
    init(threadCount wanted: Int, parallelFor: ParallelFor?, start: ThreadStart = startThread) {
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
                var piece = Piece(body: body, context: context, threads: lent.pointee.threads)
                parallelFor(Int64(host.pointee.thread_count), count, runMarked, &piece)
            } else {
                lent.pointee.pool!._withUnsafeGuaranteedRef {
                    $0.run(threads: Int64(host.pointee.thread_count), count: count, body: body, context: context)
                }
            }
        }
        var threadCount = wanted
        var pool: ThreadPool?
        if parallelFor != nil {
            threadCount = availableThreadCount(upTo: wanted)
        } else if wanted > 1 {
            pool = ThreadPool(threadCount: wanted, start: start)
            threadCount = pool!.threadCount
        }
        header.thread_count = UInt32(threadCount)
        let threads = pool?.threads ?? .allocate(capacity: threadCount)
        if pool == nil { threads.initialize(repeating: 0, count: threadCount) }
        let parts = Lent(header: header, parallelFor: parallelFor, pool: pool.map(Unmanaged.passRetained), threads: threads)
        lent.initialize(repeating: parts, count: 2)
        crowding = Crowding(threadCount: threadCount, isDivisible: parallelFor == nil)
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
    let threads: UnsafeMutablePointer<Int32>
}

private let runMarked: kanto_body = { context, index, worker in
    let piece = context!.assumingMemoryBound(to: Piece.self)
    let outer = kanto_worker()
    kanto_set_worker(worker)
    piece.pointee.threads[Int(worker)] = kanto_thread()
    piece.pointee.body(piece.pointee.context, index, worker)
    kanto_set_worker(outer)
}
