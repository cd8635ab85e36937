import Glibc
import KantoABI
import KantoShims
import Synchronization

/// The host's worker threads. A piece of work is handed out by an atomic counter; idle workers spin for a while, then
/// sleep.
///
/// One job at a time: only the thread whose turn it is starts jobs, outside of pieces (`Host` sees to it). A job is *open* while
/// workers may still join it; its caller works too, closes it when no piece is left, and waits for those that joined, so
/// a worker that sleeps costs nothing.
final class ThreadPool: @unchecked Sendable {
    /// Spins before a worker sleeps, about 50 µs: longer than the gap between two kernels of a training step, and short
    /// enough to leave the core to others when nobody trains.
    private static let spinCount = 2_000

    /// Threads that run pieces, the caller included: fewer than were asked for if the system refuses some.
    private(set) var threadCount = 1
    /// The system's number of each worker's thread; 0 until it has started.
    let threads: UnsafeMutablePointer<Int32>
    /// Generation in the upper half; lowest bit of the lower half: open; above it: how many workers are inside.
    private let gate = Atomic<UInt64>(0)
    private let signal = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
    private let sleepers = Atomic<Int>(0)
    private let next = Atomic<Int64>(0)
    /// Workers from this number on take no part. They sleep until they are recalled, and jobs do not wake them.
    private let limit = Atomic<Int64>(.max)
    private let recall = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
    // The job; written by the caller before the gate opens.
    private var body: kanto_body?
    private var context: UnsafeMutableRawPointer?
    private var count: Int64 = 0

    private static let open: UInt64 = 1
    private static let one: UInt64 = 2

    /// Starts up to `threadCount - 1` workers, which live as long as the process: as many as the system allows.
    init(threadCount wanted: Int, start: ThreadStart = startThread) {
        signal.initialize(to: Atomic<UInt32>(0))
        recall.initialize(to: Atomic<UInt32>(0))
        threads = .allocate(capacity: max(1, wanted))
        threads.initialize(repeating: 0, count: max(1, wanted))
        while threadCount < wanted {
            let worker = Int64(threadCount)
            let status = start(1 << 20) { self.work(as: worker) }
            guard status == 0 else {
                sayThreadsAreRefused(status, wanted: wanted, had: threadCount)
                break
            }
            threadCount += 1
        }
    }

    /// Runs `body` for 0 ..< count on the first `threads` of the pool and returns when all have ended.
    func run(threads: Int64 = .max, count: Int64, body: kanto_body, context: UnsafeMutableRawPointer?) {
        self.body = body
        self.context = context
        self.count = count
        next.store(0, ordering: .relaxed)
        if threads != limit.load(ordering: .relaxed) { admit(threads) }
        let generation = (gate.load(ordering: .relaxed) >> 32) + 1
        gate.store(generation << 32 | Self.open, ordering: .sequentiallyConsistent)
        signal.pointee.store(UInt32(truncatingIfNeeded: generation), ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { kanto_futex_wake(signal, Int32.max) }

        takePieces(as: 0)
        gate.bitwiseAnd(~Self.open, ordering: .acquiringAndReleasing)
        // Where there are more threads than cores, a worker may have lost its core in the middle of a piece.
        var spins = 0
        while gate.load(ordering: .acquiring) & 0xFFFF_FFFF != 0 {
            spins += 1
            if spins < Self.spinCount { kanto_pause() } else { sched_yield() }
        }
    }

    private func admit(_ threads: Int64) {
        let before = limit.exchange(threads, ordering: .sequentiallyConsistent)
        guard threads > before else { return }
        recall.pointee.add(1, ordering: .sequentiallyConsistent)
        kanto_futex_wake(recall, Int32.max)
    }

    private func takePieces(as worker: Int64) {
        kanto_set_worker(worker)
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count { break }
            body!(context, index, worker)
        }
        kanto_set_worker(-1)
    }

    private func work(as worker: Int64) -> Never {
        threads[Int(worker)] = kanto_thread()
        var seen: UInt32 = 0
        while true {
            var spins = 0
            while signal.pointee.load(ordering: .acquiring) == seen {
                spins += 1
                if spins < Self.spinCount {
                    kanto_pause()
                } else {
                    sleepers.add(1, ordering: .sequentiallyConsistent)
                    kanto_futex_wait(signal, seen)
                    sleepers.subtract(1, ordering: .sequentiallyConsistent)
                    spins = 0
                }
            }
            seen = signal.pointee.load(ordering: .acquiring)
            waitUntilAdmitted(worker)
            if join(as: worker) {
                takePieces(as: worker)
                gate.wrappingSubtract(Self.one, ordering: .releasing)
            }
        }
    }

    private func waitUntilAdmitted(_ worker: Int64) {
        while true {
            // Read before the limit: a recall after that keeps the wait from starting.
            let recalls = recall.pointee.load(ordering: .sequentiallyConsistent)
            if worker < limit.load(ordering: .sequentiallyConsistent) { return }
            kanto_futex_wait(recall, recalls)
        }
    }

    /// Enters the job if it is still open and admits this worker.
    private func join(as worker: Int64) -> Bool {
        var current = gate.load(ordering: .acquiring)
        while current & Self.open != 0 && worker < limit.load(ordering: .relaxed) {
            let (exchanged, original) = gate.weakCompareExchange(
                expected: current, desired: current + Self.one, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            current = original
        }
        return false
    }
}

/// Starts a thread with a stack of so many bytes; 0, or the system's error number.
typealias ThreadStart = (_ stackSize: Int, _ body: @escaping @Sendable () -> Void) -> Int32

/// Starts a detached thread in the default floating-point environment, whatever that of the caller is: a new thread
/// inherits it, and rounding or flushed denormals that somebody set would change results.
///
/// - Returns: 0, or the system's error number if it refuses.
func startThread(stackSize: Int, _ body: @escaping @Sendable () -> Void) -> Int32 {
    final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, &attributes,
        { argument in
            kanto_reset_floating_point()
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    pthread_attr_destroy(&attributes)
    if status != 0 { box.release() }
    return status
}

/// How many of `wanted` threads, the caller included, the system gives. Tried out for a library that starts its threads
/// itself and ends the process if one is refused, as libgomp does. All of them have ended on return.
func availableThreadCount(upTo wanted: Int) -> Int {
    struct Trial: ~Copyable { var isOver = sem_t() }
    var trial = Trial()
    return withUnsafeMutablePointer(to: &trial) { trial in
        sem_init(&trial.pointee.isOver, 0, 0)
        defer { sem_destroy(&trial.pointee.isOver) }
        var threads: [pthread_t] = []
        var status: Int32 = 0
        while threads.count < wanted - 1 {
            var thread = pthread_t()
            // With the stack that such a library's threads have: the system's default.
            status = pthread_create(
                &thread, nil,
                { trial in
                    let trial = trial!.assumingMemoryBound(to: Trial.self)
                    while sem_wait(&trial.pointee.isOver) != 0 {}
                    return nil
                }, trial)
            if status != 0 { break }
            threads.append(thread)
        }
        for _ in threads { sem_post(&trial.pointee.isOver) }
        for thread in threads { pthread_join(thread, nil) }
        if status == 0 { return wanted }
        // One less than could be had: who is waited for may still count for a moment.
        let had = max(1, threads.count)
        sayThreadsAreRefused(status, wanted: wanted, had: had)
        return had
    }
}

private func sayThreadsAreRefused(_ status: Int32, wanted: Int, had: Int) {
    Diagnostics.warnOnce(
        "the system refuses threads (\(String(cString: strerror(status)))): going on with \(had) of \(wanted)",
        key: "threads \(had) of \(wanted)")
}
