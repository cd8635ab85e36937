import KantoDescriptions
import KantoKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a learning rate changes over the steps of a training: a factor on it.
public struct LearningRateSchedule: Hashable, Sendable {
    private enum Shape: Hashable {
        case constant
        case linear
        case cosine
    }

    private let shape: Shape
    private let stepCount: Int
    private let lastFactor: Double

    /// 1 at all steps.
    public static let constant = LearningRateSchedule(shape: .constant, stepCount: 0, lastFactor: 1)

    /// From 1 in a straight line to a fraction, which is reached after a number of steps and kept.
    public static func linearDecay(over steps: Int, to fraction: Double = 0) -> LearningRateSchedule {
        LearningRateSchedule(shape: .linear, stepCount: steps, lastFactor: fraction)
    }

    /// From 1 along half a cosine to a fraction, which is reached after a number of steps and kept (Loshchilov and Hutter
    /// 2017, equation 5, without restarts).
    public static func cosineDecay(over steps: Int, to fraction: Double = 0) -> LearningRateSchedule {
        LearningRateSchedule(shape: .cosine, stepCount: steps, lastFactor: fraction)
    }

    /// The factor of a step, from step 0.
    public func factor(at step: Int) -> Double {
        guard shape != .constant else { return 1 }
        guard step < stepCount else { return lastFactor }
        let progress = Double(max(0, step)) / Double(stepCount)
        let rest = shape == .linear ? 1 - progress : (1 + cos(.pi * progress)) / 2
        return lastFactor + (1 - lastFactor) * rest
    }
}

// MARK: - As data

/// A kind of schedule as a configuration has it. To add one, add a row to `ScheduleKinds`.
public protocol ScheduleKind: NamedDescription {
    /// - Parameter stepCount: of the training, for a schedule that states no number of its own.
    func schedule(stepCount: Int) -> LearningRateSchedule
}

/// The schedules that a configuration can name.
public enum ScheduleKinds: KindFamily {
    public static let noun = "schedule"
    public static let kinds: [any NamedDescription.Type] = [ConstantSchedule.self, LinearSchedule.self, CosineSchedule.self]
}

/// A schedule of a configuration: `"linear"`, or `{"name": "linear", "over": 100000, "to": 0}`.
public typealias ScheduleDescription = Choice<ScheduleKinds>

extension ScheduleDescription {
    /// Describes a schedule.
    public init(_ schedule: any ScheduleKind) { self.init(kind: schedule) }

    public func schedule(stepCount: Int) -> LearningRateSchedule { (kind as! any ScheduleKind).schedule(stepCount: stepCount) }
}

/// The learning rate as it is given.
public struct ConstantSchedule: ScheduleKind {
    public init() {}
    public static let name = "constant"
    public func schedule(stepCount: Int) -> LearningRateSchedule { .constant }
}

/// See `LearningRateSchedule.linearDecay`.
public struct LinearSchedule: ScheduleKind {
    /// Steps of the optimizer; nil for all that the training takes.
    public var over: Int?
    /// The share of the rate at the end.
    public var to = 0.0

    public init() {}

    public static let name = "linear"
    public static let keys: [DescriptionKey<Self>] = [.over(\.over), DescriptionKey("to", \.to, in: 0...1)]
    public func schedule(stepCount: Int) -> LearningRateSchedule { .linearDecay(over: over ?? stepCount, to: to) }
}

/// See `LearningRateSchedule.cosineDecay`.
public struct CosineSchedule: ScheduleKind {
    /// Steps of the optimizer; nil for all that the training takes.
    public var over: Int?
    /// The share of the rate at the end.
    public var to = 0.0

    public init() {}

    public static let name = "cosine"
    public static let keys: [DescriptionKey<Self>] = [.over(\.over), DescriptionKey("to", \.to, in: 0...1)]
    public func schedule(stepCount: Int) -> LearningRateSchedule { .cosineDecay(over: over ?? stepCount, to: to) }
}

extension DescriptionKey {
    fileprivate static func over(_ property: WritableKeyPath<Root, Int?> & Sendable) -> DescriptionKey {
        DescriptionKey("over", property, expected: "a number of steps from 1 to 1000000000") {
            $0.map { 1...1_000_000_000 ~= $0 } ?? true
        }
    }
}
