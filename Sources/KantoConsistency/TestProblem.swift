import KantoABI
import KantoKernels

/// A problem with the scalars and the data that it is run with.
public struct TestProblem: Sendable, CustomStringConvertible {
    public var problem: kanto_problem
    public var scalars: [Double]
    /// What a random problem and the values of its operands are drawn with.
    public let seed: UInt64?

    public init(_ problem: kanto_problem, scalars: [Double] = [], seed: UInt64? = nil) {
        self.problem = problem
        self.scalars = scalars
        self.seed = seed
    }

    /// The problem's one line.
    public var description: String { Problem(raw: problem).description }
}
