import KantoABI

// A piece is so many neighbors along the innermost axis that is kept, so that a sum over rows reads whole cache lines.
private let pieceOutputs = 32

func planReduce(_ problem: kanto_problem) throws(Declined) -> Work {
    let isSum = try function(of: problem).traits & UInt32(KANTO_TRAIT_SUM) != 0
    guard isSum || problem.flags & UInt32(KANTO_FLAG_ACCUMULATE) == 0 else {
        throw Declined("only sums accumulate into their output, not reduction \(problem.function)")
    }
    try check(flagsOf: problem, among: KANTO_FLAG_ACCUMULATE)
    return try planReduction(
        problem, "reduce, scalar",
        problem.dtype == KANTO_DTYPE_F64
            ? { reducePiece(Double.self, Piece($0, $1, $2)) } : { reducePiece(Float.self, Piece($0, $1, $2)) })
}

func planStatistics(_ problem: kanto_problem) throws(Declined) -> Work {
    guard problem.function == 0 else { throw Declined("statistics have no function, but \(problem.function) is asked for") }
    try check(flagsOf: problem, among: 0)
    return try planReduction(
        problem, "statistics, scalar",
        problem.dtype == KANTO_DTYPE_F64
            ? { statisticsPiece(Double.self, Piece($0, $1, $2)) } : { statisticsPiece(Float.self, Piece($0, $1, $2)) })
}

private func planReduction(
    _ problem: kanto_problem, _ description: StaticString, _ body: kanto_body
) throws(Declined) -> Work {
    try check(activationOf: problem, allowed: false)
    // Axes that are kept before those that are reduced.
    var axes = try loopNest(problem.iteration)
    axes = axes.filter { $0.outputStride != 0 } + axes.filter { $0.outputStride == 0 }
    let kept = axes.filter { $0.outputStride != 0 }
    let rows = try elementCount(kept.dropLast().map { Int64($0.extent) })
    return Work(
        description: description,
        pieceCount: rows * pieces(kept.last?.extent ?? 1, of: pieceOutputs),
        body: body,
        scratchBytesPerWorker: pieceOutputs * 2 * MemoryLayout<Sum>.stride,
        axes: axes)
}

private func reducePiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    switch Int(piece.problem.pointee.function) {
    case KANTO_FUNCTION_SUM: reduce(T.self, Sum.self, piece)
    case KANTO_FUNCTION_SUM_OF_SQUARES: reduce(T.self, SumOfSquares.self, piece)
    case KANTO_FUNCTION_REDUCE_MAXIMUM: reduce(T.self, Maximum.self, piece)
    case KANTO_FUNCTION_REDUCE_MINIMUM: reduce(T.self, Minimum.self, piece)
    case KANTO_FUNCTION_SUM_OF_PRODUCTS:
        let (a, b) = (piece.input(0, as: T.self), piece.input(1, as: T.self))
        reduce(T.self, Sum.self, piece) { a[$0].wide * b[$1].wide }
    default: reduce(T.self, MaximumMagnitude.self, piece)
    }
}

@inline(__always)
private func reduce<T: Element, R: Reduction>(_ type: T.Type, _ reduction: R.Type, _ piece: Piece) {
    let a = piece.input(0, as: T.self)
    reduce(T.self, R.self, piece) { first, _ in a[first].wide }
}

@inline(__always)
private func reduce<T: Element, R: Reduction>(
    _ type: T.Type, _ reduction: R.Type, _ piece: Piece, _ term: (_ first: Int, _ second: Int) -> Double
) {
    let accumulates = piece.problem.pointee.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
    let output = piece.output(0, as: T.self)
    let neighbors = Neighbors(piece)
    let results = piece.scratch.assumingMemoryBound(to: R.self)
    results.initialize(repeating: R(), count: neighbors.count)
    neighbors.forEachElement { index, first, second in results[index].add(term(first, second)) }
    for index in 0..<neighbors.count {
        let place = neighbors.output(index)
        output[place] = T(results[index].value + (accumulates ? output[place].wide : 0))
    }
}

/// Means in a first pass, mean squared deviations from them in a second one.
private func statisticsPiece<T: Element>(_ type: T.Type, _ piece: Piece) {
    let a = piece.input(0, as: T.self)
    let mean = piece.output(0, as: T.self)
    let variance = piece.output(1, as: T.self)
    let neighbors = Neighbors(piece)
    let reducedCount = max(1, Double(neighbors.reducedCount))
    let sums = piece.scratch.assumingMemoryBound(to: Sum.self)
    let squares = sums + pieceOutputs
    sums.initialize(repeating: Sum(), count: neighbors.count)
    squares.initialize(repeating: Sum(), count: neighbors.count)
    neighbors.forEachElement { index, first, _ in sums[index].add(a[first].wide) }
    neighbors.forEachElement { index, first, _ in
        let deviation = a[first].wide - sums[index].value / reducedCount
        squares[index].add(deviation * deviation)
    }
    for index in 0..<neighbors.count {
        let place = neighbors.output(index)
        mean[place] = T(sums[index].value / reducedCount)
        variance[place] = T(squares[index].value / reducedCount)
    }
}

/// The outputs of a piece, neighbors along the innermost axis that is kept, and the elements that are reduced to each.
private struct Neighbors {
    let count: Int
    private let along, inner: Axis
    private let start: Offsets
    private let first: Int
    private let outer: Slice<UnsafeBufferPointer<Axis>>

    init(_ piece: Piece) {
        let keptCount = piece.axes.firstIndex { $0.outputStride == 0 } ?? piece.axes.count
        let kept = piece.axes.prefix(keptCount)
        let reduced = piece.axes.suffix(from: keptCount)
        let none = Axis(extent: 1, outputStride: 0, inputStrides: (0, 0, 0))
        along = kept.last ?? none
        inner = reduced.last ?? none
        outer = reduced.dropLast()
        let (row, block) = piece.index.quotientAndRemainder(dividingBy: pieces(along.extent, of: pieceOutputs))
        first = block * pieceOutputs
        count = min(pieceOutputs, along.extent - first)
        start = Offsets(row, in: kept.dropLast())
    }

    var reducedCount: Int { outer.reduce(inner.extent) { $0 * $1.extent } }

    /// Where an output lies.
    func output(_ index: Int) -> Int { start.output + (first + index) * along.outputStride }

    /// Calls the body with each element that is reduced: which neighbor it belongs to, and where it lies in the inputs.
    @inline(__always)
    func forEachElement(_ body: (_ index: Int, _ first: Int, _ second: Int) -> Void) {
        for round in 0..<outer.reduce(1, { $0 * $1.extent }) {
            let offsets = Offsets(round, in: outer)
            for position in 0..<inner.extent {
                let a = start.inputs.0 + offsets.inputs.0 + first * along.inputStrides.0 + position * inner.inputStrides.0
                let b = start.inputs.1 + offsets.inputs.1 + first * along.inputStrides.1 + position * inner.inputStrides.1
                for index in 0..<count { body(index, a + index * along.inputStrides.0, b + index * along.inputStrides.1) }
            }
        }
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
