import KantoKernels

// Statistics over some axes, and normalization by them. With m and v the mean and variance, r = 1 / √(v + ε) and N the number
// of elements behind each statistic:
//
//     y = (x − m) r
//     its adjoint  P(g) = r (g − mean(g) − y mean(g y))
//     r's own      ∂r/∂x = −r² y / N
//
// P is linear and self-adjoint in g. Written so, a gradient of any order is made of P, sums of products and products, and what
// is known is not computed again. Bandwidth is all that these cost: a first gradient takes 4 passes over memory, the second 10
// more, where the plain composition takes 13 and 34.

extension Tensor {
    /// The mean and the variance (mean squared deviation) over some axes, which stay with extent 1; constants for gradients.
    ///
    /// - Throws: `TensorError` if an axis is not one of this tensor's, is named twice, or there is nothing to take the mean of.
    public func statistics(axes: [Int]) throws -> (mean: Tensor, variance: Tensor) {
        let statistics = try unscaledStatistics(axes: axes)
        guard let scale = try rangeScale(wherever: statistics.variance, axes: axes) else { return statistics }
        let scaled = try (detached() * scale).unscaledStatistics(axes: axes)
        return (try scaled.mean / scale, try scaled.variance / scale / scale)
    }

    /// The statistics, of which those whose squared deviations leave the type's range are not finite.
    private func unscaledStatistics(axes: [Int]) throws -> (mean: Tensor, variance: Tensor) {
        let nest = try ReductionNest(shape, axes, for: "statistics")
        guard nest.number > 0 else { throw TensorError("statistics", "\(shape) has no elements along the axes \(axes)") }
        let mean = try Tensor(uninitialized: nest.outputShape, elementType)
        let variance = try Tensor(uninitialized: nest.outputShape, elementType)
        let loops = try LoopNest(extents: shape, strides: [nest.outputStrides, strides(of: shape)])
        let problem = Problem.iteration(
            .statistics, nil, elementType, extents: loops.extents, output: loops.strides[0], inputs: [loops.strides[1]])
        try Kernels.kernel(for: problem).run(pointer, into: mean.pointer, variance.pointer)
        return (mean, variance)
    }

    /// The variance (mean squared deviation) over some axes, or over all.
    ///
    /// - Parameter keepsAxes: the axes stay, with extent 1.
    public func variance(axes: [Int]? = nil, keepsAxes: Bool = false) throws -> Tensor {
        let axes = axes ?? Array(shape.indices)
        let variance = try recorded(.variance(axes: axes), [self], statistics(axes: axes).variance)
        return try keepsAxes ? variance : variance.reshaped(shape.removing(axes))
    }

    /// (x − mean) · inverse deviation, where both repeat to this tensor's shape.
    public func normalized(mean: Tensor, inverseDeviation: Tensor) throws -> Tensor {
        try Tensor.combined(.normalize, .normalize, [self, mean, inverseDeviation])
    }

    /// Factors that bring this tensor's elements to about 1 wherever the sum of their squares, or of those of their deviations,
    /// left the type's range; 1 elsewhere. Powers of two, so that nothing is rounded.
    ///
    /// - Parameter squares: with the axes of extent 1.
    /// - Returns: of the shape of `squares`; nil if all of them are finite.
    package func rangeScale(wherever squares: Tensor, axes: [Int]) throws -> Tensor? {
        guard try !squares.detached().reduced(.maximumMagnitude, Array(squares.shape.indices)).item().isFinite else { return nil }
        let magnitudes = try detached().reduced(.maximumMagnitude, axes).doubles
        let factors = zip(squares.doubles, magnitudes).map { square, magnitude in
            square.isFinite || !magnitude.isFinite || magnitude == 0
                ? 1 : Double(sign: .plus, exponent: 1 - Int(magnitude.exponent), significand: 1)
        }
        return try elementType == .float64
            ? Tensor(factors, shape: squares.shape) : Tensor(factors.map(Float.init), shape: squares.shape)
    }

    /// (x − mean) / √(variance + ε), with the mean and variance over some axes.
    ///
    /// - Throws: `TensorError` as `statistics(axes:)` does.
    public func normalized(axes: [Int], epsilon: Double) throws -> Tensor {
        try normalized(axes: axes, epsilon: epsilon, statistics: unscaledStatistics(axes: axes))
    }

    /// - Parameter statistics: those of this tensor, over the same axes. Where the variance is not finite they are taken again.
    package func normalized(
        axes: [Int], epsilon: Double, statistics: (mean: Tensor, variance: Tensor)
    ) throws -> Tensor {
        guard let scale = try rangeScale(wherever: statistics.variance, axes: axes) else {
            return try normalized(statistics.mean, (statistics.variance + epsilon).squareRoot().reciprocal(), axes: axes)
        }
        // (x − m) / √(v + ε) = (s x − s m) / √(s² v + s² ε).
        let scaled = try self * scale
        let (mean, variance) = try scaled.detached().unscaledStatistics(axes: axes)
        return try scaled.normalized(mean, (variance + scale * scale * epsilon).squareRoot().reciprocal(), axes: axes)
    }

    private func normalized(_ mean: Tensor, _ inverseDeviation: Tensor, axes: [Int]) throws -> Tensor {
        let output = try Tensor.elementwise(.ternary, .normalize, [detached(), mean, inverseDeviation])
        return recorded(.normalization(axes: axes, inverseDeviation: inverseDeviation), [self], output)
    }

    /// The inverse deviation of this tensor as a function of it, where its value and the normalized tensor are known.
    func inverseDeviation(_ value: Tensor, normalized: Tensor, axes: [Int]) -> Tensor {
        recorded(.inverseDeviation(axes: axes), [self, normalized], value)
    }

    /// This gradient of a normalized tensor, passed to what was normalized.
    ///
    /// - Parameter products: the sums of the products of this and the normalized tensor, if they are known.
    func throughNormalization(
        _ normalized: Tensor, _ inverseDeviation: Tensor, axes: [Int], products: Tensor? = nil
    ) throws -> Tensor {
        let scale = 1 / Double(axes.reduce(1) { $0 * shape[$1] })
        let (g, y, r) = (detached(), normalized.detached(), inverseDeviation.detached())
        let products = try products?.detached() ?? Tensor.product(g, y, to: r.shape)
        let mean = try g.sum(axes: axes, keepsAxes: true) * scale
        let rest = try Tensor.elementwise(.ternary, .multiplyAdd, [y, products * -scale, g])
        let output = try Tensor.elementwise(.ternary, .normalize, [rest, mean, r], into: rest)
        return recorded(
            .normalizationAdjoint(axes: axes, products: products), [self, normalized, inverseDeviation], output)
    }
}
