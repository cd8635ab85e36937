import KantoABI
import KantoKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a backend's own worker threads do wrong, if it lends any: each index of a loop is to be run once, by a worker in
/// range, before the call returns; a loop within a loop runs on the thread that it is met on.
public func flawOfWorkers(_ backend: UnsafePointer<kanto_backend>) -> String? {
    guard let parallelFor = backend.pointee.parallel_for else { return nil }
    for threadCount in [1, 2, 3] as [Int64] {
        for count in [0, 1, 2, 3, 7, 64, 1000] as [Int64] {
            let record = Record(count: Int(count), workerCount: threadCount)
            PluginCalls.within("\(name(of: backend)), in its parallel_for") {
                parallelFor(threadCount, count, Record.body, Unmanaged.passUnretained(record).toOpaque())
            }
            if let flaw = record.flaw { return "\(flaw), in a loop of \(count) on \(threadCount) threads" }
        }
        let nested = NestedLoops(parallelFor, threadCount: threadCount)
        PluginCalls.within("\(name(of: backend)), in a parallel_for within its parallel_for") {
            parallelFor(threadCount, 5, NestedLoops.body, Unmanaged.passUnretained(nested).toOpaque())
        }
        if let flaw = nested.inner.flaw { return "\(flaw), in a loop within a loop on \(threadCount) threads" }
        if nested.movesToAnotherThread { return "a loop within a loop on \(threadCount) threads does not run inline" }
    }
    return nil
}

/// Five loops of seven within one loop.
private final class NestedLoops: Sendable {
    typealias ParallelFor = @convention(c) (Int64, Int64, kanto_body?, UnsafeMutableRawPointer?) -> Void

    let inner: Record
    private let parallelFor: ParallelFor
    private let threadCount: Int64
    private let hasMoved = Mutex(false)
    var movesToAnotherThread: Bool { hasMoved.withLock { $0 } }

    init(_ parallelFor: ParallelFor, threadCount: Int64) {
        (self.parallelFor, self.threadCount) = (parallelFor, threadCount)
        inner = Record(count: 7, workerCount: threadCount, runCount: 5)
    }

    static let body: kanto_body = { context, _, _ in
        let loops = Unmanaged<NestedLoops>.fromOpaque(context!).takeUnretainedValue()
        var loop = (loops: loops, thread: pthread_self())
        withUnsafeMutablePointer(to: &loop) { loop in
            loops.parallelFor(
                loops.threadCount, 7,
                { context, index, worker in
                    let loop = context!.assumingMemoryBound(to: (loops: NestedLoops, thread: pthread_t).self).pointee
                    loop.loops.inner.add(index, worker: worker)
                    if pthread_equal(loop.thread, pthread_self()) == 0 { loop.loops.hasMoved.withLock { $0 = true } }
                }, loop)
        }
    }
}

/// Who ran which index of a loop, or of several alike.
private final class Record: Sendable {
    private let workerCount: Int64
    private let runCount: Int
    private let state: Mutex<(runs: [Int], flaw: String?)>

    init(count: Int, workerCount: Int64, runCount: Int = 1) {
        (self.workerCount, self.runCount) = (workerCount, runCount)
        state = Mutex((Array(repeating: 0, count: count), nil))
    }

    static let body: kanto_body = { context, index, worker in
        Unmanaged<Record>.fromOpaque(context!).takeUnretainedValue().add(index, worker: worker)
    }

    func add(_ index: Int64, worker: Int64) {
        state.withLock { state in
            if !(0..<workerCount ~= worker) { state.flaw = "worker \(worker) ran an index" }
            if state.runs.indices ~= Int(index) { state.runs[Int(index)] += 1 } else { state.flaw = "index \(index) was run" }
        }
    }

    var flaw: String? {
        state.withLock { state in
            state.flaw ?? state.runs.firstIndex { $0 != runCount }.map { "index \($0) was run \(state.runs[$0]) times" }
        }
    }
}
