/// What the variables of a launcher (`mpirun`) say to a process that it started as one of several: Open MPI's, and those of
/// MPICH and its relatives.
public struct Launch: Sendable, Equatable {
    /// Processes of the job; more than 1.
    public let rankCount: Int
    /// Of this process, from 0; `nil` where the launcher does not say.
    public let rank: Int?
    /// Processes of the job on this machine; `nil` where the launcher does not say.
    public let localRankCount: Int?

    /// `nil` if no launcher, or one of a single process, started this one.
    init?(environment: [String: String]) {
        func number(_ names: String...) -> Int? { names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first }
        guard let count = number("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"), count > 1 else { return nil }
        rankCount = count
        rank = number("OMPI_COMM_WORLD_RANK", "PMI_RANK").flatMap { (0..<count).contains($0) ? $0 : nil }
        localRankCount = number("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS").flatMap { $0 > 0 ? $0 : nil }
    }
}
