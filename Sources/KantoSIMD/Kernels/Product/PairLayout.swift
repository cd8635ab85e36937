import KantoABI
import KantoShims

/// How numbers of an operand are paired. The words lie without gaps in the order of the numbers.
struct PairLayout {
    /// Whether the two numbers of a pair stand side by side, in one row, or one below the other.
    private var areNeighbors: Bool
    private var matrixCount: Int
    private var matrixStride: Int
    /// Of each matrix.
    private var rowCount: Int
    private var rowStride: Int
    private var width: Int

    typealias Rows = (matrices: Int, matrixStride: Int, rows: Int, rowStride: Int)

    /// Neighbors in rows of `count` numbers.
    static func columns(rows: Rows, count: Int) -> PairLayout {
        PairLayout(areNeighbors: true, rows, width: count)
    }

    /// Neighbors in so many groups of each of `positions` that stand side by side.
    static func columns(groups: Int, of positions: Int, count: Int) -> PairLayout {
        let numbers = groups &* positions &* count
        // Each alone, as a row that has none below it.
        if count == 1 { return rows((1, 0, 1, 0), width: numbers) }
        // Where no pair lacks its second number all are one row, cut for the threads.
        let length = count % 2 == 0 ? greatestRow(numbers, multipleOf: max(count, 1)) : count
        return columns(rows: (1, 0, length == 0 ? 0 : numbers / length, length), count: length)
    }

    /// Numbers below each other, in matrices whose rows have `width`.
    static func rows(_ rows: Rows, width: Int) -> PairLayout {
        PairLayout(areNeighbors: false, rows, width: width)
    }

    private init(areNeighbors: Bool, _ rows: Rows, width: Int) {
        self.areNeighbors = areNeighbors
        (matrixCount, matrixStride, rowCount, rowStride) = rows
        self.width = width
    }

    /// A row of at most a piece's numbers by which `numbers` can be divided.
    private static func greatestRow(_ numbers: Int, multipleOf count: Int) -> Int {
        var length = count
        while length &* 2 <= numbersPerPiece && numbers % (length &* 2) == 0 { length &*= 2 }
        return length
    }

    /// Words in a row of words, and rows of words in a matrix.
    private var wordsPerRow: Int { areNeighbors ? pairs(width) : width }
    private var rowsOfWords: Int { areNeighbors ? rowCount : pairs(rowCount) }
    var wordCount: Int { max(matrixCount, 0) &* rowsOfWords &* wordsPerRow }

    /// Parts of a row that a piece of work takes, at least one, and how many rows of one part.
    private var wordsPerPart: Int { min(wordsPerRow, numbersPerPiece) }
    private var partsPerRow: Int { roundUp(wordsPerRow, to: wordsPerPart) / wordsPerPart }
    private var rowsPerPiece: Int { max(1, numbersPerPiece / wordsPerPart) }
    private var allRows: Int { matrixCount &* rowsOfWords }
}

/// Large enough to be worth handing out, small enough for a first-level cache.
private var numbersPerPiece: Int { 4096 }

/// Pairs of so many numbers; the last one may lack its second.
@inline(__always) func pairs(_ count: Int) -> Int { (count &+ 1) / 2 }

private struct PairJob {
    var layout: PairLayout
    var source: UnsafePointer<Float>
    var target: UnsafeMutablePointer<Float>
}

extension PairLayout {
    /// Rounds all numbers and stores the words.
    func round(_ source: UnsafePointer<Float>?, into target: UnsafeMutablePointer<Float>, _ host: UnsafePointer<kanto_host>) {
        guard wordCount > 0, let source else { return }
        var job = PairJob(layout: self, source: source, target: target)
        let pieces = partsPerRow &* (roundUp(allRows, to: rowsPerPiece) / rowsPerPiece)
        parallelFor(host, count: pieces, &job) { context, index, _ in
            let job = context!.assumingMemoryBound(to: PairJob.self)
            job.pointee.layout.roundPiece(Int(index), job.pointee.source, job.pointee.target)
        }
    }

    private func roundPiece(_ index: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
        let parts = partsPerRow
        let part = index % parts
        let words = part &* wordsPerPart..<min((part &+ 1) &* wordsPerPart, wordsPerRow)
        let first = index / parts &* rowsPerPiece
        // No division for each row: one of three channels is two words.
        var matrix = first / rowsOfWords
        var row = first &- matrix &* rowsOfWords
        var place = target + (first &* wordsPerRow &+ words.lowerBound)
        for _ in first..<min(first &+ rowsPerPiece, allRows) {
            let start = source + matrix &* matrixStride
            let words = place..<(place + words.count)
            if areNeighbors {
                pairNeighbors(
                    start + (row &* rowStride &+ 2 &* part &* wordsPerPart), width &- 2 &* part &* wordsPerPart, words)
            } else {
                let upper = start + (2 &* row &* rowStride &+ part &* wordsPerPart)
                pairRows(upper, 2 &* row &+ 1 < rowCount ? upper + rowStride : nil, words)
            }
            place += wordsPerRow
            row &+= 1
            if row == rowsOfWords { (row, matrix) = (0, matrix &+ 1) }
        }
    }

    private typealias Words = Range<UnsafeMutablePointer<Float>>

    /// Pairs of numbers that stand side by side, of which `count` are left.
    @inline(__always) private func pairNeighbors(_ source: UnsafePointer<Float>, _ count: Int, _ words: Words) {
        var (source, target, left) = (source, words.lowerBound, min(count, 2 &* (words.upperBound - words.lowerBound)))
        while left >= 2 &* Lanes.scalarCount {
            storeLanes(kanto_pairs_of_neighbors(loadLanes(source), loadLanes(source + Lanes.scalarCount)), to: target)
            source += 2 &* Lanes.scalarCount
            target += Lanes.scalarCount
            left &-= 2 &* Lanes.scalarCount
        }
        while left > 0 {
            target.pointee = kanto_pair(source, 1, Int64(left))
            source += 2
            target += 1
            left &-= 2
        }
    }

    /// Pairs of numbers of two rows; nil for zeros.
    @inline(__always) private func pairRows(_ upper: UnsafePointer<Float>, _ lower: UnsafePointer<Float>?, _ words: Words) {
        let count = words.upperBound - words.lowerBound
        let target = words.lowerBound
        var column = 0
        while column &+ Lanes.scalarCount <= count {
            let second = lower.map { loadLanes($0 + column) } ?? Lanes()
            storeLanes(kanto_pairs_of(loadLanes(upper + column), second), to: target + column)
            column &+= Lanes.scalarCount
        }
        while column < count {
            target[column] = kanto_pair(upper + column, Int64(lower.map { $0 - upper } ?? 0), lower == nil ? 1 : 2)
            column &+= 1
        }
    }
}
