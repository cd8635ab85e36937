import KantoABI
import KantoShims

/// What one step of a sum reads of each operand, in the 32 bits of a float: a number, or a pair of numbers that were rounded to
/// bfloat16, the first in the high half. Walks, panels and tiles count words, so that one code serves both.
///
/// Sums of pairs are those of numbers: first · first is added before second · second, each sum rounded to float32.
protocol SumWord {
    /// sum + a · b.
    static func addProduct(_ a: Lanes, _ b: Lanes, to sum: Lanes) -> Lanes
}

enum Number: SumWord {
    @inline(__always) static func addProduct(_ a: Lanes, _ b: Lanes, to sum: Lanes) -> Lanes { multiplyAdd(a, b, sum) }
}

/// The same bits as by the instruction for pairs, if subnormal numbers are flushed.
enum PlainPair: SumWord {
    @inline(__always) static func addProduct(_ a: Lanes, _ b: Lanes, to sum: Lanes) -> Lanes {
        let first = multiplyAdd(kanto_pairs_first(a), kanto_pairs_first(b), sum)
        return multiplyAdd(kanto_pairs_second(a), kanto_pairs_second(b), first)
    }
}

/// The words that a product is summed of.
enum SumWords {
    case numbers
    /// By the instruction for pairs (`InstructionPair`).
    case pairs
    /// Without it.
    case plainPairs

    /// Those of a product that is made for a problem: pairs, by what the processor has, if its precision is that of bfloat16. Then
    /// the problem is one of words (see `makeProductOfPairs`).
    init(of problem: UnsafePointer<kanto_problem>) {
        let arePairs = problem.pointee.precision == UInt32(KANTO_PRECISION_BFLOAT16)
        self = !arePairs ? .numbers : hasPairInstruction ? .pairs : .plainPairs
    }
}
