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

/// What happens to a finished sum before it is stored: act(sum + bias + old).
struct Epilogue {
    /// The bias of the tile's first column, or nil.
    var bias: UnsafePointer<Float>?
    var accumulates = false
    var activates = false
    /// Of the leaky ReLU; 0 is the ReLU.
    var slope: Float = 0
    var curve = Curve.none

    /// Stores the first `count` of a row's sums: whole vectors, then single numbers.
    func store(_ sums: UnsafePointer<Float>, count: Int, to target: UnsafeMutablePointer<Float>) {
        var column = 0
        while column &+ Lanes.scalarCount <= count {
            var row = SingleRow(loading: sums + column)
            if let bias { row.add(SingleRow(loading: bias + column)) }
            if accumulates { row.add(SingleRow(loading: target + column)) }
            if activates { row.applyLeakyReLU(slope: slope) }
            row.store(to: target + column)
            column &+= Lanes.scalarCount
        }
        while column < count {
            var value = sums[column]
            if let bias { value += bias[column] }
            if accumulates { value += target[column] }
            if activates && value <= 0 { value = slope == 0 ? 0 : value * slope }
            target[column] = value
            column &+= 1
        }
    }
}

/// The epilogue that a problem asks for, its bias still without an address, or the reason why it is not served.
struct RequestedEpilogue {
    var epilogue = Epilogue()
    var hasBias = false
    var refusal: StaticString?

    init(_ problem: UnsafePointer<kanto_problem>) {
        let flags = problem.pointee.flags
        hasBias = flags & UInt32(KANTO_FLAG_BIAS) != 0
        epilogue.accumulates = flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
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
}

// Under other names, because those of the cases hide them.
@inline(__always) private func hyperbolicTangent(_ a: Lanes) -> Lanes { tanh(a) }
@inline(__always) private func logistic(_ a: Lanes) -> Lanes { sigmoid(a) }
