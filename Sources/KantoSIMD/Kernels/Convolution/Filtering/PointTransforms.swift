// Transforms of minimal filtering along one axis: between taps, inputs, outputs and points.
//
// A stride-1 correlation of r taps with m outputs is the product of two polynomials, found by its values at n = m + r - 1 points (Winograd,
// "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, equation 7:
// y = Aᵀ[(G g) ⊙ (Bᵀ d)]). The points are, in this order,
//
//     0, ∞, 1, -1, 2, -½
//
// and n points are the first n of them, so that the points of fewer taps are a subset of those of more. A and B depend on the
// points only, so correlations of 3 and of 2 taps that add up to one output add up point by point.
//
// With two outputs a tile every coefficient is 0, ±½ or ±1, so small integers stay exact. With four there are four finite points, two of
// which differ by a multiple of three, so thirds come in; -½ has half the error of -2.

/// The points of one axis of a tile, known when this is compiled.
protocol PointSet {
    static var count: Int { get }
}

extension PointSet {
    @inline(__always) static var outputs: Int { outputCount(ofPoints: count) }
    @inline(__always) static var taps: Int { tapCount(ofPoints: count) }
}

enum ThreePoints: PointSet {
    @inline(__always) static var count: Int { 3 }
}

enum FourPoints: PointSet {
    @inline(__always) static var count: Int { 4 }
}

enum FivePoints: PointSet {
    @inline(__always) static var count: Int { 5 }
}

enum SixPoints: PointSet {
    @inline(__always) static var count: Int { 6 }
}

/// Two outputs, or four, of two or three taps: so many points say which.
@inline(__always) func outputCount(ofPoints count: Int) -> Int { count < 5 ? 2 : 4 }
@inline(__always) func tapCount(ofPoints count: Int) -> Int { count &- outputCount(ofPoints: count) &+ 1 }

/// Of an axis at most.
@inline(__always) var mostPoints: Int { 6 }
@inline(__always) var mostOutputs: Int { 4 }

/// One of the five transforms along one axis, of vectors of channels.
protocol AxisTransform {
    /// Numbers before and after, along the axis.
    static func sourceCount(ofPoints count: Int) -> Int
    static func targetCount(ofPoints count: Int) -> Int
    static func apply<P: PointSet>(_: P.Type, _ source: (Int) -> Lanes, _ put: (Int, Lanes) -> Void)
}

/// Bᵀ: inputs to points.
enum InputTransform: AxisTransform {
    @inline(__always) static func sourceCount(ofPoints count: Int) -> Int { count }
    @inline(__always) static func targetCount(ofPoints count: Int) -> Int { count }
    @inline(__always)
    static func apply<P: PointSet>(_: P.Type, _ d: (Int) -> Lanes, _ put: (Int, Lanes) -> Void) {
        switch P.count {
        case 3:
            let d1 = d(1)
            put(0, d1 - d(0))
            put(1, d(2) - d1)
            put(2, d1)
        case 4:
            let d1 = d(1), d2 = d(2)
            put(0, d2 - d(0))
            put(1, d(3) - d1)
            put(2, d2 + d1)
            put(3, d2 - d1)
        case 5:
            let d1 = d(1), d2 = d(2), d3 = d(3)
            let sum = multiplyAdd(Lanes(repeating: -2), d2, d3)
            put(0, multiplyAdd(Lanes(repeating: 2), d(0), sum - d1))
            put(1, multiplyAdd(Lanes(repeating: 2), d1 - d3, d(4) - d2))
            put(2, multiplyAdd(Lanes(repeating: -2), d1, d3 - d2))
            put(3, multiplyAdd(Lanes(repeating: 2), d1, sum - d2))
            put(4, d3 - d1)
        default:
            let d1 = d(1), d2 = d(2), d3 = d(3), d4 = d(4)
            let even = d4 - d2, odd = d3 - d1
            put(0, multiplyAdd(Lanes(repeating: -1.5), odd, multiplyAdd(Lanes(repeating: -2), d2, d4)) + d(0))
            put(1, multiplyAdd(Lanes(repeating: -1.5), even, multiplyAdd(Lanes(repeating: -2), d3, d1)) + d(5))
            put(2, multiplyAdd(Lanes(repeating: -2.5), d2, multiplyAdd(Lanes(repeating: -0.5), d3, d4 - d1)))
            put(3, multiplyAdd(Lanes(repeating: -2.5), d3, multiplyAdd(Lanes(repeating: 0.5), d2, d4 + d1)))
            put(4, multiplyAdd(Lanes(repeating: 0.5), odd, even))
            put(5, multiplyAdd(Lanes(repeating: -2), odd, even))
        }
    }
}

/// Aᵀ: points to outputs.
enum OutputTransform: AxisTransform {
    @inline(__always) static func sourceCount(ofPoints count: Int) -> Int { count }
    @inline(__always) static func targetCount(ofPoints count: Int) -> Int { outputCount(ofPoints: count) }
    @inline(__always)
    static func apply<P: PointSet>(_: P.Type, _ p: (Int) -> Lanes, _ put: (Int, Lanes) -> Void) {
        let atOne = p(2)
        var even = atOne, odd = atOne
        if P.count > 3 {
            let atMinusOne = p(3)
            even += atMinusOne
            odd = odd - atMinusOne
        }
        if P.outputs == 2 {
            put(0, p(0) + even)
            put(1, odd + p(1))
            return
        }
        let atTwo = p(4)
        if P.count == 5 {
            put(0, p(0) + even + atTwo)
            put(1, multiplyAdd(Lanes(repeating: 2), atTwo, odd))
            put(2, multiplyAdd(Lanes(repeating: 4), atTwo, even))
            put(3, multiplyAdd(Lanes(repeating: 8), atTwo, odd + p(1)))
            return
        }
        let atMinusHalf = p(5)
        put(0, p(0) + even + (atTwo + atMinusHalf))
        put(1, multiplyAdd(Lanes(repeating: 2), atTwo, multiplyAdd(Lanes(repeating: -0.5), atMinusHalf, odd)))
        put(2, multiplyAdd(Lanes(repeating: 4), atTwo, multiplyAdd(Lanes(repeating: 0.25), atMinusHalf, even)))
        put(3, multiplyAdd(Lanes(repeating: 8), atTwo, multiplyAdd(Lanes(repeating: -0.125), atMinusHalf, odd + p(1))))
    }
}

/// A: the outputs' gradient to points, the adjoint of `OutputTransform`.
enum OutputExpansion: AxisTransform {
    @inline(__always) static func sourceCount(ofPoints count: Int) -> Int { outputCount(ofPoints: count) }
    @inline(__always) static func targetCount(ofPoints count: Int) -> Int { count }
    @inline(__always)
    static func apply<P: PointSet>(_: P.Type, _ y: (Int) -> Lanes, _ put: (Int, Lanes) -> Void) {
        let y0 = y(0), y1 = y(1)
        put(0, y0)
        if P.outputs == 2 {
            put(1, y1)
            put(2, y0 + y1)
            if P.count > 3 { put(3, y0 - y1) }
            return
        }
        let y2 = y(2), y3 = y(3)
        let even = y0 + y2, odd = y1 + y3
        put(1, y3)
        put(2, even + odd)
        put(3, even - odd)
        put(4, multiplyAdd(Lanes(repeating: 4), y2, y0) + 2 * multiplyAdd(Lanes(repeating: 4), y3, y1))
        if P.count > 5 {
            put(5, multiplyAdd(Lanes(repeating: 0.25), y2, y0) - 0.5 * multiplyAdd(Lanes(repeating: 0.25), y3, y1))
        }
    }
}

/// What the taps' polynomial is scaled by at 0, 1, -1, 2 and -½: 1 / Π (p - q) over the other finite points q.
@inline(__always) private func scale<P: PointSet>(_: P.Type, _ point: Int) -> Lanes {
    let scale: Float
    switch (P.count, point) {
    case (3, 0), (4, 0): scale = -1
    case (3, _): scale = 1
    case (4, _): scale = 0.5
    case (5, 0): scale = 0.5
    case (5, 2): scale = -0.5
    case (5, 3): scale = -1 / 6
    case (5, _): scale = 1 / 6
    case (_, 0): scale = 1
    case (_, 2): scale = -1 / 3
    case (_, 3): scale = 1 / 3
    case (_, 4): scale = 1 / 15
    default: scale = -16 / 15
    }
    return Lanes(repeating: scale)
}

/// G: taps to points.
enum TapTransform: AxisTransform {
    @inline(__always) static func sourceCount(ofPoints count: Int) -> Int { tapCount(ofPoints: count) }
    @inline(__always) static func targetCount(ofPoints count: Int) -> Int { count }
    @inline(__always)
    static func apply<P: PointSet>(_: P.Type, _ w: (Int) -> Lanes, _ put: (Int, Lanes) -> Void) {
        let w0 = w(0), w1 = w(1), w2 = P.taps == 3 ? w(2) : Lanes(repeating: 0)
        let even = w0 + w2
        put(0, scale(P.self, 0) * w0)
        put(1, P.taps == 3 ? w2 : w1)
        put(2, scale(P.self, 2) * (even + w1))
        if P.count > 3 { put(3, scale(P.self, 3) * (even - w1)) }
        if P.count > 4 { put(4, scale(P.self, 4) * (w0 + 2 * w1 + 4 * w2)) }
        if P.count > 5 { put(5, scale(P.self, 5) * (w0 - 0.5 * w1 + 0.25 * w2)) }
    }
}

/// Gᵀ: points to the gradient of the taps, the adjoint of `TapTransform`.
enum TapGathering: AxisTransform {
    @inline(__always) static func sourceCount(ofPoints count: Int) -> Int { count }
    @inline(__always) static func targetCount(ofPoints count: Int) -> Int { tapCount(ofPoints: count) }
    @inline(__always)
    static func apply<P: PointSet>(_: P.Type, _ u: (Int) -> Lanes, _ put: (Int, Lanes) -> Void) {
        let zero = Lanes(repeating: 0)
        let atOne = scale(P.self, 2) * u(2)
        let atMinusOne = P.count > 3 ? scale(P.self, 3) * u(3) : zero
        let atTwo = P.count > 4 ? scale(P.self, 4) * u(4) : zero
        let atMinusHalf = P.count > 5 ? scale(P.self, 5) * u(5) : zero
        var w0 = multiplyAdd(scale(P.self, 0), u(0), atOne + atMinusOne)
        var w1 = atOne - atMinusOne
        if P.count > 4 {
            w0 += atTwo + atMinusHalf
            w1 += multiplyAdd(Lanes(repeating: 2), atTwo, -0.5 * atMinusHalf)
        }
        if P.taps == 2 { w1 += u(1) }
        put(0, w0)
        put(1, w1)
        if P.taps == 3 {
            var w2 = atOne + atMinusOne + u(1)
            if P.count > 4 { w2 += multiplyAdd(Lanes(repeating: 4), atTwo, 0.25 * atMinusHalf) }
            put(2, w2)
        }
    }
}
