import KantoKernels
import KantoTensor

/// The optimizer of Kingma and Ba 2015, with the state that it keeps for each parameter.
public final class Adam {
    public var learningRate: Double
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let weightDecay: Double
    public let parameters: [Parameter]
    /// How many steps were taken.
    public private(set) var stepCount = 0
    private var first: [Tensor]
    private var second: [Tensor]

    public init(
        _ parameters: [Parameter], learningRate: Double = 1e-4, beta1: Double = 0, beta2: Double = 0.9, epsilon: Double = 1e-8,
        weightDecay: Double = 0
    ) throws {
        self.parameters = parameters
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        first = try parameters.map { try Tensor.zeros($0.shape, elementType: $0.value.elementType) }
        second = try parameters.map { try Tensor.zeros($0.shape, elementType: $0.value.elementType) }
    }

    /// Moves each parameter against its gradient.
    ///
    /// - Throws: `TensorError` if a gradient's shape is not its parameter's.
    public func update(with gradients: [Tensor]) throws {
        guard gradients.count == parameters.count else {
            throw TensorError("Adam", "\(gradients.count) gradients for \(parameters.count) parameters")
        }
        stepCount += 1
        let step = AdamStep(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, number: stepCount)
        try Kernels.run {
            for (index, gradient) in gradients.enumerated() {
                try parameters[index].update { value in
                    try step.apply(gradient, to: &value, first: &first[index], second: &second[index])
                }
            }
        }
    }
}
