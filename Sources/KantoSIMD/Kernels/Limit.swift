/// Multiply-adds in registers alone, which bounds every kernel: `rounds` times twelve vectors.
///
/// - Returns: a number that depends on all of them, so that none is left out.
@inline(never)
public func multiplyAddRounds(_ rounds: Int) -> Float {
    // Twelve chains hide the latency of two units and leave registers to spare in every instruction set.
    var c0 = Lanes(repeating: 0.1), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0
    var c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0
    let a = Lanes(repeating: Float(rounds & 1) * 1e-3 + 0.999)
    let b = Lanes(repeating: 1e-3)
    var rest = rounds
    while rest > 0 {
        c0 = multiplyAdd(c0, a, b)
        c1 = multiplyAdd(c1, a, b)
        c2 = multiplyAdd(c2, a, b)
        c3 = multiplyAdd(c3, a, b)
        c4 = multiplyAdd(c4, a, b)
        c5 = multiplyAdd(c5, a, b)
        c6 = multiplyAdd(c6, a, b)
        c7 = multiplyAdd(c7, a, b)
        c8 = multiplyAdd(c8, a, b)
        c9 = multiplyAdd(c9, a, b)
        c10 = multiplyAdd(c10, a, b)
        c11 = multiplyAdd(c11, a, b)
        rest &-= 1
    }
    let total = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7)) + ((c8 + c9) + (c10 + c11))
    var sum: Float = 0
    for lane in 0..<Lanes.scalarCount { sum += total[lane] }
    return sum
}

/// Floating-point operations of one round.
public func multiplyAddRoundOperations() -> Int { 12 * 2 * Lanes.scalarCount }
