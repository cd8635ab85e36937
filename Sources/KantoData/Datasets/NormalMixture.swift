/// Points of a plane, drawn from normal distributions of equal weight and deviation: what is known of a generated set.
public struct NormalMixture: Sendable, Equatable {
    /// The middle of a mode.
    public struct Center: Sendable, Equatable {
        /// In the data's own units.
        public let x, y: Double

        /// A point.
        public init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
    }
    /// The middles of the modes, in the data's own units.
    public let centers: [Center]
    /// Of each coordinate of each mode, in the data's own units.
    public let deviation: Double

    /// - Parameters:
    ///   - centers: the middles of the modes.
    ///   - deviation: of each coordinate.
    public init(centers: [Center], deviation: Double) { (self.centers, self.deviation) = (centers, deviation) }
}
