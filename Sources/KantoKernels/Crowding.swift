/// How many threads kernels run on while other processes want the same cores.
///
/// A worker that loses its core in the middle of a piece keeps all others waiting, some milliseconds each time: on two cores
/// of which one was taken, two threads made half the steps of one. So now and then the host asks the system how long its
/// threads were ready and had no core. Where that is much, kernels run on fewer threads for a while; then all are tried
/// again, and each time that fails the while is twice as long. What it costs to try is a hundredth or so.
struct Crowding {
    /// How long all threads are watched, in nanoseconds: several slices of the system's scheduler.
    static let window: UInt64 = 25_000_000
    /// How long kernels run on fewer threads, in nanoseconds: at first, and at most.
    static let pauses: ClosedRange<UInt64> = 250_000_000...4_000_000_000
    /// The share of its time that a thread may wait for a core; of the times of all threads, where they share the work out
    /// among each other.
    static let bearableShare = 0.25

    let threadCount: Int
    /// Whether kernels run on any number of threads. Otherwise they run on all, in parts that are fixed, or on one.
    let isDivisible: Bool
    /// How many threads kernels are to run on.
    private(set) var limit: Int
    /// When to look again, on the clock of `now`.
    private(set) var nextLook: UInt64 = 0

    private var pause = Crowding.pauses.lowerBound
    private var windowStart: UInt64 = 0
    /// How long each thread had waited by the start of the window; nil where that is not known.
    private var waitedBefore: [UInt64?]

    init(threadCount: Int, isDivisible: Bool) {
        self.threadCount = threadCount
        self.isDivisible = isDivisible
        limit = threadCount
        waitedBefore = Array(repeating: nil, count: threadCount)
    }

    /// Looks at the threads. To be called when `nextLook` has come, while there are kernels to run. Allocates nothing.
    ///
    /// - Parameter waited: nanoseconds for which a thread has been ready without a core, since it was started; nil where the
    ///   system does not tell.
    mutating func look(at now: UInt64, waited: (Int) -> UInt64?) {
        let elapsed = now - windowStart
        // After a time without kernels, what was waited says nothing.
        let isStale = windowStart == 0 || elapsed > 4 * Crowding.window
        let wasFull = limit == threadCount
        var lackingCores = 0.0, longestShare = 0.0
        var thread = 0
        while thread < threadCount {
            let total = waited(thread)
            if let total, let before = waitedBefore[thread], total >= before {
                let share = Double(total - before) / Double(max(1, elapsed))
                lackingCores += share
                longestShare = max(longestShare, share)
            }
            waitedBefore[thread] = total
            thread += 1
        }
        windowStart = now
        nextLook = now + Crowding.window
        guard wasFull else {
            limit = threadCount
            return
        }
        if isStale { return }
        let fewer =
            isDivisible
            ? threadCount - Int(lackingCores + 1 - Crowding.bearableShare) : fewerOfFixedParts(longestShare)
        if fewer >= threadCount {
            pause = max(Crowding.pauses.lowerBound, pause / 2)
            return
        }
        limit = max(1, fewer)
        nextLook = now + pause
        pause = min(2 * pause, Crowding.pauses.upperBound)
    }

    /// Another thread stands in the place of one: how long that one had waited says nothing of it.
    mutating func forget(_ thread: Int) { waitedBefore[thread] = nil }

    /// With fixed parts all threads are as slow as the slowest; one alone does not wait for others.
    private func fewerOfFixedParts(_ share: Double) -> Int {
        Double(threadCount) * (1 - share) < 2 * (1 - Crowding.bearableShare) ? 1 : threadCount
    }
}
