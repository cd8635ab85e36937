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

    private let threadCount: Int
    /// Generation in the upper half; lowest bit of the lower half: open; above it: how many workers are inside.
    private let gate = Atomic<UInt64>(0)
    private let signal = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
    private let sleepers = Atomic<Int>(0)
    private let next = Atomic<Int64>(0)
    // The job; written by the caller before the gate opens.
    private var body: kanto_body?
    private var context: UnsafeMutableRawPointer?
    private var count: Int64 = 0

    private static let open: UInt64 = 1
    private static let one: UInt64 = 2

    /// Starts `threadCount - 1` workers, which live as long as the process.
    init(threadCount: Int) {
        self.threadCount = threadCount
        signal.initialize(to: Atomic<UInt32>(0))
        for worker in 1..<max(1, threadCount) {
            startThread(stackSize: 1 << 20) { self.work(as: Int64(worker)) }
        }
    }

    func run(count: Int64, body: kanto_body, context: UnsafeMutableRawPointer?) {
        self.body = body
        self.context = context
        self.count = count
        next.store(0, ordering: .relaxed)
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
            if join() {
                takePieces(as: worker)
                gate.wrappingSubtract(Self.one, ordering: .releasing)
            }
        }
    }

    /// Enters the job if it is still open.
    private func join() -> Bool {
        var current = gate.load(ordering: .acquiring)
        while current & Self.open != 0 {
            let (exchanged, original) = gate.weakCompareExchange(
                expected: current, desired: current + Self.one, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            current = original
        }
        return false
    }
}

/// Starts a detached thread in the default floating-point environment, whatever that of the caller is: a new thread
/// inherits it, and rounding or flushed denormals that somebody set would change results.
func startThread(stackSize: Int, _ body: @escaping @Sendable () -> Void) {
    final class Box { let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body } }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let status = pthread_create(&thread, &attributes, { argument in
        kanto_reset_floating_point()
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_attr_destroy(&attributes)
    precondition(status == 0, "cannot start a thread: \(String(cString: strerror(status)))")
}
