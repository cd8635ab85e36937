/// Times of one thing that was measured again and again, in seconds.
public struct Timings: Sendable {
    private var seconds: [Double] = []

    public init() {}

    /// How many were taken.
    public var count: Int { seconds.count }
    /// NaN of no times, as the minimum is.
    public var median: Double { seconds.isEmpty ? .nan : seconds.sorted()[seconds.count / 2] }
    /// The shortest, in seconds; NaN of none.
    public var minimum: Double { seconds.min() ?? .nan }
    /// Of rates, the best.
    public var maximum: Double { seconds.max() ?? .nan }

    /// Takes in a time, in seconds.
    public mutating func append(_ value: Double) { seconds.append(value) }

    /// Adds the time that `body` takes, divided by the number of runs in it.
    public mutating func measure<E: Error>(runs: Int = 1, _ body: () throws(E) -> Void) throws(E) {
        let start = monotonicSeconds()
        try body()
        seconds.append((monotonicSeconds() - start) / Double(runs))
    }
}

extension Kernel {
    /// Times of kernels of one problem, run in turn, in a new order each time, so that the machine's noise hits all alike.
    ///
    /// Operands lie in memory of their own, the same for all kernels, and hold numbers in [0.5, 1.5).
    ///
    /// - Parameters:
    ///   - seconds: about how long this takes in all; at least three rounds are measured.
    ///   - between: called once a round, to measure something else in turn.
    /// - Throws: what a kernel's run or `between` throws, and `KernelError.problem` or `.memory` if the operands cannot be had.
    public static func measure(
        _ kernels: [Kernel], seconds: Double, between: (() throws(KernelError) -> Void)? = nil
    ) throws(KernelError) -> [Timings] {
        guard let problem = kernels.first?.problem else { return [] }
        let operands = try OperandMemory(problem)
        // A sample is long against the clock and what the caller of a kernel costs.
        let shortestSample = 2e-4
        let runCounts = try kernels.map { (kernel) throws(KernelError) in
            try operands.run(kernel)
            var first = Timings()
            try first.measure { () throws(KernelError) in try operands.run(kernel) }
            return max(1, min(10_000, Int(shortestSample / first.median)))
        }
        var timings = Array(repeating: Timings(), count: kernels.count)
        let end = monotonicSeconds() + seconds
        repeat {
            // The order changes, for a kernel that always ran behind the same other one was up to a tenth slower than its twin.
            let order = kernels.indices.shuffled()
            if let between {
                try between()
                // That has emptied the caches: a run that does not count fills them for all.
                try operands.run(kernels[order[0]])
            }
            for index in order {
                let kernel = kernels[index]
                try timings[index].measure(runs: runCounts[index]) { () throws(KernelError) in
                    for _ in 0..<runCounts[index] { try operands.run(kernel) }
                }
            }
        } while timings[0].count < 3 || monotonicSeconds() < end
        return timings
    }
}

extension Kernel {
    /// How far the results of a kernel are from those of another for the same problem: the norm of the difference over that
    /// of the other's results; infinite where one is not finite.
    static func relativeError(of kernel: Kernel, against oracle: Kernel) throws(KernelError) -> Double {
        let (found, expected) = (try OperandMemory(kernel.problem), try OperandMemory(oracle.problem))
        try found.run(kernel)
        try expected.run(oracle)
        var squares = (difference: 0.0, expected: 0.0)
        expected.forEachOutput(beside: found) { expected, found in
            squares.difference += (found - expected) * (found - expected)
            squares.expected += expected * expected
        }
        let error = (squares.difference / max(squares.expected, .leastNormalMagnitude)).squareRoot()
        return error.isFinite ? error : .infinity
    }
}

/// A kernel with memory for its problem's operands, to be run again and again.
public final class KernelRunner {
    /// What is timed.
    public let kernel: Kernel
    private let operands: OperandMemory

    /// - Throws: what `Kernels.kernel(for:)` throws.
    public init(_ problem: Problem) throws(KernelError) {
        kernel = try Kernels.kernel(for: problem)
        operands = try OperandMemory(problem)
    }

    /// One run.
    ///
    /// - Throws: `KernelError`.
    public func run() throws(KernelError) { try operands.run(kernel) }
}

/// Memory for a problem's operands.
private final class OperandMemory {
    private var inputs: [UnsafeMutableRawPointer?] = [], outputs: [UnsafeMutableRawPointer?] = []
    private let operands: [Problem.Operand]
    /// Small rates and decays, as an optimizer's step has them, for whatever reads scalars.
    private let scalars = [1e-4, 0.5, 0.9, 1e-8, 0.5, 0.5, 0, 0]

    private let isDouble: Bool

    init(_ problem: Problem) throws(KernelError) {
        operands = try problem.operands()
        isDouble = problem.elementType == .float64
        for operand in operands {
            let pointer = try Memory.allocate(byteCount: max(1, operand.byteCount))
            if isDouble {
                fill(pointer.assumingMemoryBound(to: Double.self), operand.byteCount / 8)
            } else {
                fill(pointer.assumingMemoryBound(to: Float.self), operand.byteCount / 4)
            }
            if operand.isOutput { outputs.append(pointer) } else { inputs.append(pointer) }
        }
        inputs += Array(repeating: nil, count: 3)
        outputs += Array(repeating: nil, count: 3)
    }

    deinit {
        let pointers = inputs.compactMap { $0 } + outputs.compactMap { $0 }
        let ordered = operands.filter { !$0.isOutput } + operands.filter(\.isOutput)
        for (pointer, operand) in zip(pointers, ordered) {
            Memory.release(pointer, byteCount: max(1, operand.byteCount))
        }
    }

    func run(_ kernel: Kernel) throws(KernelError) {
        try kernel.run(
            inputs[0], inputs[1], inputs[2], into: outputs[0]!, outputs[1], outputs[2], scalars: scalars)
    }

    /// Calls the body with each element of the outputs, gaps included, and the same one of another problem like this.
    func forEachOutput(beside other: OperandMemory, _ body: (Double, Double) -> Void) {
        for (index, operand) in operands.filter(\.isOutput).enumerated() {
            let (a, b) = (outputs[index]!, other.outputs[index]!)
            if isDouble {
                for place in 0..<operand.byteCount / 8 {
                    body(a.load(fromByteOffset: 8 * place, as: Double.self), b.load(fromByteOffset: 8 * place, as: Double.self))
                }
            } else {
                for place in 0..<operand.byteCount / 4 {
                    body(
                        Double(a.load(fromByteOffset: 4 * place, as: Float.self)),
                        Double(b.load(fromByteOffset: 4 * place, as: Float.self)))
                }
            }
        }
    }

    private func fill<T: BinaryFloatingPoint>(_ pointer: UnsafeMutablePointer<T>, _ count: Int) {
        var state: UInt32 = 1
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            pointer[index] = 0.5 + T(state >> 8) / T(1 << 24)
        }
    }
}
