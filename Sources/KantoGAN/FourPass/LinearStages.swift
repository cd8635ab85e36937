import KantoKernels
import KantoNN
import KantoTensor

/// A layer that is linear in its input and has no parameters.
protocol LinearLayer: Layer {
    /// Whether the elements of a sample stay in their order.
    var keepsOrder: Bool { get }

    /// The adjoint of the input, [m] + `sampleShape`, from that of the output, [m, …].
    func inputGradient(_ output: Tensor, sampleShape: ArraySlice<Int>) throws -> Tensor
}

extension Reshape: LinearLayer {
    var keepsOrder: Bool { true }

    func inputGradient(_ output: Tensor, sampleShape: ArraySlice<Int>) throws -> Tensor {
        try output.reshaped([output.shape[0]] + sampleShape)
    }
}

extension Flatten: LinearLayer {
    var keepsOrder: Bool { !isChannelsFirst }

    func inputGradient(_ output: Tensor, sampleShape: ArraySlice<Int>) throws -> Tensor {
        let (count, shape) = (output.shape[0], Array(sampleShape))
        guard isChannelsFirst, shape.count == 3 else { return try output.reshaped([count] + shape) }
        return try output.reshaped([count, shape[2], shape[0], shape[1]]).permuted([0, 2, 3, 1])
    }
}

extension AveragePool: LinearLayer {
    var keepsOrder: Bool { false }

    func inputGradient(_ output: Tensor, sampleShape: ArraySlice<Int>) throws -> Tensor {
        let shape = Array(sampleShape)
        return try output.windowSpread(Pooling(size: size, scale: 1 / Double(size * size)), height: shape[0], width: shape[1])
    }
}

extension GlobalAveragePool: LinearLayer {
    var keepsOrder: Bool { false }

    func inputGradient(_ output: Tensor, sampleShape: ArraySlice<Int>) throws -> Tensor {
        let (count, shape) = (output.shape[0], Array(sampleShape))
        let mean = try output.reshaped([count, 1, 1, shape[2]]) / Double(shape[0] * shape[1])
        return try mean.broadcast(to: [count] + shape)
    }
}

extension Upsample: LinearLayer {
    var keepsOrder: Bool { false }

    func inputGradient(_ output: Tensor, sampleShape: ArraySlice<Int>) throws -> Tensor {
        try output.windowSum(Pooling(size: factor, scale: 1))
    }
}

/// A linear layer on its way through the passes: all but its adjoint are itself.
final class LinearStage: Stage {
    private let layer: any LinearLayer
    private var sampleShape: ArraySlice<Int> = []

    init(_ layer: any LinearLayer) { self.layer = layer }

    var hasParameters: Bool { false }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        sampleShape = input.shape[1...]
        return try layer(input)
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        try layer.inputGradient(output, sampleShape: sampleShape)
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor { try layer(input) }
}

/// A piecewise-linear activation. The layer before may compute it in its epilogue, the affine layer behind may apply its
/// derivative (see `AffineStage`); what is left is done here.
final class ActivationStage: Stage {
    let layer: any ActivationLayer
    private let isComputedBefore: Bool
    /// Set where the derivative is applied by the stage behind.
    var isDifferentiatedBehind = false
    private var scoredCount = 0
    private var output: Tensor?

    init(_ layer: any ActivationLayer, isComputedBefore: Bool) {
        self.layer = layer
        self.isComputedBefore = isComputedBefore
    }

    var hasParameters: Bool { false }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        let output = isComputedBefore ? input : try layer(input)
        if !isDifferentiatedBehind { (self.output, scoredCount) = (output, batch.scoredCount) }
        return output
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        guard let saved = self.output else { return output }
        let adjoint = try Tensor(uninitialized: output.shape, output.elementType)
        try output.multiply(byDerivativeOf: layer.activation, output: saved.sliced(rows), into: adjoint)
        return adjoint
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        guard let saved = output else { return input }
        output = nil
        // In place: nobody needs these signs again.
        let points = try saved.sliced(scoredCount..<saved.shape[0])
        try input.multiply(byDerivativeOf: layer.activation, output: points, into: points)
        return points
    }
}
