/// A number that was measured on samples, and how far it may be off.
public struct Estimate: Sendable, Equatable {
    /// What was measured.
    public let value: Double
    /// What holds the number of endlessly many samples in 95 of 100 evaluations, as far as resampling tells.
    public let interval: ClosedRange<Double>

    /// - Parameters:
    ///   - value: what was measured.
    ///   - interval: of the bootstrap.
    public init(value: Double, interval: ClosedRange<Double>) { (self.value, self.interval) = (value, interval) }
}
