import KantoKernels
import KantoNN
import KantoTensor

/// A layer that multiplies by a weight and may add a bias, as the four passes need it.
protocol AffineLayer: WeightedLayer {
    var bias: Parameter? { get }

    /// The product with the weight, without bias: how a tangent goes through.
    func product(_ input: Tensor) throws -> Tensor

    /// The adjoint of what an activation was applied to, from that of the layer's output, [m, …]; in one kernel.
    ///
    /// - Parameter input: what the activation gave to the layer, [m, …].
    func inputGradient(_ output: Tensor, through activation: Activation, _ input: Tensor) throws -> Tensor

    /// The gradient of the weight, from inputs and the adjoints of the outputs.
    func weightGradient(_ input: Tensor, _ output: Tensor) throws -> Tensor
}

extension Dense: AffineLayer {
    func product(_ input: Tensor) throws -> Tensor { try input.matmul(weight.value) }

    func inputGradient(_ output: Tensor, through activation: Activation, _ input: Tensor) throws -> Tensor {
        let problem = Problem.matmul(
            input.elementType, m: input.shape[0], n: input.shape[1], k: output.shape[1], transposeB: true, derivative: activation)
        return try input.adjoint(problem, output, weight.value)
    }

    func weightGradient(_ input: Tensor, _ output: Tensor) throws -> Tensor { try input.matmul(output, transposeSelf: true) }
}

extension Conv2D: AffineLayer {
    func product(_ input: Tensor) throws -> Tensor { try input.convolved(with: weight.value, window) }

    func inputGradient(_ output: Tensor, through activation: Activation, _ input: Tensor) throws -> Tensor {
        let problem = try Problem.convolution(
            .convolution2DInputGradient, input.elementType, geometry(input.shape), derivative: activation)
        return try input.adjoint(problem, output, weight.value)
    }

    func weightGradient(_ input: Tensor, _ output: Tensor) throws -> Tensor {
        try input.convolutionWeightGradient(output, geometry(input.shape))
    }

    private func geometry(_ input: [Int]) throws -> Convolution2D {
        try Convolution2D(input: input, weight: weight.value, window, for: "convolution")
    }
}

/// An affine layer, between the activation that made its input and the one in its own epilogue.
///
/// The activation's derivative is applied here, on the input's side, so that what goes from stage to stage is the adjoint
/// that the weight gradient needs, and the tangent overwrites the input in place: its rows are then the second factor of
/// the penalty's weight gradient, and [x; x̃; δ] is one buffer.
final class AffineStage: Stage {
    private let layer: any AffineLayer
    private let inputActivation: Activation
    /// In the layer's epilogue. Its derivative is a matter of the next stage.
    var outputActivation = Activation.none
    private var scoredCount = 0
    /// [x; x̃; x̂], then [x; x̃; δ].
    private var input: Tensor?
    private var outputAdjoint: Tensor?

    init(_ layer: any AffineLayer, inputActivation: Activation) {
        self.layer = layer
        self.inputActivation = inputActivation
    }

    var hasParameters: Bool { true }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        (self.input, scoredCount) = (input, batch.scoredCount)
        return try layer(input, activation: outputActivation)
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        outputAdjoint = output
        return try layer.inputGradient(output.sliced(rows), through: inputActivation, input!.sliced(rows))
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        let all = self.input!, adjoint = outputAdjoint!
        (self.input, outputAdjoint) = (nil, nil)
        let points = try all.sliced(scoredCount..<all.shape[0])
        try input.multiply(byDerivativeOf: inputActivation, output: points, into: points)
        try gradients.add(layer.weightGradient(all, adjoint), for: layer.weight)
        if let bias = layer.bias {
            let scored = try adjoint.sliced(0..<scoredCount)
            try gradients.add(scored.sum(axes: Array(scored.shape.indices.dropLast())), for: bias)
        }
        return try layer.product(points)
    }
}

extension Tensor {
    /// Runs a problem that turns the adjoint of a layer's output into that of its input, which is this one.
    fileprivate func adjoint(_ problem: Problem, _ output: Tensor, _ weight: Tensor) throws -> Tensor {
        let result = try Tensor(uninitialized: shape, elementType)
        try withExtendedLifetime((self, output, weight)) {
            try Kernels.kernel(for: problem).run(output.pointer, weight.pointer, pointer, into: result.pointer)
        }
        return result
    }

    /// This adjoint or tangent, multiplied by the derivative of a piecewise-linear activation, written over another tensor.
    ///
    /// - Parameters:
    ///   - output: of the activation; its signs are those of the activation's input.
    ///   - target: this tensor or `output`, say; one that nobody else reads.
    func multiply(byDerivativeOf activation: Activation, output: Tensor, into target: Tensor) throws {
        let function: Function, slope: Double
        switch activation {
        case .none:
            guard target.pointer != pointer else { return }
            (function, slope) = (.copy, 0)
        case .relu: (function, slope) = (.leakyReLUGradient, 0)
        case .leakyReLU(let value): (function, slope) = (.leakyReLUGradient, value)
        case .tanh, .sigmoid: preconditionFailure("\(activation) is not piecewise linear")
        }
        let isCopy = function == .copy
        let problem = Problem.iteration(
            isCopy ? .unary : .binary, function, elementType, extents: [count], output: [1], inputs: isCopy ? [[1]] : [[1], [1]],
            parameter: slope)
        try withExtendedLifetime((self, output, target)) {
            try Kernels.kernel(for: problem).run(pointer, isCopy ? nil : output.pointer, into: target.pointer)
        }
    }
}
