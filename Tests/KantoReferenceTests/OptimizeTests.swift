import KantoConsistency
import KantoKernels
import Testing

@Suite struct OptimizeTests {
    @Test func adamAgainstAStepWrittenOut() throws {
        let problem = Problem.optimize(.adam, count: 2)
        // The second step with β₁ = 0.5, β₂ = 0.75, ε = 1e-8, a rate of 0.1 and a decay of 0.01.
        let outputs = try outputs(
            problem, [[2, -1]], old: [[1, -2], [1, 0.5], [4, 0.25]],
            scalars: [0.1, 0.5, 0.75, 1e-8, 0.75, 0.4375, 0.01])
        let first = [0.5 * 1 + 0.5 * 2, 0.5 * 0.5 - 0.5 * 1]
        let second = [0.75 * 4 + 0.25 * 4, 0.75 * 0.25 + 0.25 * 1]
        #expect(outputs[1] == first)
        #expect(outputs[2] == second)
        let step0 = 0.1 * (1.5 / 0.75) / ((4 / 0.4375).squareRoot() + 1e-8)
        let step1 = 0.1 * (-0.25 / 0.75) / ((0.4375 / 0.4375).squareRoot() + 1e-8)
        #expect(abs(outputs[0][0] - (0.999 - step0)) <= 1e-15)
        #expect(abs(outputs[0][1] - (-1.998 - step1)) <= 1e-15)
    }

    @Test func momentumAgainstAStepWrittenOut() throws {
        let problem = Problem.optimize(.momentum, count: 2)
        let outputs = try outputs(problem, [[2, -1]], old: [[1, -2], [4, 0.5]], scalars: [0.125, 0.5, 0.5])
        #expect(outputs == [[0.9375 - 0.125 * 4, -1.875 + 0.125 * 0.75], [4, -0.75]])
    }

    @Test func rmsPropAgainstAStepWrittenOut() throws {
        let problem = Problem.optimize(.rmsProp, count: 1)
        let outputs = try outputs(problem, [[2]], old: [[1], [16]], scalars: [0.125, 0.5, 1, 0.5])
        #expect(outputs[1] == [0.5 * 16 + 0.5 * 4])
        #expect(abs(outputs[0][0] - (0.9375 - 0.25 / (10.0.squareRoot() + 1))) <= 1e-15)
    }
}
