import KantoABI

// A piece is so many neighbors along the innermost axis that is kept, so that a sum over rows reads whole cache lines.
private let pieceOutputs = 32

func planReduce(_ problem: kanto_problem) throws(Declined) -> Work {
    guard (KANTO_FUNCTION_SUM...KANTO_FUNCTION_MAXIMUM_MAGNITUDE).contains(Int(problem.function)) else {
        throw Declined("unknown reduction \(problem.function)")
    }
    let sums = [KANTO_FUNCTION_SUM, KANTO_FUNCTION_SUM_OF_SQUARES].contains(Int(problem.function))
    guard sums || problem.flags & UInt32(KANTO_FLAG_ACCUMULATE) == 0 else {
        throw Declined("only sums accumulate into their output, not reduction \(problem.function)")
    }
    try check(flagsOf: problem, among: KANTO_FLAG_ACCUMULATE)
    try check(activationOf: problem, allowed: false)
    // Axes that are kept before those that are reduced.
    var axes = try loopNest(problem.iteration)
    axes = axes.filter { $0.outputStride != 0 } + axes.filter { $0.outputStride == 0 }
    let kept = axes.filter { $0.outputStride != 0 }
    let rows = try elementCount(kept.dropLast().map { Int64($0.extent) })
    return Work(
        description: "reduce, scalar",
        pieceCount: rows * pieces(kept.last?.extent ?? 1, of: pieceOutputs),
        body: problem.dtype == KANTO_DTYPE_F64
            ? { reducePiece(Double.self, Piece($0, $1, $2)) } : { reducePiece(Float.self, Piece($0, $1, $2)) },
        scratchBytesPerWorker: pieceOutputs * MemoryLayout<Sum>.stride,
        axes: axes)
}

private func reducePiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    switch Int(piece.problem.pointee.function) {
    case KANTO_FUNCTION_SUM: reduce(T.self, Sum.self, piece)
    case KANTO_FUNCTION_SUM_OF_SQUARES: reduce(T.self, SumOfSquares.self, piece)
    case KANTO_FUNCTION_REDUCE_MAXIMUM: reduce(T.self, Maximum.self, piece)
    case KANTO_FUNCTION_REDUCE_MINIMUM: reduce(T.self, Minimum.self, piece)
    default: reduce(T.self, MaximumMagnitude.self, piece)
    }
}

@inline(__always)
private func reduce<T: Element, R: Reduction>(_ type: T.Type, _ reduction: R.Type, _ piece: Piece) {
    let accumulates = piece.problem.pointee.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
    let keptCount = piece.axes.firstIndex { $0.outputStride == 0 } ?? piece.axes.count
    let kept = piece.axes.prefix(keptCount)
    let reduced = piece.axes.suffix(from: keptCount)
    let none = Axis(extent: 1, outputStride: 0, inputStrides: (0, 0, 0))
    let along = kept.last ?? none
    let inner = reduced.last ?? none

    let (row, block) = piece.index.quotientAndRemainder(dividingBy: pieces(along.extent, of: pieceOutputs))
    let first = block * pieceOutputs
    let count = min(pieceOutputs, along.extent - first)
    let start = Offsets(row, in: kept.dropLast())
    let input = piece.input(0, as: T.self) + start.inputs.0 + first * along.inputStrides.0
    let output = piece.output(0, as: T.self) + start.output + first * along.outputStride
    let results = piece.scratch.assumingMemoryBound(to: R.self)

    results.initialize(repeating: R(), count: count)
    for round in 0..<reduced.dropLast().reduce(1, { $0 * $1.extent }) {
        let values = input + Offsets(round, in: reduced.dropLast()).inputs.0
        for position in 0..<inner.extent {
            let line = values + position * inner.inputStrides.0
            for index in 0..<count { results[index].add(line[index * along.inputStrides.0].wide) }
        }
    }
    for index in 0..<count {
        let old = accumulates ? output[index * along.outputStride].wide : 0
        output[index * along.outputStride] = T(results[index].value + old)
    }
}

private protocol Reduction {
    /// Begins with the identity.
    init()
    mutating func add(_ x: Double)
    var value: Double { get }
}

/// A sum with a running compensation of its rounding errors (Neumaier 1974).
private struct Sum: Reduction {
    private var sum = 0.0
    private var compensation = 0.0

    @inline(__always)
    mutating func add(_ x: Double) {
        let next = sum + x
        compensation += sum.magnitude >= x.magnitude ? (sum - next) + x : (x - next) + sum
        sum = next
    }

    /// The compensation of an infinite sum is NaN.
    var value: Double { sum.isFinite ? sum + compensation : sum }
}

private struct SumOfSquares: Reduction {
    private var sum = Sum()
    @inline(__always) mutating func add(_ x: Double) { sum.add(x * x) }
    var value: Double { sum.value }
}

private struct Maximum: Reduction {
    private(set) var value = -Double.infinity
    @inline(__always) mutating func add(_ x: Double) { value = x > value || x.isNaN ? x : value }
}

private struct Minimum: Reduction {
    private(set) var value = Double.infinity
    @inline(__always) mutating func add(_ x: Double) { value = x < value || x.isNaN ? x : value }
}

private struct MaximumMagnitude: Reduction {
    private(set) var value = 0.0
    @inline(__always) mutating func add(_ x: Double) { value = x.magnitude > value || x.isNaN ? x.magnitude : value }
}
