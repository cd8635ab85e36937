import KantoNN
import KantoTensor

/// A small network that tells the classes of pictures, trained on labelled data by Kanto itself: its features are what pictures
/// are compared by, in place of those of a large network that would have to be downloaded.
///
/// Convolutions of stride 2 halve the picture until it is small, then come 64 features and a score for each class. The same
/// data and seed give the same classifier.
public struct Classifier: Sendable {
    /// Its layers and the shape of a picture, [height, width, channels].
    public let description: NetworkDescription
    /// Pictures to scores, one a class.
    public let network: Sequential
    /// The share of pictures that it was not trained on of which it tells the class.
    public let accuracy: Double

    /// How many features a picture has.
    public static let featureCount = 64
    /// It is trained on so many pictures at most.
    public static let mostPictures = 10_000
    private static let batchSize = 64
    /// Steps of a training.
    public static let stepCount = 800
    /// Pictures of a forward pass.
    private static let picturesAtOnce = 250

    /// What tells one way of training from another, beside the layers.
    public static let recipe = "adam 1e-3 linear, \(stepCount) steps of \(batchSize)"

    /// One that was trained earlier.
    public init(description: NetworkDescription, network: Sequential, accuracy: Double) {
        (self.description, self.network, self.accuracy) = (description, network, accuracy)
    }

    /// The layers for pictures of a shape.
    ///
    /// - Parameter shape: [height, width, channels].
    public static func description(for shape: [Int], classCount: Int) -> NetworkDescription {
        var layers: [any LayerKind] = []
        var (side, channels) = (min(shape[0], shape[1]), 32)
        while side >= 2, layers.isEmpty || side > 8 || layers.count == 2 && side > 2 {
            layers += [Conv2D.Description(channels, kernel: side > 8 ? 5 : 3, stride: 2, padding: .same), LeakyReLU()]
            (side, channels) = ((side + 1) / 2, min(2 * channels, 128))
        }
        layers += [Flatten(), Dense.Description(featureCount, initializer: .he), LeakyReLU(), Dense.Description(classCount)]
        return NetworkDescription(input: shape, layers: layers.map { LayerDescription($0) })
    }

    /// Trains one.
    ///
    /// - Parameters:
    ///   - pictures: [n, height, width, channels]. A tenth of them, 1,000 at most, only measures how good it is.
    ///   - labels: the class of each, in 0..<classCount.
    ///   - steps: of a batch of 64 each.
    /// - Throws: `TensorError` if there are fewer than twenty, or not one label a picture.
    public init(trainedOn pictures: Tensor, labels: [Int], classCount: Int, steps: Int = Classifier.stepCount, seed: UInt64)
        throws
    {
        guard pictures.rank == 4, pictures.shape[0] == labels.count, labels.count >= 20 else {
            throw TensorError(
                "classifier", "\(labels.count) labels for pictures of shape \(pictures.shape), expected one each of 20 or more")
        }
        var random = Random(seed: seed)
        let description = Self.description(for: Array(pictures.shape[1...]), classCount: classCount)
        let network = try description.makeNetwork(using: &random)
        let order = Array(labels.indices).shuffled(using: &random)
        let testCount = min(1000, labels.count / 10)
        let (test, training) = (Array(order[..<testCount]), Array(order[testCount...]))
        let optimizer = try Adam(
            network.parameters, learningRate: 1e-3, beta1: 0.9, beta2: 0.999, schedule: .linearDecay(over: steps))
        var left: [Int] = []
        for _ in 0..<steps {
            if left.count < min(Self.batchSize, training.count) { left = training.shuffled(using: &random) }
            let batch = Array(left.suffix(Self.batchSize))
            left.removeLast(batch.count)
            let scores = try network(pictures.gathered(batch))
            try optimizer.minimize(softmaxCrossEntropy(scores, labels: batch.map { labels[$0] }))
        }
        let told = try Self(description: description, network: network, accuracy: 0).labels(of: pictures.gathered(test))
        let rightCount = zip(told, test).count { $0 == labels[$1] }
        self.init(description: description, network: network, accuracy: Double(rightCount) / Double(testCount))
    }

    /// What the last layer sees of each picture: [n, height, width, channels] to [n, 64].
    public func features(of pictures: Tensor) throws -> Tensor {
        try outputs(of: pictures, Sequential(Array(network.layers.dropLast())))
    }

    /// The class of each picture.
    public func labels(of pictures: Tensor) throws -> [Int] { try labels(ofFeatures: features(of: pictures)) }

    /// The class of each picture by its features, [n, 64].
    public func labels(ofFeatures features: Tensor) throws -> [Int] {
        let scores = try withoutGradient { try network.layers.last!(features) }
        let (values, width) = (scores.floats, scores.shape[1])
        return (0..<scores.shape[0]).map { row in
            var best = 0
            for label in 1..<max(1, width) where values[row * width + label] > values[row * width + best] { best = label }
            return best
        }
    }

    private func outputs(of pictures: Tensor, _ layers: Sequential) throws -> Tensor {
        try withoutGradient {
            let parts = try stride(from: 0, to: pictures.shape[0], by: Self.picturesAtOnce).map { start in
                try layers(pictures.sliced(start..<min(start + Self.picturesAtOnce, pictures.shape[0])))
            }
            return try Tensor.concatenated(parts)
        }
    }
}
