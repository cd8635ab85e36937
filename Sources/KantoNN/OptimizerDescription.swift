import KantoDescriptions
import KantoTensor

/// A kind of optimizer as a configuration has it. To add one, add a row to `OptimizerKinds`.
public protocol OptimizerKind: NamedDescription {
    /// Before its schedule.
    var learningRate: Double { get set }
    func makeOptimizer(_ parameters: [Parameter], schedule: LearningRateSchedule) throws -> Optimizer
}

/// The optimizers that a configuration can name.
public enum OptimizerKinds: KindFamily {
    /// What every optimizer has beside its own keys.
    public struct Common: Describable {
        /// How the learning rate changes with the steps.
        public var schedule = ScheduleDescription(ConstantSchedule())

        public init() {}

        public static let keys = [DescriptionKey("schedule", \Self.schedule)]
    }
    public static let noun = "optimizer"
    public static let kinds: [any NamedDescription.Type] = [
        Adam.Description.self, AdamW.Description.self, RMSProp.Description.self, SGD.Description.self,
    ]
    public static let standard: (any NamedDescription.Type)? = Adam.Description.self
}

/// An optimizer of a configuration: `{"name": "adam", "learning_rate": 1e-4, "beta1": 0.5, "schedule": "linear"}`.
public typealias OptimizerDescription = Choice<OptimizerKinds>

extension OptimizerDescription {
    /// Describes an optimizer.
    ///
    /// - Parameter learningRate: nil for the optimizer's own.
    public init(_ optimizer: any OptimizerKind, learningRate: Double? = nil, schedule: any ScheduleKind = ConstantSchedule()) {
        var (optimizer, common) = (optimizer, OptimizerKinds.Common())
        if let learningRate { optimizer.learningRate = learningRate }
        common.schedule = ScheduleDescription(schedule)
        self.init(kind: optimizer, common: common)
    }
    /// The optimizer that is described.
    public var optimizer: any OptimizerKind { kind as! any OptimizerKind }
    /// Before the schedule.
    public var learningRate: Double { optimizer.learningRate }

    /// How it reads in one line: "adam 0.0001 (beta1 0.5, beta2 0.9)".
    public var summary: String {
        var text = "\(name) \(learningRate)"
        if case .object(let members) = kind.described(isWhole: true) {
            let others = members.filter { !["learning_rate", "epsilon"].contains($0.key) }.sorted { $0.key < $1.key }
            text += " (" + others.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + ")"
        }
        return common.schedule.name == ConstantSchedule.name ? text : text + ", \(common.schedule.name) schedule"
    }

    /// - Parameter stepCount: how many steps the training takes, over which a schedule runs that states no number of its own.
    public func makeOptimizer(_ parameters: [Parameter], stepCount: Int) throws -> Optimizer {
        try optimizer.makeOptimizer(parameters, schedule: common.schedule.schedule(stepCount: stepCount))
    }
}

extension DescriptionKey where Root: OptimizerKind {
    fileprivate static var learningRate: DescriptionKey {
        DescriptionKey("learning_rate", \Root.learningRate, expected: "a number from 1e-12 to 1") { 1e-12...1 ~= $0 }
    }
}

extension DescriptionKey {
    /// A share of a moment that a step keeps.
    fileprivate static func decay(_ name: String, _ property: WritableKeyPath<Root, Double> & Sendable) -> DescriptionKey {
        DescriptionKey(name, property, expected: "a number from 0 up to, not including, 1") { (0..<1).contains($0) }
    }
    fileprivate static func positive(_ name: String, _ property: WritableKeyPath<Root, Double> & Sendable) -> DescriptionKey {
        DescriptionKey(name, property, expected: "a positive number") { $0 > 0 }
    }
}

extension Adam {
    /// `{"name": "adam", "learning_rate": 1e-4, "beta1": 0, "beta2": 0.9}`.
    public struct Description: OptimizerKind {
        /// Before the schedule.
        public var learningRate = 1e-4
        /// Decay of the running mean of gradients.
        public var beta1 = 0.0
        /// Decay of the running mean of squared gradients.
        public var beta2 = 0.9
        /// Added to the root of the mean square.
        public var epsilon = 1e-8

        public init() {}
        /// - Parameters:
        ///   - beta1: decay of the running mean of gradients.
        ///   - beta2: decay of the running mean of squared gradients.
        public init(beta1: Double, beta2: Double) { (self.beta1, self.beta2) = (beta1, beta2) }

        public static let name = "adam"
        public static let keys: [DescriptionKey<Self>] = [
            .learningRate, .decay("beta1", \.beta1), .decay("beta2", \.beta2), .positive("epsilon", \.epsilon),
        ]

        public func makeOptimizer(_ parameters: [Parameter], schedule: LearningRateSchedule) throws -> Optimizer {
            try Adam(
                parameters, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, schedule: schedule)
        }
    }
}

extension AdamW {
    /// `{"name": "adamw", "weight_decay": 0.01}`.
    public struct Description: OptimizerKind {
        /// Before the schedule.
        public var learningRate = 1e-3
        /// Decay of the running mean of gradients.
        public var beta1 = 0.9
        /// Decay of the running mean of squared gradients.
        public var beta2 = 0.999
        /// Added to the root of the mean square.
        public var epsilon = 1e-8
        /// Decoupled: a step takes off rate · decay of each parameter.
        public var weightDecay = 0.01

        public init() {}

        public static let name = "adamw"
        public static let keys: [DescriptionKey<Self>] = [
            .learningRate, .decay("beta1", \.beta1), .decay("beta2", \.beta2), .positive("epsilon", \.epsilon),
            DescriptionKey("weight_decay", \.weightDecay, in: 0...Double.greatestFiniteMagnitude),
        ]

        public func makeOptimizer(_ parameters: [Parameter], schedule: LearningRateSchedule) throws -> Optimizer {
            try AdamW(
                parameters, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
                schedule: schedule)
        }
    }
}

extension RMSProp {
    /// `{"name": "rmsprop", "learning_rate": 5e-5}`.
    public struct Description: OptimizerKind {
        /// Before the schedule.
        public var learningRate = 5e-5
        /// Of the running mean of squared gradients.
        public var decay = 0.99
        /// Added to the root of the mean square.
        public var epsilon = 1e-8
        /// Decoupled: a step takes off rate · decay of each parameter.
        public var weightDecay = 0.0

        public init() {}

        public static let name = "rmsprop"
        public static let keys: [DescriptionKey<Self>] = [
            .learningRate, .decay("decay", \.decay), .positive("epsilon", \.epsilon),
            DescriptionKey("weight_decay", \.weightDecay, in: 0...Double.greatestFiniteMagnitude),
        ]

        public func makeOptimizer(_ parameters: [Parameter], schedule: LearningRateSchedule) throws -> Optimizer {
            try RMSProp(
                parameters, learningRate: learningRate, decay: decay, epsilon: epsilon, weightDecay: weightDecay,
                schedule: schedule)
        }
    }
}

extension SGD {
    /// `{"name": "sgd", "momentum": 0.9}`.
    public struct Description: OptimizerKind {
        /// Before the schedule.
        public var learningRate = 1e-2
        /// The share of the last step that is kept.
        public var momentum = 0.0
        /// Decoupled: a step takes off rate · decay of each parameter.
        public var weightDecay = 0.0

        public init() {}

        public static let name = "sgd"
        public static let keys: [DescriptionKey<Self>] = [
            .learningRate, .decay("momentum", \.momentum),
            DescriptionKey("weight_decay", \.weightDecay, in: 0...Double.greatestFiniteMagnitude),
        ]

        public func makeOptimizer(_ parameters: [Parameter], schedule: LearningRateSchedule) throws -> Optimizer {
            try SGD(parameters, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay, schedule: schedule)
        }
    }
}
