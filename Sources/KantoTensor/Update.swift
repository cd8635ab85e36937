import KantoKernels

// Updates in place, for optimizers: outside of every graph.

/// One step of Adam (Kingma and Ba 2015, Algorithm 1) with decoupled weight decay (Loshchilov and Hutter 2019).
public struct AdamStep: Sendable {
    public var learningRate: Double
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    public var weightDecay: Double
    /// Which step it is, from 1: the moments' bias is corrected by it.
    public var number: Int

    public init(learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, number: Int) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.number = number
    }

    /// Moves a parameter and its moments. The memory is reused where nothing else refers to it; a graph that is still
    /// alive keeps the old values.
    public func apply(_ gradient: Tensor, to parameter: inout Tensor, first: inout Tensor, second: inout Tensor) throws {
        guard gradient.shape == parameter.shape, gradient.elementType == parameter.elementType else {
            throw TensorError(
                "Adam", "a gradient of shape \(gradient.shape) (\(gradient.elementType)) for a parameter of \(parameter.shape) (\(parameter.elementType))")
        }
        parameter.makeUnique()
        first.makeUnique()
        second.makeUnique()
        let scalars = [
            learningRate, beta1, beta2, epsilon, 1 - power(beta1, number), 1 - power(beta2, number), weightDecay,
        ]
        let kernel = try Kernels.kernel(for: .optimize(.adam, parameter.elementType, count: parameter.count))
        try kernel.run(gradient.pointer, into: parameter.pointer, first.pointer, second.pointer, scalars: scalars)
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}

extension Tensor {
    /// Copies the elements unless this value is the only one that refers to them. A copy of a variable is a new variable.
    mutating func makeUnique() {
        guard !isKnownUniquelyReferenced(&buffer) else { return }
        let copy = Tensor(uninitialized: shape, elementType)
        copy.pointer.copyMemory(from: pointer, byteCount: count * elementType.size)
        self = isTracked ? copy.tracked() : copy
    }

    /// Samples of this [n, …] in a given order; a constant.
    public func gathered(_ rows: [Int]) throws -> Tensor {
        guard let count = shape.first, rows.allSatisfy({ (0..<count).contains($0) }) else {
            throw TensorError("gather", "a row is outside of 0..<\(shape.first ?? 0)")
        }
        let output = Tensor(uninitialized: [rows.count] + shape[1...], elementType)
        let bytes = shape[1...].reduce(1, *) * elementType.size
        for (index, row) in rows.enumerated() {
            (output.pointer + index * bytes).copyMemory(from: pointer + row * bytes, byteCount: bytes)
        }
        return output
    }
}
