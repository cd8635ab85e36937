import Glibc
import KantoABI
import KantoShims
import Synchronization
import TestSupport
import Testing

@testable import KantoKernels

/// What the pieces of one job note down.
private final class Record {
    let threadCount: Int
    let hits: UnsafeMutablePointer<Int32>
    let isBusy: UnsafeMutablePointer<Atomic<Bool>>
    let mistakes = Atomic<Int>(0)
    /// A bit for each worker that was seen.
    let workers = Atomic<UInt64>(0)
    let inner: UnsafePointer<kanto_host>?

    init(count: Int, threadCount: Int, inner: UnsafePointer<kanto_host>? = nil) {
        self.threadCount = threadCount
        self.inner = inner
        hits = .allocate(capacity: max(1, count))
        hits.initialize(repeating: 0, count: max(1, count))
        isBusy = .allocate(capacity: threadCount)
        for worker in 0..<threadCount { (isBusy + worker).initialize(to: Atomic(false)) }
    }

    deinit {
        hits.deallocate()
        isBusy.deallocate()
    }

    var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
    static func of(_ context: UnsafeMutableRawPointer?) -> Record { Unmanaged.fromOpaque(context!).takeUnretainedValue() }

    func enter(_ worker: Int64) {
        guard (0..<Int64(threadCount)).contains(worker) else {
            mistakes.add(1, ordering: .relaxed)
            return
        }
        workers.bitwiseOr(1 << UInt64(worker), ordering: .relaxed)
        if isBusy[Int(worker)].exchange(true, ordering: .acquiringAndReleasing) { mistakes.add(1, ordering: .relaxed) }
    }

    func leave(_ worker: Int64) { isBusy[Int(worker)].store(false, ordering: .releasing) }
}

private let noteIndex: kanto_body = { context, index, worker in
    let record = Record.of(context)
    record.enter(worker)
    record.hits[Int(index)] += 1
    record.leave(worker)
}

private let noteIndexSlowly: kanto_body = { context, index, worker in
    let end = monotonicSeconds() + 20e-6
    while monotonicSeconds() < end { kanto_pause() }
    noteIndex(context, index, worker)
}

@Suite struct ThreadPoolTests {
    @Test(.timeLimit(.minutes(2)), arguments: [1, 2, 3, 8])
    func runsEachIndexOnce(threadCount: Int) {
        let pool = ThreadPool(threadCount: threadCount)
        for round in 0..<400 {
            let count = [1, 2, 3, 7, 64, 1000][round % 6] + round % 5
            let record = Record(count: count, threadCount: threadCount)
            pool.run(count: Int64(count), body: noteIndex, context: record.opaque)
            #expect((0..<count).allSatisfy { record.hits[$0] == 1 }, "count \(count)")
            #expect(record.mistakes.load(ordering: .relaxed) == 0, "count \(count)")
        }
    }

    /// Jobs with sleeps between them find sleeping workers.
    @Test(.timeLimit(.minutes(2)))
    func wakesSleepers() async throws {
        let pool = ThreadPool(threadCount: 3)
        for _ in 0..<30 {
            let record = Record(count: 50, threadCount: 3)
            pool.run(count: 50, body: noteIndex, context: record.opaque)
            #expect((0..<50).allSatisfy { record.hits[$0] == 1 })
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3])
    func tinyJobs(threadCount: Int) {
        let pool = ThreadPool(threadCount: threadCount)
        let record = Record(count: 2, threadCount: threadCount)
        for _ in 0..<20_000 { pool.run(count: 2, body: noteIndex, context: record.opaque) }
        #expect(record.hits[0] == 20_000 && record.hits[1] == 20_000)
        #expect(record.mistakes.load(ordering: .relaxed) == 0)
    }

    /// Pieces run on as many threads as a job is given, also after jobs with fewer or more.
    @Test(.timeLimit(.minutes(1)))
    func runsOnTheThreadsOfAJob() {
        let pool = ThreadPool(threadCount: 4)
        for round in 0..<60 {
            let threads = [4, 1, 2, 3, 4, 2][round % 6]
            let record = Record(count: 40, threadCount: 4)
            pool.run(threads: Int64(threads), count: 40, body: noteIndexSlowly, context: record.opaque)
            #expect((0..<40).allSatisfy { record.hits[$0] == 1 } && record.mistakes.load(ordering: .relaxed) == 0)
            #expect(record.workers.load(ordering: .relaxed) < 1 << UInt64(threads), "\(threads) threads")
        }
        // Those that were left out come back.
        let meeting = Meeting(expected: 4)
        pool.run(count: 4, body: Meeting.wait, context: Unmanaged.passUnretained(meeting).toOpaque())
        #expect(meeting.arrived.load(ordering: .relaxed) == 4)
    }

    /// Pieces that end when all have begun, and so need a thread each.
    private final class Meeting: Sendable {
        let expected: Int
        let arrived = Atomic(0)
        init(expected: Int) { self.expected = expected }
        static let wait: kanto_body = { context, _, _ in
            let meeting = Unmanaged<Meeting>.fromOpaque(context!).takeUnretainedValue()
            meeting.arrived.add(1, ordering: .relaxed)
            while meeting.arrived.load(ordering: .relaxed) < meeting.expected { sched_yield() }
        }
    }

    /// The pool is there for the whole of a piece: a slow worker's piece has ended when the job returns.
    @Test func waitsForTheLastPiece() {
        let pool = ThreadPool(threadCount: 2)
        let slow: kanto_body = { context, index, _ in
            if index == 0 {
                let end = monotonicSeconds() + 0.02
                while monotonicSeconds() < end { kanto_pause() }
            }
            Record.of(context).hits[Int(index)] += 1
        }
        for _ in 0..<10 {
            let record = Record(count: 2, threadCount: 2)
            pool.run(count: 2, body: slow, context: record.opaque)
            #expect(record.hits[0] == 1 && record.hits[1] == 1)
        }
    }
}

/// A system that gives `count` threads and refuses more.
private func starting(_ count: Int) -> ThreadStart {
    let left = Lock(count)
    return { stackSize, body in
        let isGiven = left.withLock { left in
            defer { left -= 1 }
            return left > 0
        }
        return isGiven ? startThread(stackSize: stackSize, body) : EAGAIN
    }
}

@Suite struct RefusedThreadTests {
    @Test(.timeLimit(.minutes(1)), arguments: [0, 1, 2, 5])
    func aPoolGoesOnWithTheThreadsThatItGets(given: Int) {
        Said.listen()
        let pool = ThreadPool(threadCount: 6, start: starting(given))
        #expect(pool.threadCount == given + 1)
        let record = Record(count: 300, threadCount: given + 1)
        pool.run(count: 300, body: noteIndexSlowly, context: record.opaque)
        #expect((0..<300).allSatisfy { record.hits[$0] == 1 } && record.mistakes.load(ordering: .relaxed) == 0)
        let said = "kanto: warning: the system refuses threads (Resource temporarily unavailable): going on with \(given + 1) of 6"
        #expect(Said.lines(with: said).count == (given < 5 ? 1 : 0))
    }

    @Test func kernelsAreMadeForTheThreadsThatThereAre() {
        Said.listen()
        let host = Host(threadCount: 7, parallelFor: nil, start: starting(2))
        #expect(host.threadCount == 3 && host.pointer.pointee.thread_count == 3)
    }

    @Test func withoutItsThreadKernelsRunOnTheirCallers() {
        Said.listen()
        var thread = pthread_self()
        KernelTurn.take {
            KernelThread(start: starting(0)).perform({ $0.assumingMemoryBound(to: pthread_t.self).pointee = pthread_self() }, &thread)
        }
        #expect(thread == pthread_self())
        #expect(Said.lines(with: "the system refuses a thread for kernels (Resource temporarily unavailable)").count == 1)
        KernelTurn.take {
            KernelThread().perform({ $0.assumingMemoryBound(to: pthread_t.self).pointee = pthread_self() }, &thread)
        }
        #expect(thread != pthread_self())
    }

    /// As another user than root, whom the system allows few threads; address space that is too small for a root user.
    @Test(arguments: [true, false]) func aKernelRunsWhateverIsRefused(limitsThreads: Bool) async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) { [limitsThreads] in
            let problem = Problem.matmul(m: 300, n: 300, k: 300)
            let buffer = try Buffer(byteCount: 4 * 90_000)
            buffer.pointer.initializeMemory(as: Float.self, repeating: 1, count: 90_000)
            let output = try Buffer(byteCount: 4 * 90_000)
            if limitsThreads, geteuid() == 0 { #expect(setuid(65_534) == 0) }
            var bytes = 0
            for field in (systemText("/proc/self/statm") ?? "").split(separator: " ").prefix(1) {
                bytes = Int(field)! * sysconf(Int32(_SC_PAGESIZE))
            }
            // Room for the memory of a kernel and some stacks of 1 MB, not for 63.
            var limit = rlimit(rlim_cur: limitsThreads ? 3 : UInt(bytes) + 40 << 20, rlim_max: .max)
            if limitsThreads { limit.rlim_max = 3 } else { limit.rlim_max = limit.rlim_cur }
            #expect(setrlimit(__rlimit_resource_t((limitsThreads ? __RLIMIT_NPROC : RLIMIT_AS).rawValue), &limit) == 0)
            try Kernels.withThreadCount(64) {
                try Kernels.run {
                    try Kernels.kernel(for: problem).run(buffer.pointer, buffer.pointer, into: output.pointer)
                }
            }
            let values = output.pointer.assumingMemoryBound(to: Float.self)
            #expect((0..<90_000).allSatisfy { values[$0] == 300 })
        }
        let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).split(separator: "\n")
        #expect(said.filter { $0.contains("the system refuses threads") && $0.contains("of 64") }.count == 1)
    }
}

@Suite struct ThreadStartTests {
    /// Rounding that the starting thread has set must not change what the new one computes.
    @Test func resetsTheFloatingPointEnvironment() {
        final class Found: @unchecked Sendable {
            var rounding: (starter: Int32, started: Int32) = (-1, -1)
            var isDone = sem_t()
        }
        // FE_TONEAREST and FE_UPWARD, which Swift sees twice each.
        #if arch(x86_64)
        let (nearest, upward): (Int32, Int32) = (0, 0x800)
        #else
        let (nearest, upward): (Int32, Int32) = (0, 0x40_0000)
        #endif
        let found = Found()
        sem_init(&found.isDone, 0, 0)
        let status = startThread(stackSize: 1 << 20) {
            fesetround(upward)
            found.rounding.starter = fegetround()
            let status = startThread(stackSize: 1 << 20) {
                found.rounding.started = fegetround()
                sem_post(&found.isDone)
            }
            if status != 0 { sem_post(&found.isDone) }
        }
        #expect(status == 0)
        while sem_wait(&found.isDone) != 0 {}
        #expect(found.rounding == (upward, nearest))
    }
}

@Suite struct HostTests {
    /// A backend's own workers: here all the work is done by the caller, as worker 1.
    private static let foreign: Host.ParallelFor = { _, count, body, context in
        for index in 0..<count { body!(context, index, 1) }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [(1, false), (2, false), (4, false), (2, true)])
    func nestedRunsInline(threadCount: Int, isForeign: Bool) {
        let host = Host(threadCount: threadCount, parallelFor: isForeign ? Self.foreign : nil)
        let outer: kanto_body = { context, index, worker in
            let record = Record.of(context)
            record.enter(worker)
            struct Inner { var sum: Int64 = 0; var worker: Int64; var mistakes = 0 }
            var inner = Inner(worker: worker)
            record.inner!.pointee.parallel_for(record.inner, 5, { context, index, worker in
                let inner = context!.assumingMemoryBound(to: Inner.self)
                inner.pointee.sum += index
                // As the same worker: scratch that is divided by workers stays free of races.
                if worker != inner.pointee.worker || kanto_worker() != worker { inner.pointee.mistakes += 1 }
            }, &inner)
            record.hits[Int(index)] += inner.sum == 10 && inner.mistakes == 0 ? 1 : 100
            if kanto_worker() != worker { record.mistakes.add(1, ordering: .relaxed) }
            record.leave(worker)
        }
        for count in [1, 2, 40] {
            let record = Record(count: count, threadCount: threadCount, inner: host.pointer)
            KernelTurn.take {
                host.pointer.pointee.parallel_for(host.pointer, Int64(count), outer, record.opaque)
            }
            #expect((0..<count).allSatisfy { record.hits[$0] == 1 })
            #expect(record.mistakes.load(ordering: .relaxed) == 0)
        }
        #expect(KernelTurn.take { kanto_worker() } == -1)
    }

    /// A backend that makes a kernel on any thread may use the lent host while a kernel runs on the same workers.
    @Test(.timeLimit(.minutes(1)))
    func servesOtherThreadsInline() async {
        let host = Host(threadCount: 3, parallelFor: nil)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<6 {
                group.addTask {
                    var isRight = true
                    for _ in 0..<100 {
                        let record = Record(count: 20, threadCount: 3)
                        let run = {
                            host.pointer.pointee.parallel_for(host.pointer, 20, noteIndexSlowly, record.opaque)
                        }
                        if task % 2 == 0 { KernelTurn.take(run) } else { run() }
                        isRight = isRight && (0..<20).allSatisfy { record.hits[$0] == 1 }
                            && record.mistakes.load(ordering: .relaxed) == 0
                            && (task % 2 == 0 || record.workers.load(ordering: .relaxed) == 1)
                    }
                    return isRight
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test func countOfZeroDoesNothing() {
        let host = Host(threadCount: 2, parallelFor: nil)
        host.pointer.pointee.parallel_for(host.pointer, 0, { _, _, _ in fatalError("a piece of nothing") }, nil)
    }

    @Test func scratchGrowsAndStays() throws {
        let host = Host(threadCount: 1, parallelFor: nil)
        #expect(try host.scratch(0) == nil)
        let small = try host.scratch(100)
        #expect(small != nil && Int(bitPattern: small) % 64 == 0)
        #expect(try host.scratch(50) == small)
        let large = try #require(try host.scratch(10 << 20))
        large.initializeMemory(as: UInt8.self, repeating: 1, count: 10 << 20)
        #expect(try host.scratch(100) == large && host.scratch(10 << 20) == large)
        #expect(try host.scratch(0) == nil)
    }

    @Test func scratchThatCannotBeHadIsAnError() throws {
        let host = Host(threadCount: 1, parallelFor: nil)
        _ = try host.scratch(100)
        for byteCount in [1 << 47, Int.max] {
            #expect(throws: KernelError.memory(byteCount: byteCount)) { try host.scratch(byteCount) }
        }
        // It goes on.
        let scratch = try #require(try host.scratch(200))
        scratch.initializeMemory(as: UInt8.self, repeating: 1, count: 200)
    }
}
