import KantoKernels

// Ops that work element by element. Two shapes combine by broadcasting from the right: an axis of extent 1, or one that is
// missing on the left, is repeated.

extension Tensor {
    /// a + b, element by element; shapes broadcast as in NumPy.
    ///
    /// - Throws: `TensorError` if the shapes or element types do not fit. So do the others.
    public static func + (a: Tensor, b: Tensor) throws -> Tensor { try combined(.add, .add, [a, b]) }
    /// a − b, element by element.
    public static func - (a: Tensor, b: Tensor) throws -> Tensor { try combined(.subtract, .subtract, [a, b]) }
    /// a b, element by element.
    public static func * (a: Tensor, b: Tensor) throws -> Tensor { try combined(.multiply, .multiply, [a, b]) }
    /// a / b, element by element.
    public static func / (a: Tensor, b: Tensor) throws -> Tensor { try combined(.divide, .divide, [a, b]) }

    /// a + b.
    public static func + (a: Tensor, b: Double) throws -> Tensor { try a.affine(scale: 1, offset: b) }
    /// a + b.
    public static func + (a: Double, b: Tensor) throws -> Tensor { try b.affine(scale: 1, offset: a) }
    /// a − b.
    public static func - (a: Tensor, b: Double) throws -> Tensor { try a.affine(scale: 1, offset: -b) }
    /// a − b.
    public static func - (a: Double, b: Tensor) throws -> Tensor { try b.affine(scale: -1, offset: a) }
    /// a b.
    public static func * (a: Tensor, b: Double) throws -> Tensor { try a.affine(scale: b, offset: 0) }
    /// a b.
    public static func * (a: Double, b: Tensor) throws -> Tensor { try b.affine(scale: a, offset: 0) }
    /// a / b.
    public static func / (a: Tensor, b: Double) throws -> Tensor { try a.affine(scale: 1 / b, offset: 0) }
    /// −a.
    public static prefix func - (a: Tensor) throws -> Tensor { try a.affine(scale: -1, offset: 0) }

    /// scale · x + offset.
    public func affine(scale: Double, offset: Double) throws -> Tensor {
        try unary(.affine(scale: scale), .affine, scalars: (scale, offset))
    }

    /// The quotient, and 0 where the divisor is 0.
    public func dividedOrZero(by divisor: Tensor) throws -> Tensor {
        try Tensor.combined(.divideOrZero, .divideOrZero, [self, divisor])
    }

    /// self · factor + addend, in one pass.
    public func multiplied(by factor: Tensor, adding addend: Tensor) throws -> Tensor {
        try Tensor.combined(.multiplyAdd, .multiplyAdd, [self, factor, addend])
    }

    /// The larger of two elements. Where they are equal, the gradient goes to `a`.
    public static func maximum(_ a: Tensor, _ b: Tensor) throws -> Tensor { try combined(.maximum, .maximum, [a, b]) }

    /// The smaller of two elements. Where they are equal, the gradient goes to `a`.
    public static func minimum(_ a: Tensor, _ b: Tensor) throws -> Tensor { try combined(.minimum, .minimum, [a, b]) }

    /// The elements of `a` where the condition is not 0, those of `b` elsewhere. The condition is a constant for gradients.
    public static func select(_ a: Tensor, where condition: Tensor, otherwise b: Tensor) throws -> Tensor {
        try combined(.select, .select, [condition.detached(), a, b])
    }

    /// x².
    public func square() throws -> Tensor { try unary(.square, .square) }
    /// The square root. Its derivative at 0 is taken as 0.
    public func squareRoot() throws -> Tensor { try unary(.sqrt, .sqrt) }
    /// 1 / x.
    public func reciprocal() throws -> Tensor { try unary(.reciprocal, .reciprocal) }
    /// eˣ.
    public func exp() throws -> Tensor { try unary(.exp, .exp) }
    /// eˣ − 1, accurate near 0.
    public func expMinusOne() throws -> Tensor { try unary(.expMinusOne, .expMinusOne) }
    /// The natural logarithm.
    public func log() throws -> Tensor { try unary(.log, .log) }
    /// log(1 + x), accurate near 0.
    public func logOnePlus() throws -> Tensor { try unary(.logOnePlus, .logOnePlus) }
    /// The hyperbolic tangent.
    public func tanh() throws -> Tensor { try unary(.tanh, .tanh) }
    /// 1 / (1 + e⁻ˣ).
    public func sigmoid() throws -> Tensor { try unary(.sigmoid, .sigmoid) }
    /// log(1 + eˣ), without overflow.
    public func softplus() throws -> Tensor { try unary(.softplus, .softplus) }
    /// The error function: 2/√π times the integral of e^(−t²) from 0 to x.
    public func erf() throws -> Tensor { try unary(.erf, .erf) }
    /// |x|. Its derivative at 0 is 0.
    public func absolute() throws -> Tensor { try unary(.absolute, .absolute) }
    /// max(x, 0). Its derivative at 0 is 0.
    public func relu() throws -> Tensor { try leakyReLU(slope: 0) }
    /// x where it is positive, slope · x elsewhere. Its derivative at 0 is the slope.
    ///
    /// - Throws: `TensorError` if the slope is negative.
    public func leakyReLU(slope: Double) throws -> Tensor {
        try requireSlope(.leakyReLU(slope: slope), for: "leakyReLU")
        return try unary(.leakyReLU(slope: slope), .leakyReLU, parameter: slope)
    }

    /// -1, 0 or 1; a constant for gradients.
    public func sign() throws -> Tensor { try detached().unary(nil, .sign) }

    /// 1 where this tensor is greater, 0 elsewhere; a constant for gradients.
    public func isGreater(than other: Tensor) throws -> Tensor {
        try Tensor.combined(nil, .greater, [detached(), other.detached()])
    }

    /// This gradient passed back through a leaky ReLU whose output is given: multiplied by 1 where that is positive, by the
    /// slope elsewhere.
    func throughLeakyReLU(output: Tensor, slope: Double) throws -> Tensor {
        try Tensor.combined(.leakyReLUGradient(slope: slope), .leakyReLUGradient, [self, output], parameter: slope)
    }

    /// The shape that two shapes combine to.
    static func broadcastShape(_ a: [Int], _ b: [Int], for operation: @autoclosure () -> String) throws -> [Int] {
        if a == b { return a }
        let rank = max(a.count, b.count)
        return try (0..<rank).map { axis in
            let x = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
            let y = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
            guard x == y || x == 1 || y == 1 else {
                throw TensorError(operation(), "shapes \(a) and \(b) do not combine: \(x) and \(y) at axis \(axis) of \(rank)")
            }
            return x == 1 ? y : x
        }
    }

    private func unary(
        _ operation: Operation?, _ function: Function, parameter: Double = 0, scalars: (Double, Double) = (0, 0)
    ) throws -> Tensor {
        let output = try Tensor(uninitialized: shape, elementType)
        let problem = Problem.iteration(
            .unary, function, elementType, extents: [count], output: [1], inputs: [[1]], parameter: parameter)
        var scalars = scalars
        try withUnsafeBytes(of: &scalars) { bytes in
            try Kernels.kernel(for: problem).run(
                pointer, into: output.pointer, scalars: bytes.assumingMemoryBound(to: Double.self).baseAddress)
        }
        return operation.map { recorded($0, [self], output) } ?? output
    }

    /// A function of two or three tensors that broadcast, recorded.
    ///
    /// - Parameter wanted: the result's shape, to which theirs combined broadcasts; as a rule that itself.
    static func combined(
        _ operation: Operation?, _ function: Function, _ inputs: [Tensor], parameter: Double = 0, to wanted: [Int]? = nil
    ) throws -> Tensor {
        // A name is made only for an error: it takes longer than a small kernel.
        var name: String { operation?.name ?? "\(function)" }
        try requireSameType(name, inputs)
        let shape = try wanted ?? inputs.dropFirst().reduce(inputs[0].shape) { try broadcastShape($0, $1.shape, for: name) }
        let output = try Tensor(uninitialized: shape, inputs[0].elementType)
        let result = try elementwise(
            inputs.count == 2 ? .binary : .ternary, function, inputs, parameter: parameter, into: output)
        return operation.map { recorded($0, inputs, result) } ?? result
    }

    /// A function of two or three tensors of one type, the first of the output's shape if none is given; no gradient.
    ///
    /// - Parameter output: may be one of the inputs, if it is of that shape.
    static func elementwise(
        _ op: Op, _ function: Function, _ inputs: [Tensor], parameter: Double = 0, into output: Tensor? = nil
    ) throws -> Tensor {
        let output = try output ?? Tensor(uninitialized: inputs[0].shape, inputs[0].elementType)
        let problem: Problem
        if inputs.allSatisfy({ $0.shape == output.shape }) {
            problem = .iteration(
                op, function, output.elementType, extents: [output.count], output: [1], inputs: inputs.map { _ in [1] },
                parameter: parameter)
        } else {
            let nest = try LoopNest(
                extents: output.shape, strides: ([output] + inputs).map { strides(of: $0.shape, in: output.shape) })
            problem = .iteration(
                op, function, output.elementType, extents: nest.extents, output: nest.strides[0],
                inputs: Array(nest.strides[1...]), parameter: parameter)
        }
        try Kernels.kernel(for: problem).run(
            inputs[0].pointer, inputs[1].pointer, inputs.count > 2 ? inputs[2].pointer : nil, into: output.pointer)
        return output
    }
}

/// Writes one value to all elements of a tensor that nobody else has seen yet.
func fill(_ tensor: Tensor, with value: Double) throws {
    let problem = Problem.iteration(
        .unary, .fill, tensor.elementType, extents: [tensor.count], output: [1], inputs: [])
    var value = value
    try Kernels.kernel(for: problem).run(nil, into: tensor.pointer, scalars: &value)
}

/// Multiplies a tensor that nobody else has seen yet, in place.
func scale(_ tensor: Tensor, by factor: Double) throws {
    let problem = Problem.iteration(
        .unary, .affine, tensor.elementType, extents: [tensor.count], output: [1], inputs: [[1]])
    try Kernels.kernel(for: problem).run(tensor.pointer, into: tensor.pointer, scalars: [factor, 0])
}

/// Copies elements between two layouts over one loop nest.
func copy(
    extents: [Int], from source: UnsafeRawPointer, _ sourceStrides: [Int], to target: UnsafeMutableRawPointer,
    _ targetStrides: [Int], _ elementType: ElementType
) throws {
    let nest = try LoopNest(extents: extents, strides: [targetStrides, sourceStrides])
    let problem = Problem.iteration(
        .unary, .copy, elementType, extents: nest.extents, output: nest.strides[0], inputs: [nest.strides[1]])
    try Kernels.kernel(for: problem).run(source, into: target)
}

/// The gradient of a leaky ReLU goes by the sign of its output, which is that of its input unless the slope is negative.
func requireSlope(_ activation: Activation, for operation: String) throws {
    if case .leakyReLU(let slope) = activation, !(slope >= 0) {
        throw TensorError(operation, "a leaky ReLU of slope \(slope), expected a slope from 0 up")
    }
}

func requireSameType(_ operation: @autoclosure () -> String, _ tensors: Tensor...) throws {
    try requireSameType(operation(), tensors)
}

func requireSameType(_ operation: @autoclosure () -> String, _ tensors: [Tensor]) throws {
    guard tensors.allSatisfy({ $0.elementType == tensors[0].elementType }) else {
        throw TensorError(
            operation(), "operands of different types: " + tensors.map { $0.elementType.description }.joined(separator: ", "))
    }
}
