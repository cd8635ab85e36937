import KantoKernels

extension Tensor {
    /// The sum over some axes, or over all.
    ///
    /// - Parameter keepsAxes: the axes stay, with extent 1.
    public func sum(axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        let axes = axes ?? Array(shape.indices)
        let total = try recorded(.sum(axes: axes), [self], reduced(.sum, axes))
        return try keepsAxes ? total : total.reshaped(shape.removing(axes))
    }

    /// The mean over some axes, or over all.
    ///
    /// - Throws: `TensorError` if an axis is not one of this tensor's, is named twice, or there is nothing to take the mean of.
    public func mean(axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        let axes = axes ?? Array(shape.indices)
        let number = try ReductionNest(shape, axes, for: "mean").number
        guard number > 0 else { throw TensorError("mean", "\(shape) has no elements along the axes \(axes)") }
        return try sum(axes: axes, keepsAxes: keepsAxes) / Double(number)
    }

    /// The product of two tensors, summed down to a shape that broadcasts to theirs; nothing of the product's size is stored.
    /// On axes of the shape that both repeat along, the product is repeated.
    public static func product(_ a: Tensor, _ b: Tensor, to wanted: [Int]) throws -> Tensor {
        let full = try broadcastShape(broadcastShape(a.shape, b.shape, for: "multiply"), wanted, for: "multiply")
        if full == wanted { return try combined(.multiply, .multiply, [a, b], to: wanted) }
        try requireSameType("multiply", a, b)
        let output = try Tensor(uninitialized: wanted, a.elementType)
        let nest = try LoopNest(extents: full, strides: [wanted, a.shape, b.shape].map { strides(of: $0, in: full) })
        let problem = Problem.iteration(
            .reduce, .sumOfProducts, a.elementType, extents: nest.extents, output: nest.strides[0],
            inputs: Array(nest.strides[1...]))
        try Kernels.kernel(for: problem).run(a.pointer, b.pointer, into: output.pointer)
        return recorded(.multiply, [a, b], output)
    }

    /// The Euclidean norm of each sample over all its elements: [n, …] to [n].
    ///
    /// Elements are divided by their largest magnitude first, so that tiny and huge ones neither vanish nor overflow; the norm
    /// of an infinite one is infinite. The derivative of the norm at 0 is taken as 0.
    public func sampleNorm() throws -> Tensor {
        let flat = try flattened()
        let norm = try withoutGradient {
            let largest = try Tensor.minimum(flat.detached().reduced(.maximumMagnitude, [1]), .largest(elementType))
            let squares = try flat.detached().dividedOrZero(by: largest).reduced(.sumOfSquares, [1])
            return try (squares.squareRoot() * largest).reshaped([shape[0]])
        }
        return recorded(.sampleNorm, [flat], norm)
    }

    /// The largest finite number of a type: what infinity is divided by, to stay infinite.
    private static func largest(_ elementType: ElementType) throws -> Tensor {
        try scalar(
            elementType == .float32 ? Double(Float.greatestFiniteMagnitude) : .greatestFiniteMagnitude, elementType: elementType)
    }

    /// The largest element.
    public func maximum() throws -> Double { try reduced(.reduceMaximum, Array(shape.indices)).item() }

    /// The smallest element.
    public func minimum() throws -> Double { try reduced(.reduceMinimum, Array(shape.indices)).item() }

    /// The sum down to a shape that broadcasts to this one: the adjoint of every broadcast, explicit or within an op.
    func sum(to wanted: [Int]) throws -> Tensor {
        if wanted == shape { return self }
        let missing = rank - wanted.count
        let axes = shape.indices.filter { $0 < missing || (wanted[$0 - missing] == 1 && shape[$0] != 1) }
        return try sum(axes: axes, keepsAxes: true).reshaped(wanted)
    }

    /// A reduction that keeps the reduced axes with extent 1; no gradient.
    func reduced(_ function: Function, _ axes: [Int]) throws -> Tensor {
        let nest = try ReductionNest(shape, axes, for: "\(function)")
        let output = try Tensor(uninitialized: nest.outputShape, elementType)
        let loops = try LoopNest(extents: shape, strides: [nest.outputStrides, strides(of: shape)])
        let problem = Problem.iteration(
            .reduce, function, elementType, extents: loops.extents, output: loops.strides[0], inputs: [loops.strides[1]])
        try Kernels.kernel(for: problem).run(pointer, into: output.pointer)
        return output
    }
}

/// Where a reduction over some axes of a shape puts its results.
struct ReductionNest {
    /// The reduced axes with extent 1.
    let outputShape: [Int]
    /// 0 on the reduced axes.
    let outputStrides: [Int]
    /// Elements behind each result.
    let number: Int

    init(_ shape: [Int], _ axes: [Int], for operation: @autoclosure () -> String) throws {
        guard axes.allSatisfy(shape.indices.contains), Set(axes).count == axes.count else {
            throw TensorError(
                operation(), "axes \(axes) of a tensor of shape \(shape), expected each once, from 0 to \(shape.count - 1)")
        }
        outputShape = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
        outputStrides = zip(shape.indices, strides(of: outputShape)).map { axes.contains($0) ? 0 : $1 }
        number = axes.reduce(1) { $0 * shape[$1] }
    }
}

extension [Int] {
    /// A shape without some of its axes.
    func removing(_ axes: [Int]) -> [Int] { indices.filter { !axes.contains($0) }.map { self[$0] } }
}
