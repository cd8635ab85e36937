import KantoABI
import KantoKernels
import Synchronization

/// What a backend's own worker threads do wrong, if it lends any: each index of a loop is to be run once, by a worker in
/// range, before the call returns.
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
    }
    return nil
}

private final class Record: Sendable {
    private let count: Int
    private let workerCount: Int64
    private let state: Mutex<(runs: [Int], flaw: String?)>

    init(count: Int, workerCount: Int64) {
        (self.count, self.workerCount) = (count, workerCount)
        state = Mutex((Array(repeating: 0, count: count), nil))
    }

    static let body: kanto_body = { context, index, worker in
        let record = Unmanaged<Record>.fromOpaque(context!).takeUnretainedValue()
        record.state.withLock { state in
            if !(0..<record.workerCount ~= worker) { state.flaw = "worker \(worker) ran an index" }
            if 0..<record.count ~= Int(index) { state.runs[Int(index)] += 1 } else { state.flaw = "index \(index) was run" }
        }
    }

    var flaw: String? {
        state.withLock { state in
            state.flaw ?? state.runs.firstIndex { $0 != 1 }.map { "index \($0) was run \(state.runs[$0]) times" }
        }
    }
}
