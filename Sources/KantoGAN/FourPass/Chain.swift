import KantoKernels
import KantoNN
import KantoTensor

/// A layer that is made of others: it puts them, or a stage of them, behind a chain.
protocol CompositeLayer: Layer {
    func append(to chain: inout ChainBuilder, path: String) throws
}

extension Sequential: CompositeLayer {
    func append(to chain: inout ChainBuilder, path: String) throws {
        for (index, layer) in layers.enumerated() { try chain.append(layer, path: path.isEmpty ? "\(index)" : "\(path).\(index)") }
    }
}

extension Residual: CompositeLayer {
    func append(to chain: inout ChainBuilder, path: String) throws {
        let prefix = path.isEmpty ? "" : path + "."
        let branches = (
            try ChainBuilder.chain(main, path: prefix + "main"), try ChainBuilder.chain(shortcut, path: prefix + "shortcut")
        )
        chain.append(ResidualStage(main: branches.0, shortcut: branches.1))
    }
}

/// Takes a critic apart into stages, and joins an activation to the layers on both sides of it.
struct ChainBuilder {
    private var stages: [any Stage] = []
    /// The affine stage that ends the chain so far.
    private var lastAffine: AffineStage?
    /// The activation that ends the chain so far, changes of shape apart.
    private var lastActivation: ActivationStage?

    /// The stages of a critic.
    ///
    /// - Parameter path: where the layer stands in the critic, for errors.
    /// - Throws: `TensorError`, which names the layer that the four passes do not serve.
    static func chain(_ layer: any Layer, path: String = "") throws -> Chain {
        var builder = ChainBuilder()
        try builder.append(layer, path: path)
        return Chain(builder.stages)
    }

    mutating func append(_ layer: any Layer, path: String) throws {
        switch layer {
        case let layer as any CompositeLayer:
            try layer.append(to: &self, path: path)
        case let layer as any AffineLayer:
            let stage = AffineStage(layer, inputActivation: lastActivation?.layer.activation ?? .none)
            lastActivation?.isDifferentiatedBehind = true
            append(stage)
            lastAffine = stage
        case let layer as any ActivationLayer where layer.activation.isPiecewiseLinear:
            lastAffine?.outputActivation = layer.activation
            let stage = ActivationStage(layer, isComputedBefore: lastAffine != nil)
            append(stage)
            lastActivation = stage
        case let layer as any LinearLayer:
            // The elements stay where they are, so the activation is still that of the next layer's input.
            let activation = layer.keepsOrder ? lastActivation : nil
            append(LinearStage(layer))
            lastActivation = activation
        default:
            let place = path.isEmpty ? "the critic (\(type(of: layer)))" : "layer \(path) (\(type(of: layer)))"
            throw TensorError(
                "four-pass critic step", "\(place) is not one that it serves: Dense, Conv2D, ReLU, LeakyReLU, Flatten, Reshape, "
                    + "AveragePool, GlobalAveragePool, Upsample and Residual; take the taped step")
        }
    }

    mutating func append(_ stage: any Stage) {
        stages.append(stage)
        (lastAffine, lastActivation) = (nil, nil)
    }
}

extension Activation {
    fileprivate var isPiecewiseLinear: Bool {
        switch self {
        case .none, .relu, .leakyReLU: true
        case .tanh, .sigmoid: false
        }
    }
}
