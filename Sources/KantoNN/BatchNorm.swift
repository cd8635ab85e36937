import KantoCommunication
import KantoDescriptions
import KantoKernels
import KantoTensor

/// Batch normalization (Ioffe and Szegedy 2015): each channel over the batch and all positions, (x − mean) / √(variance + ε),
/// then times weight plus bias, one a channel. [n, …, c] keeps its shape.
///
/// Where several ranks have the rows of one batch (see `withRanks`) it goes by the whole batch.
///
/// It mixes the samples of a batch. A critic under a penalty on its gradient at each sample must not (Gulrajani et al. 2017,
/// section 4): take layer or instance normalization there.
public struct BatchNorm: Layer {
    /// By which mean and variance a batch is normalized.
    public enum Statistics: Sendable, Hashable {
        /// Its own, always: the original WGAN-GP's choice, when sampling too.
        case batch
        /// Its own in training (see `withTraining`), which move the running ones by `momentum`; elsewhere the running ones.
        case running(momentum: Double = 0.1)
    }

    /// [c].
    public let weight: Parameter
    /// [c].
    public let bias: Parameter
    /// Which mean and variance samples are normalized by.
    public let statistics: Statistics
    /// [c].
    public let runningMean: Parameter
    /// [c], of the samples' population: the mean squared deviation times N / (N − 1).
    public let runningVariance: Parameter
    /// Added to the variance before its root is taken.
    public let epsilon: Double

    /// Weights 1, biases 0.
    ///
    /// - Throws: `TensorError` if the momentum is not in 0...1.
    public init(_ channels: Int, statistics: Statistics = .batch, epsilon: Double = 1e-5) throws {
        if case .running(let momentum) = statistics, !(0...1).contains(momentum) {
            throw TensorError("batch normalization", "a momentum of \(momentum), expected a number from 0 to 1")
        }
        weight = Parameter(try Tensor(repeating: 1, shape: [channels]))
        bias = Parameter(try Tensor.zeros([channels]))
        self.statistics = statistics
        runningMean = Parameter(try Tensor.zeros([channels]), isTrainable: false)
        runningVariance = Parameter(try Tensor(repeating: 1, shape: [channels]), isTrainable: false)
        self.epsilon = epsilon
    }

    /// - Throws: `TensorError` if the channels are not those of the weight, or there is one element a channel.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try PenalizedPass.current?.admit(mixing: self)
        try requireChannels(weight, of: input, for: "batch normalization")
        return try normalized(input).multiplied(by: weight.value, adding: bias.value)
    }

    private func normalized(_ input: Tensor) throws -> Tensor {
        let axes = Array(input.shape.indices.dropLast())
        if case .running(let momentum) = statistics {
            guard TrainingPass.current != nil else {
                return try input.normalized(
                    mean: runningMean.value, inverseDeviation: (runningVariance.value + epsilon).squareRoot().reciprocal())
            }
            if let communicator = Communicator.current {
                let whole = try RankStatistics(of: input, axes: axes, by: communicator)
                try keepUp(whole.mean.detached(), whole.variance.detached(), number: whole.number, momentum)
                return try whole.normalized(epsilon: epsilon)
            }
            try requireSeveral(axes, of: input, for: "batch normalization")
            let (mean, variance) = try input.statistics(axes: axes)
            try keepUp(mean, variance, number: Double(axes.reduce(1) { $0 * input.shape[$1] }), momentum)
            return try input.normalized(axes: axes, epsilon: epsilon, statistics: (mean, variance))
        }
        if let communicator = Communicator.current {
            return try RankStatistics(of: input, axes: axes, by: communicator).normalized(epsilon: epsilon)
        }
        try requireSeveral(axes, of: input, for: "batch normalization")
        return try input.normalized(axes: axes, epsilon: epsilon)
    }

    private func keepUp(_ mean: Tensor, _ variance: Tensor, number: Double, _ momentum: Double) throws {
        // A training pass runs in one turn.
        try runningMean.update { try $0.move(toward: mean.reshaped($0.shape), by: momentum) }
        try runningVariance.update {
            try $0.move(toward: variance.reshaped($0.shape) * (number / (number - 1)), by: momentum)
        }
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight), ("bias", bias)] }

    public var namedState: [(path: String, state: Parameter)] {
        statistics == .batch ? [] : [("runningMean", runningMean), ("runningVariance", runningVariance)]
    }

    /// Always: a sample's output depends on the batch.
    public var mixesSamples: Bool { true }
}

extension BatchNorm {
    /// `"batch_norm"`, or with running statistics `{"layer": "batch_norm", "momentum": 0.1}`.
    public struct Description: LayerKind {
        /// Of the running statistics; nil for those of each batch.
        public var momentum: Double?
        /// Added to the variance before its root is taken.
        public var epsilon = 1e-5

        public init() {}
        /// - Parameter momentum: of the running statistics; nil for those of each batch.
        public init(momentum: Double?) { self.momentum = momentum }

        public static let name = "batch_norm"
        public static let keys: [DescriptionKey<Self>] = [
            DescriptionKey("momentum", \.momentum, expected: "a number from 0 to 1") { $0.map((0...1).contains) ?? true },
            .epsilon(\.epsilon),
        ]

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            try BatchNorm(input.last ?? 0, statistics: momentum.map { .running(momentum: $0) } ?? .batch, epsilon: epsilon)
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] { affineParameters([input.last ?? 0]) }

        public func summary(for input: [Int]) -> String { momentum.map { "momentum \($0)" } ?? "" }
    }
}
