import KantoKernels
import KantoTensor

/// A differentiable function with parameters.
public protocol Layer: Sendable {
    /// - Throws: `TensorError` if the input's shape does not fit.
    func callAsFunction(_ input: Tensor) throws -> Tensor

    /// The layers that this one is made of, by name. A layer made of others lists them here and nothing more: parameters, state,
    /// whether samples mix, and what a critic is held against, follow.
    ///
    ///     struct Block: Layer {
    ///         let norm: LayerNorm
    ///         let dense: Dense
    ///         var children: [(name: String, layer: any Layer)] { [("norm", norm), ("dense", dense)] }
    ///         func callAsFunction(_ input: Tensor) throws -> Tensor { try dense(norm(input)).tanh() }
    ///     }
    var children: [(name: String, layer: any Layer)] { get }

    /// The trainable parameters under their paths: `weight`, `bias`, in a sequence `0.weight` and so on. As a rule those of the
    /// children; a layer with parameters of its own lists these, and `parametersOfChildren` behind them.
    var namedParameters: [(path: String, parameter: Parameter)] { get }

    /// What the layer keeps up itself while it is trained, such as running statistics; not trainable. A checkpoint holds it
    /// beside the parameters. As a rule that of the children.
    var namedState: [(path: String, state: Parameter)] { get }

    /// Whether a sample's result depends on the other samples of its batch, as it does if it does in a child. The gradient of a
    /// critic at one sample then means nothing, nor does its norm.
    var mixesSamples: Bool { get }
}

extension Layer {
    public var children: [(name: String, layer: any Layer)] { [] }
    public var namedParameters: [(path: String, parameter: Parameter)] { parametersOfChildren }
    public var namedState: [(path: String, state: Parameter)] { stateOfChildren }
    /// Whether any child does.
    public var mixesSamples: Bool { children.contains(where: \.layer.mixesSamples) }

    /// The children's parameters, each path begun with the child's name. A parameter that stands in several places is listed
    /// once, under its first path.
    public var parametersOfChildren: [(path: String, parameter: Parameter)] {
        children.flatMap { name, layer in layer.namedParameters.map { ("\(name).\($0.path)", $0.parameter) } }
            .unique(by: \.parameter)
    }

    /// The children's state, as `parametersOfChildren` lists their parameters.
    public var stateOfChildren: [(path: String, state: Parameter)] {
        children.flatMap { name, layer in layer.namedState.map { ("\(name).\($0.path)", $0.state) } }.unique(by: \.state)
    }

    /// The trainable parameters, each once.
    public var parameters: [Parameter] { namedParameters.map(\.parameter).unique(by: \.self) }

    /// The number of trainable numbers.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }
}

extension Sequence {
    /// Without elements whose parameter an earlier one has.
    func unique(by parameter: (Element) -> Parameter) -> [Element] {
        var seen: Set<ObjectIdentifier> = []
        return filter { seen.insert(ObjectIdentifier(parameter($0))).inserted }
    }
}

/// A layer whose kernel can end with an activation, at no cost of its own.
public protocol LayerWithEpilogue: Layer {
    func callAsFunction(_ input: Tensor, activation: Activation) throws -> Tensor
}

extension LayerWithEpilogue {
    public func callAsFunction(_ input: Tensor) throws -> Tensor { try self(input, activation: .none) }
}

/// A layer that computes with a weight, and can do so with another one in its place.
public protocol WeightedLayer: LayerWithEpilogue {
    /// Its last axis counts the outputs.
    var weight: Parameter { get }
    func callAsFunction(_ input: Tensor, weight: Tensor, activation: Activation) throws -> Tensor
}

/// The parameters of a layer whose bias may be missing.
func weightAndBias(_ weight: Parameter, _ bias: Parameter?) -> [(path: String, parameter: Parameter)] {
    [("weight", weight)] + (bias.map { [("bias", $0)] } ?? [])
}

extension WeightedLayer {
    public func callAsFunction(_ input: Tensor, activation: Activation) throws -> Tensor {
        try self(input, weight: weight.value, activation: activation)
    }
}

/// An activation that an epilogue can compute.
public protocol ActivationLayer: Layer {
    var activation: Activation { get }
}
