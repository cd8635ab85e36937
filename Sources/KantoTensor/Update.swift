import KantoKernels

// Updates in place, for optimizers: outside of every graph.

/// How an optimizer moves a parameter against its gradient. Weight decay is decoupled from all of them (Loshchilov and
/// Hutter 2019); `kanto_functions.h` has the formulas.
public enum UpdateRule: Hashable, Sendable {
    /// Kingma and Ba 2015, Algorithm 1.
    case adam(beta1: Double, beta2: Double, epsilon: Double)
    /// Polyak 1964; plain gradient descent at a momentum of 0.
    case momentum(Double)
    /// Tieleman and Hinton 2012.
    case rmsProp(decay: Double, epsilon: Double)

    /// How many tensors of a parameter's shape the rule keeps between steps, zeros at first.
    public var momentCount: Int {
        switch self {
        case .adam: 2
        case .momentum, .rmsProp: 1
        }
    }

    /// The shares of the moments that a step keeps.
    package var decays: [Double] {
        switch self {
        case .adam(let beta1, let beta2, _): [beta1, beta2]
        case .momentum(let decay), .rmsProp(let decay, _): [decay]
        }
    }

    /// Takes a step. The memory is reused where nothing else refers to it; a graph that is still alive keeps the old values.
    ///
    /// - Parameters:
    ///   - number: which step it is, from 1.
    ///   - moments: `momentCount` tensors of the parameter's shape.
    /// - Throws: `TensorError` if the gradient's or a moment's shape or type is not the parameter's, or a moment is missing.
    public func step(
        _ parameter: inout Tensor, against gradient: Tensor, moments: inout [Tensor], learningRate: Double,
        weightDecay: Double = 0, number: Int
    ) throws {
        guard gradient.shape == parameter.shape, gradient.elementType == parameter.elementType else {
            throw TensorError(
                "optimizer",
                "a gradient of shape \(gradient.shape) (\(gradient.elementType)) for a parameter of \(parameter.shape) (\(parameter.elementType))"
            )
        }
        guard moments.count == momentCount else {
            throw TensorError("optimizer", "\(moments.count) moments, expected the \(momentCount) of \(self)")
        }
        for moment in moments where moment.shape != parameter.shape || moment.elementType != parameter.elementType {
            throw TensorError(
                "optimizer",
                "a moment of shape \(moment.shape) (\(moment.elementType)) for a parameter of \(parameter.shape) "
                    + "(\(parameter.elementType))")
        }
        try parameter.makeUnique()
        for index in moments.indices { try moments[index].makeUnique() }
        let (function, scalars): (Function, [Double]) =
            switch self {
            case .adam(let beta1, let beta2, let epsilon):
                (
                    .adam,
                    [learningRate, beta1, beta2, epsilon, 1 - power(beta1, number), 1 - power(beta2, number), weightDecay]
                )
            case .momentum(let momentum): (.momentum, [learningRate, momentum, weightDecay])
            case .rmsProp(let decay, let epsilon): (.rmsProp, [learningRate, decay, epsilon, weightDecay])
            }
        try Kernels.kernel(for: .optimize(function, parameter.elementType, count: parameter.count))
            .run(gradient.pointer, into: parameter.pointer, moments[0].pointer, moments.last?.pointer, scalars: scalars)
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
    /// Goes a fraction of the way to another tensor: self = (1 − fraction) self + fraction · target.
    ///
    /// - Throws: `TensorError` if shapes or types differ.
    public mutating func move(toward target: Tensor, by fraction: Double) throws {
        guard shape == target.shape, elementType == target.elementType else {
            throw TensorError(
                "move", "a target of shape \(target.shape) (\(target.elementType)) for a tensor of \(shape) (\(elementType))")
        }
        try makeUnique()
        let problem = Problem.iteration(
            .binary, .addScaled, elementType, extents: [count], output: [1], inputs: [[1], [1]])
        try Kernels.kernel(for: problem).run(pointer, target.pointer, into: pointer, scalars: [1 - fraction, fraction])
    }

    /// Copies the elements unless this value is the only one that refers to them. A copy of a variable is a new variable.
    mutating func makeUnique() throws {
        guard !isKnownUniquelyReferenced(&buffer) else { return }
        let copy = try Tensor(uninitialized: shape, elementType)
        copy.pointer.copyMemory(from: pointer, byteCount: count * elementType.size)
        self = isTracked ? copy.tracked() : copy
    }
}
