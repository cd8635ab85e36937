// What is reduced with: the functions, and how a vector of partial results becomes one.

/// A function that makes one element of many. Partial results that leave a vector are carried in double, where the sum
/// of two of them is all but exact.
protocol ReductionFunction {
    /// The result of nothing.
    static var identity: Float { get }
    /// Whether partial results are added, so that their rounding errors are worth keeping.
    static var isSum: Bool { get }
    /// What an element contributes.
    static func contribution(_ a: Lanes) -> Lanes
    static func combine(_ a: Lanes, _ b: Lanes) -> Lanes
    static func combine(_ a: Double, _ b: Double) -> Double
    /// combine(partial, contribution(a)).
    static func add(_ a: Lanes, to partial: Lanes) -> Lanes
}

extension ReductionFunction {
    @inline(__always) static func add(_ a: Lanes, to partial: Lanes) -> Lanes { combine(partial, contribution(a)) }

    /// All lanes combined, as a tree.
    @inline(__always) static func combineLanes(_ lanes: Lanes) -> Float {
        var lanes = lanes
        var width = Lanes.scalarCount
        while width > 1 {
            lanes = combine(
                Lanes(lowHalf: lanes.evenHalf, highHalf: lanes.evenHalf),
                Lanes(lowHalf: lanes.oddHalf, highHalf: lanes.oddHalf))
            width /= 2
        }
        return lanes[0]
    }
}

enum Sum: ReductionFunction {
    @inline(__always) static var identity: Float { 0 }
    @inline(__always) static var isSum: Bool { true }
    @inline(__always) static func contribution(_ a: Lanes) -> Lanes { a }
    @inline(__always) static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { a + b }
    @inline(__always) static func combine(_ a: Double, _ b: Double) -> Double { a + b }
}

enum SumOfSquares: ReductionFunction {
    @inline(__always) static var identity: Float { 0 }
    @inline(__always) static var isSum: Bool { true }
    @inline(__always) static func contribution(_ a: Lanes) -> Lanes { a * a }
    @inline(__always) static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { a + b }
    @inline(__always) static func combine(_ a: Double, _ b: Double) -> Double { a + b }
    @inline(__always) static func add(_ a: Lanes, to partial: Lanes) -> Lanes { multiplyAdd(a, a, partial) }
}

enum LargestElement: ReductionFunction {
    @inline(__always) static var identity: Float { -.infinity }
    @inline(__always) static var isSum: Bool { false }
    @inline(__always) static func contribution(_ a: Lanes) -> Lanes { a }
    @inline(__always) static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { maximum(a, b) }
    @inline(__always) static func combine(_ a: Double, _ b: Double) -> Double { b > a || b != b ? b : a }
}

enum SmallestElement: ReductionFunction {
    @inline(__always) static var identity: Float { .infinity }
    @inline(__always) static var isSum: Bool { false }
    @inline(__always) static func contribution(_ a: Lanes) -> Lanes { a }
    @inline(__always) static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { minimum(a, b) }
    @inline(__always) static func combine(_ a: Double, _ b: Double) -> Double { b < a || b != b ? b : a }
}

enum LargestMagnitude: ReductionFunction {
    @inline(__always) static var identity: Float { 0 }
    @inline(__always) static var isSum: Bool { false }
    @inline(__always) static func contribution(_ a: Lanes) -> Lanes { magnitude(a) }
    @inline(__always) static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { maximum(a, b) }
    @inline(__always) static func combine(_ a: Double, _ b: Double) -> Double { b > a || b != b ? b : a }
}
