import KantoABI

/// An activation that is too long for the registers of a tile, and is applied to what a tile has stored.
enum Curve {
    case none, tanh, sigmoid

    @inline(__always) func value(_ lanes: Lanes) -> Lanes {
        switch self {
        case .none: lanes
        case .tanh: hyperbolicTangent(lanes)
        case .sigmoid: logistic(lanes)
        }
    }

    @inline(never) func apply(to target: UnsafeMutablePointer<Float>, count: Int) {
        var i = 0
        while i &+ Lanes.scalarCount <= count {
            storeLanes(value(loadLanes(target + i)), to: target + i)
            i &+= Lanes.scalarCount
        }
        while i < count {
            target[i] = value(Lanes(repeating: target[i]))[0]
            i &+= 1
        }
    }
}

/// The derivative of an activation as a function of its output y, which a finished sum is multiplied by. A derivative of 0
/// yields 0, even of infinity; a NaN of the sum or of y stays.
struct Derivative {
    enum Kind {
        case none
        /// y > 0 ? 1 : constant.
        case leakyReLU
        /// (1 - y) (constant + y), of the hyperbolic tangent with 1, of the sigmoid with 0: near y = 1 as accurate as y.
        case curve
    }

    var kind = Kind.none
    var constant: Float = 0
    /// From an element of the output to y, in bytes.
    private var distance = 0

    init(_ kind: Kind = .none, constant: Float = 0) {
        self.kind = kind
        self.constant = constant
    }

    /// Lends the outputs of the activation, which are laid out as the output.
    @inline(__always)
    mutating func setSaved(_ saved: UnsafeRawPointer?, output: UnsafeMutablePointer<Float>) {
        if kind != .none { distance = Int(bitPattern: saved) &- Int(bitPattern: output) }
    }

    /// Where y stands. Not by arithmetic on the pointer, which must not leave its buffer.
    @inline(__always) func saved(of target: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        UnsafePointer<Float>(bitPattern: Int(bitPattern: target) &+ distance).unsafelyUnwrapped
    }

    /// The product with the derivative at the output that was saved for this target.
    @inline(__always) func multiply(_ sum: Float, of target: UnsafeMutablePointer<Float>) -> Float {
        let (value, y) = (Lanes(repeating: sum), Lanes(repeating: saved(of: target).pointee))
        return switch kind {
        case .none: sum
        case .leakyReLU: LeakyReLUDerivative.multiply(value, y, constant)[0]
        case .curve: CurveDerivative.multiply(value, y, constant)[0]
        }
    }
}

/// A kind of derivative, known when this is compiled: with a branch for each vector the compiler takes vectors apart, lane by
/// lane.
protocol DerivativeKind {
    /// Whether there is one, and outputs are read.
    static var isPresent: Bool { get }
    /// The product of the value with the derivative at the output y.
    static func multiply(_ value: Lanes, _ y: Lanes, _ constant: Float) -> Lanes
}

extension DerivativeKind {
    @inline(__always) static var isPresent: Bool { true }
}

enum NoDerivative: DerivativeKind {
    @inline(__always) static var isPresent: Bool { false }
    @inline(__always) static func multiply(_ value: Lanes, _ y: Lanes, _ constant: Float) -> Lanes { value }
}

enum LeakyReLUDerivative: DerivativeKind {
    @inline(__always) static func multiply(_ value: Lanes, _ y: Lanes, _ constant: Float) -> Lanes {
        keepingNaN(scaled(value, by: constant).replacing(with: value, where: y .> 0), of: value, y)
    }
}

enum CurveDerivative: DerivativeKind {
    @inline(__always) static func multiply(_ value: Lanes, _ y: Lanes, _ constant: Float) -> Lanes {
        let factor = (1 - y) * (constant + y)
        return (value * factor).replacing(with: 0, where: (factor .== 0) .& (value .== value))
    }
}

/// The result, or NaN where one of the two is that it comes from.
@inline(__always) func keepingNaN(_ result: Lanes, of a: Lanes, _ b: Lanes) -> Lanes {
    result.replacing(with: a + b, where: (a .!= a) .| (b .!= b))
}

/// The products with a factor; zeros, even of infinity, if that is zero. By a mask, because of what `DerivativeKind` says.
@inline(__always) func scaled(_ lanes: Lanes, by factor: Float) -> Lanes {
    floats(bits(lanes * Lanes(repeating: factor)) & LanesOfBits(repeating: factor == 0 ? 0 : .max))
}

/// What happens to a finished sum before it is stored: act(sum + bias + old), or act'(y) (sum + old).
struct Epilogue {
    /// The bias of the tile's first column, or nil.
    var bias: UnsafePointer<Float>?
    var accumulates = false
    var activates = false
    /// Of the leaky ReLU; 0 is the ReLU.
    var slope: Float = 0
    var curve = Curve.none
    var derivative = Derivative()
    /// Whether full tiles are stored past the caches, whose lines they would not find there; see `Product`.
    var storesPastCaches = false

    /// Stores the first `count` of a row's sums: whole vectors, then single numbers.
    func store(_ sums: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>) {
        switch derivative.kind {
        case .none: store(sums, count: count, to: target, NoDerivative.self)
        case .leakyReLU: store(sums, count: count, to: target, LeakyReLUDerivative.self)
        case .curve: store(sums, count: count, to: target, CurveDerivative.self)
        }
    }

    @inline(__always)
    private func store<Kind: DerivativeKind>(
        _ sums: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>, _ kind: Kind.Type
    ) {
        var column = 0
        while column &+ Lanes.scalarCount <= count {
            var row = SingleRow(loading: sums + column)
            if let bias { row.add(SingleRow(loading: bias + column)) }
            if accumulates { row.add(SingleRow(loading: target + column)) }
            if activates { row.applyLeakyReLU(slope: slope) }
            if Kind.isPresent { row.multiply(by: derivative, Kind.self, of: target + column) }
            row.store(to: target + column)
            column &+= Lanes.scalarCount
        }
        while column < count {
            var sum = sums[column]
            if let bias { sum += bias[column] }
            store(sum, to: target + column)
            column &+= 1
        }
    }

    /// Stores one sum, to which its bias has been added.
    @inline(__always) func store(_ sum: Float, to target: UnsafeMutablePointer<Float>) {
        var value = sum
        if accumulates { value += target.pointee }
        if activates && value <= 0 { value = slope == 0 ? 0 : value * slope }
        if derivative.kind != .none { value = derivative.multiply(value, of: target) }
        target.pointee = value
    }
}

/// The epilogue that a problem asks for, its bias still without an address, or the reason why it is not served.
struct RequestedEpilogue {
    var epilogue = Epilogue()
    var hasBias = false
    var refusal: StaticString?

    /// None.
    init() {}

    init(_ problem: UnsafePointer<kanto_problem>) {
        let flags = problem.pointee.flags
        hasBias = flags & UInt32(KANTO_FLAG_BIAS) != 0
        epilogue.accumulates = flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
        if flags & UInt32(KANTO_FLAG_DERIVATIVE) != 0 {
            readDerivative(problem)
            return
        }
        switch Int(problem.pointee.activation) {
        case KANTO_ACTIVATION_NONE: break
        case KANTO_ACTIVATION_RELU: epilogue.activates = true
        case KANTO_ACTIVATION_LEAKY_RELU:
            epilogue.activates = true
            epilogue.slope = Float(problem.pointee.parameter)
        case KANTO_ACTIVATION_TANH: epilogue.curve = .tanh
        case KANTO_ACTIVATION_SIGMOID: epilogue.curve = .sigmoid
        default: refusal = "unknown activation"
        }
    }

    private mutating func readDerivative(_ problem: UnsafePointer<kanto_problem>) {
        if hasBias { refusal = "a bias is not added to what a derivative multiplies" }
        switch Int(problem.pointee.activation) {
        case KANTO_ACTIVATION_NONE: refusal = "a derivative needs the activation it belongs to"
        case KANTO_ACTIVATION_RELU: epilogue.derivative = Derivative(.leakyReLU)
        case KANTO_ACTIVATION_LEAKY_RELU:
            epilogue.derivative = Derivative(.leakyReLU, constant: Float(problem.pointee.parameter))
            // The sign of the output would not be that of the input.
            if !(problem.pointee.parameter >= 0) {
                refusal = "the derivative of a leaky ReLU cannot be told from its output where the slope is negative"
            }
        case KANTO_ACTIVATION_TANH: epilogue.derivative = Derivative(.curve, constant: 1)
        case KANTO_ACTIVATION_SIGMOID: epilogue.derivative = Derivative(.curve, constant: 0)
        default: refusal = "unknown activation"
        }
    }
}

// Under other names, because those of the cases hide them.
@inline(__always) private func hyperbolicTangent(_ a: Lanes) -> Lanes { tanh(a) }
@inline(__always) private func logistic(_ a: Lanes) -> Lanes { sigmoid(a) }
