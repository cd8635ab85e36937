import Glibc
import KantoShims
import Testing

@testable import KantoKernels

/// Time goes by in windows; threads wait for shares of it.
private struct Machine {
    var crowding: Crowding
    var now: UInt64 = 1_000_000_000_000
    var waited: [UInt64?]

    init(threadCount: Int, isDivisible: Bool = true) {
        crowding = Crowding(threadCount: threadCount, isDivisible: isDivisible)
        waited = Array(repeating: 5_000_000_000, count: threadCount)
        look()
    }

    mutating func look() { crowding.look(at: now) { waited[$0] } }

    /// Lets time go by until the next look, and looks.
    mutating func pass(_ shares: [Double]) {
        let next = max(now, crowding.nextLook)
        pass(nanoseconds: next - now, shares)
        look()
    }

    mutating func pass(nanoseconds: UInt64, _ shares: [Double]) {
        now += nanoseconds
        for (thread, share) in shares.enumerated() { waited[thread]? += UInt64(share * Double(nanoseconds)) }
    }

    /// The share of a long time for which kernels ran on all threads.
    mutating func shareOfFullTime(_ shares: [Double], seconds: Double) -> Double {
        let start = now
        var full: UInt64 = 0
        while Double(now - start) < seconds * 1e9 {
            let (before, isFull) = (now, crowding.limit == crowding.threadCount)
            pass(shares)
            if isFull { full += now - before }
        }
        return Double(full) / Double(now - start)
    }
}

@Suite struct CrowdingTests {
    @Test func aQuietMachineIsUsedWhole() {
        var machine = Machine(threadCount: 4)
        #expect(machine.crowding.limit == 4)
        #expect(machine.shareOfFullTime([0.02, 0, 0.05, 0.01], seconds: 10) == 1)
    }

    @Test func whereOneCoreOfTwoIsTakenOneThreadComputes() {
        for isDivisible in [false, true] {
            var machine = Machine(threadCount: 2, isDivisible: isDivisible)
            machine.pass([0, 0.45])
            #expect(machine.crowding.limit == 1)
            // All threads are tried now and then, ever more seldom.
            let first = machine.shareOfFullTime([0, 0.45], seconds: 5), later = machine.shareOfFullTime([0, 0.45], seconds: 60)
            #expect(first > 0 && first < 0.04 && later > 0 && later < 0.01, "\(first), \(later)")
            // When the core is free again, it is used after the longest pause at the latest.
            #expect(machine.shareOfFullTime([0, 0], seconds: 40) > 0.89)
            #expect(machine.crowding.limit == 2)
        }
    }

    @Test(arguments: [
        (8, [0, 0, 0, 0.5, 0, 0, 0, 0], 7, 8), (8, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 4, 8),
        (8, [0, 0, 0.9, 0, 0, 0, 0, 0], 7, 1), (5, [0.6, 0.6, 0.6, 0.6, 0.6], 2, 5), (2, [0.9, 0.9], 1, 1),
    ])
    func asManyThreadsComputeAsThereAreCores(count: Int, shares: [Double], divisible: Int, fixed: Int) {
        var machine = Machine(threadCount: count)
        machine.pass(shares)
        #expect(machine.crowding.limit == divisible)
        // Parts that are fixed go on all threads or on one, whatever is faster.
        machine = Machine(threadCount: count, isDivisible: false)
        machine.pass(shares)
        #expect(machine.crowding.limit == fixed)
    }

    @Test func timeWithoutKernelsSaysNothing() {
        var machine = Machine(threadCount: 2)
        machine.pass(nanoseconds: 3_000_000_000, [0.5, 0.5])
        machine.look()
        #expect(machine.crowding.limit == 2)
        machine.pass([0, 0.5])
        #expect(machine.crowding.limit == 1)
    }

    @Test func whereTheSystemTellsNothingAllThreadsCompute() {
        var machine = Machine(threadCount: 2)
        machine.waited = [nil, nil]
        #expect(machine.shareOfFullTime([1, 1], seconds: 5) == 1)
        // A thread that is known late, or is another now.
        machine.waited = [0, 50]
        machine.look()
        machine.waited = [0, 0]
        machine.look()
        #expect(machine.crowding.limit == 2)
    }

    /// Four threads want each core.
    @Test(.enabled(if: kanto_thread_waited(kanto_thread()) >= 0, "the system does not tell how long threads wait"))
    func theSystemTellsHowLongThreadsWait() async {
        await #expect(processExitsWith: .success) {
            let before = kanto_thread_waited(kanto_thread())
            for _ in 0..<3 * Processor.coreCount {
                #expect(startThread(stackSize: 1 << 20) { while true { kanto_pause() } } == 0)
            }
            let end = monotonicSeconds() + 0.5
            while monotonicSeconds() < end { kanto_pause() }
            #expect(kanto_thread_waited(kanto_thread()) - before > 100_000_000)
            #expect(kanto_thread_waited(-5) < 0)
        }
    }
}
