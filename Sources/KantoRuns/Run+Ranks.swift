import KantoCommunication
import KantoData
import KantoGAN
import KantoNN

// What the ranks of a run must agree on. Of a process alone none of this does anything.

extension Run {
    /// The first rank's answer.
    func agreed(_ answer: Bool) throws -> Bool {
        guard let communicator else { return answer }
        return try communicator.fromFirst([answer ? 1 : 0]) == [1]
    }

    /// The first rank's folder.
    static func folder(_ folder: String, by communicator: Communicator?) throws -> String {
        guard let communicator else { return folder }
        var bytes = [UInt8](repeating: 0, count: 4096)
        guard folder.utf8.count < bytes.count else { throw DataError(.cannotWrite, "\(folder): a path of more than 4095 bytes") }
        bytes.replaceSubrange(0..<folder.utf8.count, with: folder.utf8)
        return String(decoding: try communicator.fromFirst(bytes).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The number that any rank gives, the first of them that gives one; for a signal that one of them may have been sent.
    public func agreed(_ number: Int32?) throws -> Int32? {
        guard let communicator else { return number }
        var numbers = [Double](repeating: 0, count: communicator.rankCount)
        numbers[communicator.rank] = Double(number ?? 0)
        return try communicator.sums(of: numbers).first { $0 != 0 }.map { Int32($0) }
    }

    /// Compares weights, layers' state and data of all ranks, which must have the same bits.
    ///
    /// - Throws: `RankError` on every rank; that of the first names those that are apart.
    func checkRanks() throws {
        guard let communicator else { return }
        let digests = try communicator.gathered(digest)
        let usual = Self.mostFrequent(digests)
        let others = digests.indices.filter { digests[$0] != usual }
        guard try agreed(!others.isEmpty) else { return }
        let names = communicator.isFirst ? "rank " + others.map(String.init).joined(separator: ", ") : "some ranks"
        throw RankError(
            rank: communicator.rank, rankCount: communicator.rankCount,
            reason: "after iteration \(trainer.iteration) the weights or the data of \(names) are not those of the others: "
                + "expected the same files, plugins and instruction set (KANTO_ISA) on every machine; nothing was written",
            isKnownToAll: true)
    }

    /// Of several the first.
    static func mostFrequent(_ digests: [UInt64]) -> UInt64? {
        let counts = Dictionary(digests.map { ($0, 1) }, uniquingKeysWith: +)
        let most = counts.values.max()
        return digests.first { counts[$0] == most }
    }

    /// Of all that is to be the same on every rank.
    private var digest: UInt64 {
        var digest = ContentDigest()
        for network in [trainer.critic, trainer.generator] as [any Layer] {
            for parameter in network.namedParameters.map(\.parameter) + network.namedState.map(\.state) {
                parameter.value.floats.withUnsafeBytes { digest.combine($0) }
            }
        }
        digest.combine("\(trainer.iteration) \(configuration.dataDigest ?? "")")
        return digest.value
    }
}
