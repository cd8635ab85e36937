import KantoKernels

extension Tensor {
    /// The sum over some axes, or over all.
    ///
    /// - Parameter keepsAxes: the axes stay, with extent 1.
    public func sum(axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        let axes = axes ?? Array(shape.indices)
        let total = try recorded(.sum(axes: axes), [self], reduced(.sum, axes))
        return keepsAxes ? total : try total.reshaped(shape.indices.filter { !axes.contains($0) }.map { shape[$0] })
    }

    /// The mean over some axes, or over all.
    public func mean(axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        let number = (axes ?? Array(shape.indices)).reduce(1) { $0 * shape[$1] }
        return try sum(axes: axes, keepsAxes: keepsAxes) / Double(number)
    }

    /// The Euclidean norm of each sample over all its elements: [n, …] to [n].
    ///
    /// Elements are divided by their largest magnitude first, so that tiny and huge ones neither vanish nor overflow. The
    /// derivative of the norm at 0 is taken as 0.
    public func sampleNorm() throws -> Tensor {
        let flat = try flattened()
        let norm = try withoutGradient {
            let largest = try flat.reduced(.maximumMagnitude, [1])
            let squares = try flat.detached().dividedOrZero(by: largest).reduced(.sumOfSquares, [1])
            return try (squares.squareRoot() * largest).reshaped([shape[0]])
        }
        return recorded(.sampleNorm, [flat], norm)
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
    private func reduced(_ function: Function, _ axes: [Int]) throws -> Tensor {
        guard axes.allSatisfy(shape.indices.contains) else {
            throw TensorError("\(function)", "axes \(axes) are not all of \(shape)")
        }
        let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
        let output = Tensor(uninitialized: kept, elementType)
        let outputStrides = zip(shape.indices, strides(of: kept)).map { axes.contains($0) ? 0 : $1 }
        let nest = try LoopNest(extents: shape, strides: [outputStrides, strides(of: shape)])
        let problem = Problem.iteration(
            .reduce, function, elementType, extents: nest.extents, output: nest.strides[0], inputs: [nest.strides[1]])
        try Kernels.kernel(for: problem).run(pointer, into: output.pointer)
        return output
    }
}
