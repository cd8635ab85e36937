/// Multiply-adds in registers alone, which bounds every kernel: `rounds` times twelve vectors.
///
/// - Returns: a number that depends on all of them, so that none is left out.
@inline(never)
public func multiplyAddRounds(_ rounds: Int) -> Float { addRounds(rounds, Number.self) }

/// The same of pairs of bfloat16, each of which is two multiply-adds. Only where `multipliesPairs`.
@inline(never)
public func pairRounds(_ rounds: Int) -> Float { addRounds(rounds, InstructionPair.self) }

/// Whether this variant has an instruction for pairs of bfloat16, and the processor too.
public func multipliesPairs() -> Bool { hasPairInstruction }

@inline(__always)
private func addRounds<Word: SumWord>(_ rounds: Int, _ word: Word.Type) -> Float {
    // Twelve chains hide the latency of two units and leave registers to spare in every instruction set.
    var c0 = Lanes(repeating: 0.1), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0
    var c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0
    let a = Lanes(repeating: Float(rounds & 1) * 1e-3 + 0.999)
    let b = Lanes(repeating: 1e-20)
    var rest = rounds
    while rest > 0 {
        c0 = Word.addProduct(a, b, to: c0)
        c1 = Word.addProduct(a, b, to: c1)
        c2 = Word.addProduct(a, b, to: c2)
        c3 = Word.addProduct(a, b, to: c3)
        c4 = Word.addProduct(a, b, to: c4)
        c5 = Word.addProduct(a, b, to: c5)
        c6 = Word.addProduct(a, b, to: c6)
        c7 = Word.addProduct(a, b, to: c7)
        c8 = Word.addProduct(a, b, to: c8)
        c9 = Word.addProduct(a, b, to: c9)
        c10 = Word.addProduct(a, b, to: c10)
        c11 = Word.addProduct(a, b, to: c11)
        rest &-= 1
    }
    let total = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7)) + ((c8 + c9) + (c10 + c11))
    var sum: Float = 0
    for lane in 0..<Lanes.scalarCount { sum += total[lane] }
    return sum
}

/// Floating-point operations of one round.
public func multiplyAddRoundOperations() -> Int { 12 * 2 * Lanes.scalarCount }
