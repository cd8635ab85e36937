import KantoKernels
import KantoTensor

/// A differentiable function with parameters.
public protocol Layer: Sendable {
    /// - Throws: `TensorError` if the input's shape does not fit.
    func callAsFunction(_ input: Tensor) throws -> Tensor

    /// The trainable parameters under their paths: `weight`, `bias`, in a sequence `0.weight` and so on.
    var namedParameters: [(path: String, parameter: Parameter)] { get }

    /// What the layer keeps up itself while it is trained, such as running statistics; not trainable. A checkpoint holds it
    /// beside the parameters.
    var namedState: [(path: String, state: Parameter)] { get }

    /// Whether a sample's result depends on the other samples of its batch. The gradient of a critic at one sample then
    /// means nothing, nor does its norm.
    var mixesSamples: Bool { get }
}

extension Layer {
    public var namedParameters: [(path: String, parameter: Parameter)] { [] }
    public var namedState: [(path: String, state: Parameter)] { [] }
    public var mixesSamples: Bool { false }

    public var parameters: [Parameter] { namedParameters.map(\.parameter) }

    /// The number of trainable numbers.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }
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

extension WeightedLayer {
    public func callAsFunction(_ input: Tensor, activation: Activation) throws -> Tensor {
        try self(input, weight: weight.value, activation: activation)
    }
}

/// An activation that an epilogue can compute.
public protocol ActivationLayer: Layer {
    var activation: Activation { get }
}
