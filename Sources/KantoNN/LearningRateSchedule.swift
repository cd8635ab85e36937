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
