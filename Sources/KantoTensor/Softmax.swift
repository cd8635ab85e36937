extension Tensor {
    /// log Σ eˣ over the last axis, without overflow: [n, k] to [n, 1].
    ///
    /// - Throws: `TensorError` if this is no matrix, or has no columns.
    public func logSumExp() throws -> Tensor {
        guard rank == 2, shape[1] > 0 else { throw TensorError("log-sum-exp", "a tensor of shape \(shape), expected [n, k]") }
        // A constant for gradients: it cancels.
        let largest = try detached().reduced(.reduceMaximum, [1])
        return try (self - largest).exp().sum(axes: [1], keepsAxes: true).log() + largest
    }
}
