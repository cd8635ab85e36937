import KantoABI
import KantoKernels

/// A problem with the scalars and the data that it is run with.
public struct TestProblem: Sendable, CustomStringConvertible {
    /// What is computed.
    public var problem: kanto_problem
    /// s0, s1 …; empty where the function takes none.
    public var scalars: [Double]
    /// What a random problem and the values of its operands are drawn with.
    public let seed: UInt64?

    /// - Parameters:
    ///   - scalars: as many as the function takes.
    ///   - seed: what a random problem and its values were drawn with.
    public init(_ problem: Problem, scalars: [Double] = [], seed: UInt64? = nil) {
        self.problem = problem.raw
        self.scalars = scalars
        self.seed = seed
    }

    /// What a run of it takes, roughly: floating-point operations, or elements of all operands where these are more.
    public var cost: Double {
        let operands = (try? Problem(raw: problem).operands()) ?? []
        let bytes = operands.reduce(0) { $0 + Double($1.byteCount) }
        return max(Problem(raw: problem).floatingPointOperations, bytes / 4)
    }

    /// The problem's one line.
    public var description: String { Problem(raw: problem).description }
}

extension TestProblem {
    /// A problem as it is tested, to be tried alone: those of the list that are it, with their scalars, or the random one of a
    /// seed. Of one that is neither, the scalars are those that the list has for its function.
    public static func all(of problem: Problem, seed: UInt64?) -> [TestProblem] {
        guard let op = problem.op else { return [] }
        // Lists are in float32.
        var plain = problem
        plain.raw.dtype = ElementType.float32.rawValue
        if let seed, let test = randomProblems(count: 1, seed: seed, ops: [op]).first, Problem(raw: test.problem) == plain {
            return [test]
        }
        let known = seed == nil ? problemList.filter { Problem(raw: $0.problem) == plain } : []
        if !known.isEmpty { return known }
        let alike = problemList.first { $0.problem.op == problem.raw.op && $0.problem.function == problem.raw.function }
        return [TestProblem(problem, scalars: alike?.scalars ?? [], seed: seed)]
    }
}
