import KantoKernels
import KantoTensor

/// A layer that is told the class of each sample.
///
/// Its `callAsFunction(_:)` without classes is an error.
public protocol ConditionalLayer: Layer {
    /// How many classes there are.
    var classCount: Int { get }

    /// - Parameter classes: [n, classCount]: in the row of a sample 1 at its class, 0 elsewhere; see `Tensor.oneHot`. Constants.
    /// - Throws: `TensorError` if a shape does not fit.
    func callAsFunction(_ input: Tensor, classes: Tensor) throws -> Tensor
}

extension ConditionalLayer {
    /// - Throws: `TensorError`, always: there is no output without classes.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        throw TensorError("\(Self.self)", "called without classes, expected layer(samples, classes: …)")
    }

    func requireClasses(_ classes: Tensor, for input: Tensor) throws {
        guard let count = input.shape.first, classes.shape == [count, classCount] else {
            throw TensorError(
                "\(Self.self)",
                "classes of shape \(classes.shape) for samples of \(input.shape), expected [\(input.shape.first ?? 0), \(classCount)]"
            )
        }
    }
}

extension Layer {
    /// The output for samples of some classes. A layer that is not told any does without.
    package func output(_ input: Tensor, classes: Tensor?) throws -> Tensor {
        guard let classes, let layer = self as? any ConditionalLayer else { return try self(input) }
        return try layer(input, classes: classes)
    }
}

extension Tensor {
    /// [labels.count, count]: 1 at the label of each row, 0 elsewhere.
    ///
    /// - Throws: `TensorError` if a label is not in 0..<count.
    public static func oneHot(_ labels: [Int], count: Int, elementType: ElementType = .float32) throws -> Tensor {
        var values = [Float](repeating: 0, count: labels.count * max(0, count))
        for (row, label) in labels.enumerated() {
            guard 0..<count ~= label else { throw TensorError("one-hot", "a label of \(label), expected 0..<\(count)") }
            values[row * count + label] = 1
        }
        let shape = [labels.count, count]
        return switch elementType {
        case .float32: try Tensor(values, shape: shape)
        case .float64: try Tensor(values.map(Double.init), shape: shape)
        }
    }
}

/// A network that sees the class of a sample as further channels of it, constant over a picture (Mirza and Osindero 2014).
/// [n, …, c] goes into the network as [n, …, c + classCount].
///
/// Linear in the sample before the network, so the four passes of a critic step serve it where they serve the network.
public struct ClassConcatenation: ConditionalLayer {
    /// Takes the sample's channels, then those of the classes.
    public let network: Sequential
    public let classCount: Int

    /// - Parameter network: takes `classCount` channels more than a sample has.
    public init(_ network: Sequential, classCount: Int) { (self.network, self.classCount) = (network, classCount) }

    public func callAsFunction(_ input: Tensor, classes: Tensor) throws -> Tensor { try network(joined(input, classes)) }

    /// What goes into the network.
    package func joined(_ input: Tensor, _ classes: Tensor) throws -> Tensor {
        try requireClasses(classes, for: input)
        let perSample = input.shape.dropFirst().dropLast()
        let channels = try classes.reshaped([classes.shape[0]] + perSample.map { _ in 1 } + [classCount])
            .broadcast(to: input.shape.dropLast() + [classCount])
        return try Tensor.concatenated([input, channels], axis: input.rank - 1)
    }

    public var children: [(name: String, layer: any Layer)] { [("network", network)] }
}

/// A critic whose score is output(φ(x)) + y·V·φ(x) for features φ and a one-hot class y: a projection (Miyato and Koyama 2018,
/// equation 3). [n, …] to [n, 1].
///
/// Linear in the features, so the four passes of a critic step serve it where they serve the features.
public struct ClassProjection: ConditionalLayer {
    /// φ, from a sample to [n, features].
    public let features: Sequential
    /// From the features to one score.
    public let output: Dense
    /// V, [classCount, features].
    public let embedding: Parameter

    /// - Throws: `TensorError` if the output is not one score of as many features as the embedding has.
    public init(features: Sequential, output: Dense, embedding: Tensor) throws {
        guard embedding.rank == 2, output.weight.shape == [embedding.shape[1], 1] else {
            throw TensorError(
                "class projection",
                "an output of shape \(output.weight.shape) and an embedding of \(embedding.shape), expected [features, 1] and "
                    + "[classes, features]")
        }
        (self.features, self.output, self.embedding) = (features, output, Parameter(embedding))
    }

    public var classCount: Int { embedding.shape[0] }

    public func callAsFunction(_ input: Tensor, classes: Tensor) throws -> Tensor {
        try requireClasses(classes, for: input)
        let features = try features(input)
        return try output(features) + (features * classes.matmul(embedding.value)).sum(axes: [1], keepsAxes: true)
    }

    public var children: [(name: String, layer: any Layer)] { [("features", features), ("output", output)] }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("embedding", embedding)] + parametersOfChildren }
}
