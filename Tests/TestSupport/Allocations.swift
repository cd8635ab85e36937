import AllocationCounter
import Glibc
import KantoABI
import Synchronization

/// What some code allocated.
public struct Allocations: CustomStringConvertible, Sendable {
    public let count: Int
    /// The call stacks of the first 64, innermost first. A frame is a library's name with the function's where it exports
    /// one, otherwise with an offset for addr2line.
    public let stacks: [[String]]

    public var description: String {
        "\(count) allocations" + (stacks.first.map { ", the first in " + $0.prefix(10).joined(separator: " < ") } ?? "")
    }

    /// Whether this build counts allocations: a sanitizer's does not.
    public static let areCounted = allocation_counter_works()

    /// Counts what this thread allocates in `body`, and what the workers of `host` do meanwhile.
    public static func count<E: Error>(
        workersOf host: UnsafePointer<kanto_host>? = nil, in body: () throws(E) -> Void
    ) throws(E) -> Allocations {
        let counter = allocation_counter_make()!
        defer { allocation_counter_free(counter) }
        func include(_ counter: OpaquePointer?) {
            if let host { onOtherWorkers(of: host) { allocation_counter_set(counter) } }
        }
        include(counter)
        defer { include(nil) }
        allocation_counter_set(counter)
        defer { allocation_counter_set(nil) }
        try body()
        allocation_counter_set(nil)
        let count = allocation_counter_count(counter)
        return Allocations(count: Int(count), stacks: (0..<min(count, 64)).map { stack($0, of: counter) })
    }

    private static func stack(_ index: Int64, of counter: OpaquePointer) -> [String] {
        withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: ALLOCATION_COUNTER_FRAMES) { frames in
            let count = Int(allocation_counter_stack(counter, index, frames.baseAddress))
            let names = frames[..<count].dropFirst(2).map { frame in
                var offset: Int64 = 0, file: UnsafePointer<CChar>?, function: UnsafePointer<CChar>?
                allocation_counter_name(frame, &file, &offset, &function)
                let library = file.flatMap { String(cString: $0).split(separator: "/").last.map(String.init) } ?? "?"
                return library + (function.map { "(\(String(cString: $0)))" } ?? "+0x\(String(offset, radix: 16))")
            }
            return Array(names)
        }
    }
}

/// Calls `body` once on each worker of a host but the caller.
///
/// - Precondition: the host runs work on all of its workers here, not inline.
private func onOtherWorkers(of host: UnsafePointer<kanto_host>, _ body: () -> Void) {
    struct Meeting: ~Copyable {
        let body: () -> Void
        let expected: Int
        let caller = pthread_self()
        let arrived = Atomic(0)
    }
    let count = Int(host.pointee.thread_count)
    withoutActuallyEscaping(body) { body in
        var meeting = Meeting(body: body, expected: count)
        withUnsafeMutablePointer(to: &meeting) { pointer in
            host.pointee.parallel_for(host, Int64(count), { context, _, _ in
                let meeting = context!.assumingMemoryBound(to: Meeting.self)
                meeting.pointee.arrived.add(1, ordering: .relaxed)
                // Each waits for the others, so that nobody takes two pieces.
                let start = time(nil)
                while meeting.pointee.arrived.load(ordering: .relaxed) < meeting.pointee.expected {
                    precondition(time(nil) - start < 60, "the host does not run work on all of its workers")
                    sched_yield()
                }
                if pthread_self() != meeting.pointee.caller { meeting.pointee.body() }
            }, pointer)
        }
    }
}
