import KantoABI
import KantoKernels

/// What a backend did with a list of problems.
public struct Verification: Sendable {
    /// A problem that was declined and may be.
    public struct Refusal: Sendable {
        /// What was declined.
        public let test: TestProblem
        /// The backend's own words.
        public let reason: String
    }

    /// A problem that went wrong, printed as one line.
    public struct Failure: Sendable, CustomStringConvertible {
        /// What went wrong.
        public let test: TestProblem
        /// What the operands held, unless no kernel was made.
        public let tier: Tier?
        /// What differs or which rule is broken: where, what was found, what was expected and how closely.
        public let reason: String

        public var description: String {
            var circumstances = tier.map { ["\($0) values"] } ?? []
            if let seed = test.seed { circumstances.append("seed \(seed)") }
            return "\(test)" + (circumstances.isEmpty ? "" : " [\(circumstances.joined(separator: ", "))]") + ": \(reason)"
        }
    }

    /// How many problems were served; one in two element types counts twice.
    public var servedCount = 0
    /// Problems that were declined and may be.
    public var declined: [Refusal] = []
    /// One for each problem that went wrong, with the first thing that did.
    public var failures: [Failure] = []
}

/// Runs the problems on a backend, in each element type that it offers, and compares with the reference: on exact, normal
/// and special values; on aligned, misaligned and prepared operands; on one thread, on two, on one of two, and twice at the
/// same time; elementwise ops in place, too.
/// - Parameters:
///   - types: those that are asked for.
///   - mayDecline: whether the backend may decline a problem of an op that it offers.
///   - willVerify: called before each problem that the backend offers to serve.
public func verify(
    _ backend: UnsafePointer<kanto_backend>, _ problems: [TestProblem] = problemList,
    types: [ElementType] = ElementType.allCases, tiers: [Tier] = Tier.allCases,
    mayDecline: (kanto_problem) -> Bool = { _ in false }, willVerify: (TestProblem) -> Void = { _ in }
) -> Verification {
    let hosts = (one: ThreadHost(threadCount: 1), two: ThreadHost(threadCount: 2))
    var verification = Verification()
    for type in types {
        for var test in problems where backend.pointee.offers(test.problem.op, type) {
            test.problem.dtype = type.rawValue
            willVerify(test)
            let call = "\(name(of: backend)) at \(test)" + (test.seed.map { " [seed \($0)]" } ?? "")
            PluginCalls.within(call) { verify(test, on: backend, hosts, tiers, mayDecline, &verification) }
        }
    }
    return verification
}

private func verify(
    _ test: TestProblem, on backend: UnsafePointer<kanto_backend>, _ hosts: (one: ThreadHost, two: ThreadHost), _ tiers: [Tier],
    _ mayDecline: (kanto_problem) -> Bool, _ verification: inout Verification
) {
    do throws(RunFailure) {
        let kernels = (
            one: try MadeKernel(test.problem, on: backend, host: hosts.one),
            two: try MadeKernel(test.problem, on: backend, host: hosts.two)
        )
        verification.servedCount += 1
        for tier in tiers {
            guard let data = TestData(test, tier) else { continue }
            do throws(RunFailure) {
                try verify(test, tier, data, kernels, hosts.two)
            } catch {
                verification.failures.append(.init(test: test, tier: tier, reason: error.description))
                break
            }
        }
    } catch .declined(let reason) where mayDecline(test.problem) {
        verification.declined.append(.init(test: test, reason: reason))
    } catch {
        verification.failures.append(.init(test: test, tier: nil, reason: error.description))
    }
}

private func verify(
    _ test: TestProblem, _ tier: Tier, _ data: TestData, _ kernels: (one: MadeKernel, two: MadeKernel), _ hostOfTwo: ThreadHost
) throws(RunFailure) {
    let expectation = try Expectation(test, tier, data)
    let operands = operands(of: test.problem)
    func run(_ kernel: MadeKernel, _ placement: Placement = Placement()) throws(RunFailure) -> [[Double]] {
        try kernel.run(inputs: data.inputs, outputs: data.outputs, scalars: test.scalars, placement)
    }
    func expectSame(_ outputs: [[Double]], _ others: [[Double]], _ circumstance: String) throws(RunFailure) {
        for (output, operand) in operands.outputs.enumerated() {
            for index in 0..<operand.span where operand.isElement[index] {
                let value = outputs[output][index]
                let other = others[output][index]
                guard value.bitPattern == other.bitPattern || value.isNaN && other.isNaN else {
                    throw .violation("output \(output) at \(index) is \(value), but \(other) \(circumstance)")
                }
            }
        }
    }

    /// What goes wrong on some threads: in the run, or in what it leaves.
    func attempt(_ kernel: MadeKernel) -> (outputs: [[Double]], failure: RunFailure?) {
        do throws(RunFailure) {
            let outputs = try run(kernel)
            return (outputs, expectation.fault(in: outputs, of: operands).map { .violation($0) })
        } catch {
            return ([], error)
        }
    }
    let (outputs, onTwo) = attempt(kernels.two)
    let onOne = attempt(kernels.one).failure
    switch (onOne, onTwo) {
    case (let fault?, .some): throw fault
    case (nil, let fault?): throw fault.in("on two threads, not on one, ")
    case (let fault?, nil): throw fault.in("on one thread, not on two, ")
    case (nil, nil): break
    }
    try expectSame(outputs, try run(kernels.two, Placement(misalignment: 1)), "on misaligned operands")
    if kernels.two.takesPreparedInputs {
        try expectSame(outputs, try run(kernels.two, Placement(isPrepared: true)), "on prepared inputs")
    }
    for input in inputsThatMayShareTheOutput(test.problem) {
        try expectSame(
            outputs, try run(kernels.two, Placement(aliasedInput: input)), "when it shares the memory of input \(input)"
        )
    }
    if tier == .normal {
        // While the machine is busy, a run is lent fewer threads than its kernel was made for.
        hostOfTwo.threadCount = 1
        let onFewer = attempt(kernels.two).failure
        hostOfTwo.threadCount = 2
        if let onFewer { throw onFewer.in("on one thread, but made for two, ") }
        let results = ConcurrentResults()
        runThreads([{ results.first = Result { () throws(RunFailure) in try run(kernels.two) } }]) {
            results.second = Result { () throws(RunFailure) in try run(kernels.two) }
        }
        for result in [results.first!, results.second!] {
            try expectSame(outputs, try result.get(), "when the kernel runs on two threads at once")
        }
    }
}

private final class ConcurrentResults {
    var first: Result<[[Double]], RunFailure>?
    var second: Result<[[Double]], RunFailure>?
}

/// The inputs of an elementwise op with the output's strides.
private func inputsThatMayShareTheOutput(_ problem: kanto_problem) -> [Int] {
    guard (KANTO_OP_UNARY...KANTO_OP_TERNARY).contains(Int(problem.op)) else { return [] }
    let nest = problem.iteration
    let rank = Int(nest.rank)
    let output = values(nest.output_stride, rank)
    let inputs = [nest.input_stride.0, nest.input_stride.1, nest.input_stride.2]
    return operands(of: problem).inputs.indices.filter { values(inputs[$0], rank) == output }
}
