import KantoKernels

extension Communicator {
    /// That of the pass which the caller is part of; nil for a pass of one process.
    @TaskLocal package static var current: Communicator?
}

/// Runs `body` as this rank's part of what all ranks do at once, each on its rows of a batch: `BatchNorm` goes by statistics of
/// the whole batch. nil runs it as it is.
public func withRanks<R, E: Error>(of communicator: Communicator?, _ body: () throws(E) -> R) throws(E) -> R {
    guard let communicator else { return try body() }
    return try Communicator.$current.binding(communicator, body)
}
