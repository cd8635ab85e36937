import KantoNN
import KantoTensor

/// Classes as further channels of the input: constants, so no adjoint comes back to them and no tangent leaves them.
final class ClassConcatenationStage: Stage {
    private let layer: ClassConcatenation

    init(_ layer: ClassConcatenation) { self.layer = layer }

    var hasParameters: Bool { false }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        try layer.joined(input, classes(of: batch, for: "\(ClassConcatenation.self)"))
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        let channelCount = output.shape.last! - layer.classCount
        return try output.sliced(0..<channelCount, axis: output.rank - 1)
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        try input.padded(axis: input.rank - 1, before: 0, after: layer.classCount)
    }
}

/// The end of a projection critic: an affine layer whose weight, w + Vᵀy, is another for each class y.
final class ClassProjectionStage: Stage {
    private let layer: ClassProjection
    private var scoredCount = 0
    /// Of all rows: the features, their classes, the weights of these, and the adjoints of the scores.
    private var features: Tensor?
    private var classes: Tensor?
    private var weights: Tensor?
    private var outputAdjoint: Tensor?

    init(_ layer: ClassProjection) { self.layer = layer }

    var hasParameters: Bool { true }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        let classes = try classes(of: batch, for: "\(ClassProjection.self)")
        let output = layer.output
        let weights = try classes.matmul(layer.embedding.value) + output.weight.value.reshaped([1, input.shape[1]])
        (features, self.classes, self.weights, scoredCount) = (input, classes, weights, batch.scoredCount)
        let scores = try perRow(input, weights)
        return try output.bias.map { try scores + $0.value } ?? scores
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        outputAdjoint = output
        return try output.sliced(rows) * weights!.sliced(rows)
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        let features = self.features!, classes = self.classes!, weights = self.weights!, adjoint = outputAdjoint!
        (self.features, self.classes, self.weights, outputAdjoint) = (nil, nil, nil, nil)
        let rows = try Tensor.concatenated([features.sliced(0..<scoredCount), input])
        try gradients.add(rows.matmul(adjoint, transposeSelf: true), for: layer.output.weight)
        try gradients.add(classes.matmul(rows * adjoint, transposeSelf: true), for: layer.embedding)
        if let bias = layer.output.bias { try gradients.add(adjoint.sliced(0..<scoredCount).sum(axes: [0]), for: bias) }
        return try perRow(input, weights.sliced(scoredCount..<weights.shape[0]))
    }

    /// The product of each row with its own weights, [n, 1].
    private func perRow(_ rows: Tensor, _ weights: Tensor) throws -> Tensor {
        try (rows * weights).sum(axes: [1], keepsAxes: true)
    }
}

extension Stage {
    fileprivate func classes(of batch: PassBatch, for layer: String) throws -> Tensor {
        guard let classes = batch.classes else {
            throw TensorError(layer, "called without classes: the critic step is to be given those of its samples")
        }
        return classes
    }
}
