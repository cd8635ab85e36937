import KantoKernels
import KantoTensor

/// Moves parameters against their gradients, with the state that its rule keeps for each: see `Adam`, `AdamW`, `RMSProp`
/// and `SGD`.
public class Optimizer {
    /// The rate before its schedule.
    public var learningRate: Double
    /// How the learning rate changes with the steps.
    public let schedule: LearningRateSchedule
    /// The fraction of a parameter that a step takes away, per unit of learning rate.
    public let weightDecay: Double
    /// How a gradient moves a parameter.
    public let rule: UpdateRule
    /// Those that a step moves.
    public let parameters: [Parameter]
    /// How many steps were taken.
    public private(set) var stepCount = 0
    private var moments: [[Tensor]]

    init(
        _ parameters: [Parameter], _ rule: UpdateRule, learningRate: Double, schedule: LearningRateSchedule, weightDecay: Double
    ) throws {
        guard learningRate >= 0, learningRate.isFinite else {
            throw TensorError("optimizer", "a learning rate of \(learningRate), expected a number of at least 0")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw TensorError("optimizer", "a weight decay of \(weightDecay), expected a number of at least 0")
        }
        for decay in rule.decays where !(0..<1).contains(decay) {
            throw TensorError("optimizer", "a decay of \(decay) of the moments, expected 0 to below 1")
        }
        var places: [ObjectIdentifier: Int] = [:]
        for (index, parameter) in parameters.enumerated() {
            if let first = places.updateValue(index, forKey: ObjectIdentifier(parameter)) {
                throw TensorError(
                    "optimizer",
                    "parameters \(first) and \(index) are the same, which a step would move twice; list each once, as "
                        + "`parameters` of a network does")
            }
        }
        self.parameters = parameters
        self.rule = rule
        self.learningRate = learningRate
        self.schedule = schedule
        self.weightDecay = weightDecay
        moments = try parameters.map { parameter in
            try (0..<rule.momentCount).map { _ in
                try Tensor.zeros(parameter.shape, elementType: parameter.value.elementType)
            }
        }
    }

    /// What an optimizer has come to: enough to go on from there bit for bit.
    public struct State: Sendable {
        /// How many steps were taken.
        public var stepCount: Int
        /// For each parameter, in their order, as many tensors of its shape as the rule keeps.
        public var moments: [[Tensor]]

        /// - Parameters:
        ///   - stepCount: how many steps were taken.
        ///   - moments: for each parameter, in their order, as many tensors of its shape as the rule keeps.
        public init(stepCount: Int, moments: [[Tensor]]) { (self.stepCount, self.moments) = (stepCount, moments) }
    }

    /// What it has come to. Steps that follow do not change this value.
    public var state: State { State(stepCount: stepCount, moments: moments) }

    /// Goes on from what an optimizer of the same rule, over parameters of the same shapes, had come to.
    ///
    /// - Throws: `TensorError` if the state is of another rule or of other parameters. Then nothing has changed.
    public func restore(_ state: State) throws {
        guard state.stepCount >= 0, state.moments.count == parameters.count else {
            throw TensorError(
                "optimizer",
                "a state of \(state.stepCount) steps and \(state.moments.count) parameters, expected \(parameters.count)")
        }
        for (index, (moments, parameter)) in zip(state.moments, parameters).enumerated() {
            guard moments.count == rule.momentCount,
                moments.allSatisfy({ $0.shape == parameter.shape && $0.elementType == parameter.value.elementType })
            else {
                throw TensorError(
                    "optimizer",
                    "moments of shapes \(moments.map(\.shape)) for parameter \(index), expected "
                        + "\(rule.momentCount) of \(parameter.shape) (\(parameter.value.elementType))")
            }
        }
        stepCount = state.stepCount
        moments = state.moments
    }

    /// The learning rate of the next step.
    public var currentRate: Double { learningRate * schedule.factor(at: stepCount) }

    /// Takes a step down a loss: the gradients of its own parameters, then `update`.
    ///
    /// The gradients are not differentiable further, which saves the time and the memory of their graph.
    ///
    /// - Parameter loss: as a rule a scalar; of a tensor with more elements the sum is minimized.
    /// - Throws: `TensorError` if the loss depends on none of the parameters.
    public func minimize(_ loss: Tensor) throws {
        try update(with: gradients(of: loss, withRespectTo: parameters.map(\.value), isDifferentiable: false))
    }

    /// Moves each parameter against its gradient.
    ///
    /// - Throws: `TensorError` if there is not one gradient of its shape for each parameter. Then no parameter has moved.
    public func update(with gradients: [Tensor]) throws {
        guard gradients.count == parameters.count else {
            throw TensorError("optimizer", "\(gradients.count) gradients for \(parameters.count) parameters")
        }
        for (index, gradient) in gradients.enumerated() where gradient.shape != parameters[index].shape {
            throw TensorError(
                "optimizer", "gradient \(index) has the shape \(gradient.shape), its parameter \(parameters[index].shape)")
        }
        let rate = currentRate
        stepCount += 1
        try Kernels.run {
            for (index, gradient) in gradients.enumerated() {
                try parameters[index].update { value in
                    try rule.step(
                        &value, against: gradient, moments: &moments[index], learningRate: rate, weightDecay: weightDecay,
                        number: stepCount)
                }
            }
        }
    }
}

/// The optimizer of Kingma and Ba 2015, Algorithm 1; the standard values are those of WGAN-GP (Gulrajani et al. 2017).
public final class Adam: Optimizer {
    /// - Parameters:
    ///   - beta1: decay of the running mean of gradients.
    ///   - beta2: decay of the running mean of squared gradients.
    ///   - epsilon: added to the root of the mean square.
    /// - Throws: `TensorError` if a number is out of its range.
    public init(
        _ parameters: [Parameter], learningRate: Double = 1e-4, beta1: Double = 0, beta2: Double = 0.9, epsilon: Double = 1e-8,
        schedule: LearningRateSchedule = .constant
    ) throws {
        try super.init(
            parameters, .adam(beta1: beta1, beta2: beta2, epsilon: epsilon), learningRate: learningRate, schedule: schedule,
            weightDecay: 0)
    }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
public final class AdamW: Optimizer {
    /// - Parameters:
    ///   - beta1: decay of the running mean of gradients.
    ///   - beta2: decay of the running mean of squared gradients.
    ///   - epsilon: added to the root of the mean square.
    ///   - weightDecay: a step takes off rate · decay of each parameter.
    /// - Throws: `TensorError` if a number is out of its range.
    public init(
        _ parameters: [Parameter], learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0.01, schedule: LearningRateSchedule = .constant
    ) throws {
        try super.init(
            parameters, .adam(beta1: beta1, beta2: beta2, epsilon: epsilon), learningRate: learningRate, schedule: schedule,
            weightDecay: weightDecay)
    }
}

/// RMSProp (Tieleman and Hinton 2012); the standard rate is that of the first WGAN (Arjovsky et al. 2017).
public final class RMSProp: Optimizer {
    /// - Parameters:
    ///   - decay: of the running mean of squared gradients.
    ///   - epsilon: added to its root.
    ///   - weightDecay: a step takes off rate · decay of each parameter.
    /// - Throws: `TensorError` if a number is out of its range.
    public init(
        _ parameters: [Parameter], learningRate: Double = 5e-5, decay: Double = 0.99, epsilon: Double = 1e-8,
        weightDecay: Double = 0, schedule: LearningRateSchedule = .constant
    ) throws {
        try super.init(
            parameters, .rmsProp(decay: decay, epsilon: epsilon), learningRate: learningRate, schedule: schedule,
            weightDecay: weightDecay)
    }
}

/// Gradient descent with momentum (Polyak 1964): v = momentum · v + g, and the parameter moves by −rate · v.
public final class SGD: Optimizer {
    /// - Parameters:
    ///   - momentum: the share of the last step that is kept.
    ///   - weightDecay: a step takes off rate · decay of each parameter.
    /// - Throws: `TensorError` if a number is out of its range.
    public init(
        _ parameters: [Parameter], learningRate: Double = 1e-2, momentum: Double = 0, weightDecay: Double = 0,
        schedule: LearningRateSchedule = .constant
    ) throws {
        try super.init(
            parameters, .momentum(momentum), learningRate: learningRate, schedule: schedule, weightDecay: weightDecay)
    }
}
