import KantoKernels
import KantoTensor

/// A differentiable function with parameters.
public protocol Layer: Sendable {
    /// - Throws: `TensorError` if the input's shape does not fit.
    func callAsFunction(_ input: Tensor) throws -> Tensor

    /// The parameters under their paths: `weight`, `bias`, in a sequence `0.weight` and so on.
    var namedParameters: [(path: String, parameter: Parameter)] { get }
}

extension Layer {
    public var namedParameters: [(path: String, parameter: Parameter)] { [] }

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

/// An activation that an epilogue can compute.
public protocol ActivationLayer: Layer {
    var activation: Activation { get }
}

/// Layers one behind the other. An activation behind a layer that can end with it is computed in that layer's kernel.
public struct Sequential: Layer {
    public let layers: [any Layer]

    public init(_ layers: any Layer...) { self.layers = layers }
    public init(_ layers: [any Layer]) { self.layers = layers }

    /// - Throws: `TensorError`, which names the layer by its position and type.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        var value = input
        var index = 0
        while index < layers.count {
            let layer = layers[index]
            do {
                if let layer = layer as? any LayerWithEpilogue, index + 1 < layers.count,
                    let next = layers[index + 1] as? any ActivationLayer
                {
                    value = try layer(value, activation: next.activation)
                    index += 2
                } else {
                    value = try layer(value)
                    index += 1
                }
            } catch let error as TensorError {
                throw TensorError("layer \(index) (\(type(of: layer))), \(error.operation)", error.reason)
            }
        }
        return value
    }

    public var namedParameters: [(path: String, parameter: Parameter)] {
        layers.enumerated().flatMap { index, layer in
            layer.namedParameters.map { ("\(index).\($0.path)", $0.parameter) }
        }
    }
}
