import KantoKernels
import KantoNN
import KantoTensor

/// Takes a critic apart into stages, and joins an activation to the layers on both sides of it.
struct ChainBuilder {
    private var stages: [any Stage] = []
    /// The affine stage that ends the chain so far.
    private var lastAffine: AffineStage?
    /// The activation that ends the chain so far, changes of shape apart.
    private var lastActivation: ActivationStage?

    /// The stages of a critic.
    ///
    /// - Throws: `TensorError`, which names the layer that the four passes do not serve.
    static func chain(_ layer: PlacedLayer) throws -> Chain {
        var builder = ChainBuilder()
        try builder.append(layer)
        return Chain(builder.stages)
    }

    private mutating func append(_ placed: PlacedLayer) throws {
        switch placed.layer {
        case is Sequential:
            for part in placed.children { try append(part) }
        case is Residual:
            let branches = try placed.children.map { try ChainBuilder.chain($0) }
            append(ResidualStage(main: branches[0], shortcut: branches[1]))
        case let layer as InPrecision:
            append(PrecisionStage(layer.precision, try ChainBuilder.chain(placed.children[0])))
        case let layer as ClassConcatenation:
            append(ClassConcatenationStage(layer))
            for part in placed.children { try append(part) }
        case let layer as ClassProjection:
            // The features; the output is the stage's own affair.
            try append(placed.children[0])
            append(ClassProjectionStage(layer))
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
            throw TensorError(
                "four-pass critic step",
                "\(placed) is not one that it serves: Dense, Conv2D, ReLU, LeakyReLU, Flatten, Reshape, "
                    + "AveragePool, GlobalAveragePool, Upsample, Residual, InPrecision, ClassConcatenation and ClassProjection; take the taped step"
            )
        }
    }

    private mutating func append(_ stage: any Stage) {
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
