import KantoABI
import KantoKernels

/// This process and the others of a training that a launcher (`mpirun`) has started as several: its *ranks*.
///
/// All ranks call the same functions in the same order. A call waits for the others; if one of them does not answer it throws a
/// `RankError` that names it.
public final class Communicator: @unchecked Sendable {
    /// Of this process, from 0.
    public let rank: Int
    /// How many there are.
    public let rankCount: Int
    /// Ranks on this machine, this one included.
    public let localRankCount: Int
    /// As in `KANTO_COMMUNICATOR`.
    public let name: String
    /// The library and its version.
    public let description: String
    /// Seconds that this rank has spent in calls, so far: the others' lateness, and the way of the numbers.
    public private(set) var secondsInCalls = 0.0
    private let table: UnsafePointer<kanto_communicator>
    /// What a call of a plugin's code is called.
    private let call: String

    /// - Parameters:
    ///   - table: complete, and there as long as the process.
    ///   - origin: whose it is, for people.
    init(_ table: UnsafePointer<kanto_communicator>, origin: String) {
        self.table = table
        call = origin
        rank = Int(table.pointee.rank)
        rankCount = Int(table.pointee.rank_count)
        localRankCount = Int(table.pointee.local_rank_count)
        name = String(cString: table.pointee.name)
        description = table.pointee.description.map { String(cString: $0) } ?? name
    }

    /// Whether this is the rank that writes files and prints.
    public var isFirst: Bool { rank == 0 }

    /// Replaces values by their sums over all ranks, in the order of the ranks: the same bits on all of them.
    ///
    /// - Precondition: `count` numbers of the type lie there.
    /// - Throws: `RankError`.
    package func sum(_ values: UnsafeMutableRawPointer, count: Int, _ elementType: ElementType) throws(RankError) {
        try perform { table.pointee.all_reduce(table, values, Int64(count), elementType.rawValue, $0) }
    }

    /// Each value's sum over all ranks.
    ///
    /// - Throws: `RankError`.
    public func sums(of values: [Double]) throws(RankError) -> [Double] {
        var values = values
        let count = values.count
        try values.withUnsafeMutableBufferPointer { (values) throws(RankError) in
            guard let base = values.baseAddress else { return }
            try sum(base, count: count, .float64)
        }
        return values
    }

    /// The bytes of the first rank.
    ///
    /// - Throws: `RankError`; also if the first rank has not as many.
    public func fromFirst(_ bytes: [UInt8]) throws(RankError) -> [UInt8] {
        var bytes = bytes
        try bytes.withUnsafeMutableBufferPointer { (bytes) throws(RankError) in
            try perform { table.pointee.broadcast(table, bytes.baseAddress, Int64(bytes.count), 0, $0) }
        }
        return bytes
    }

    /// Hands the first rank a value of each, in their order; others get none.
    ///
    /// - Throws: `RankError`.
    public func gathered(_ value: UInt64) throws(RankError) -> [UInt64] {
        var all = [UInt64](repeating: 0, count: isFirst ? rankCount : 0)
        try all.withUnsafeMutableBufferPointer { (all) throws(RankError) in
            try withUnsafeBytes(of: value) { (own) throws(RankError) in
                try perform { table.pointee.gather(table, own.baseAddress, Int64(own.count), all.baseAddress, 0, $0) }
            }
        }
        return all
    }

    /// Returns when all ranks have come here.
    ///
    /// - Throws: `RankError`.
    public func barrier() throws(RankError) { try perform { table.pointee.barrier(table, $0) } }

    /// Ends all ranks, this one too.
    public func abort(exitCode: Int32) -> Never {
        table.pointee.abort(table, exitCode)
        fatalError("\(call) returned from the call that ends the process")
    }

    /// The last call of a program that has done its work. Waits for the others; without it the launcher takes the end of the
    /// process for a fault.
    ///
    /// - Throws: `RankError`.
    public func close() throws(RankError) { try perform { table.pointee.close(table, $0) } }

    private func perform(_ body: (UnsafeMutablePointer<kanto_message>) -> kanto_status) throws(RankError) {
        // In one turn: one call at a time.
        let failure = Kernels.run {
            let start = monotonicSeconds()
            defer { secondsInCalls += monotonicSeconds() - start }
            return keepingFloatingPointEnvironment { withMessage(body) }
        }
        guard let failure else { return }
        throw RankError(
            rank: rank, rankCount: rankCount, reason: failure.reason,
            isKnownToAll: failure.status == kanto_status(KANTO_STATUS_DECLINED))
    }
}

/// Something between the ranks of a training went wrong. One line for people.
public struct RankError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The rank that says it, and how many there are.
    public let rank, rankCount: Int
    /// What went wrong, and with which rank.
    public let reason: String
    /// Whether all ranks know of it: then another one says so, as a rule the first.
    public let isKnownToAll: Bool

    public init(rank: Int, rankCount: Int, reason: String, isKnownToAll: Bool = false) {
        (self.rank, self.rankCount, self.reason, self.isKnownToAll) = (rank, rankCount, reason, isKnownToAll)
    }

    public var description: String { "rank \(rank) of \(rankCount): \(reason)" }
}
