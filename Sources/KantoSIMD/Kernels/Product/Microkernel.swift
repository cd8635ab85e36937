import KantoShims

/// How many steps of a walk's innermost loop are taken at once. A loop around each costs four instructions beside the
/// twenty for twelve multiply-adds: nothing on a core of its own, but a tenth of the time where the core's other thread is
/// busy and takes half of the instructions handed out (Zen 3: 86 against 97 GFLOP/s of multiply-adds in registers with as
/// many idle instructions).
private protocol WalkRound {
    /// From one step to the next in A, B being packed; nil where only the walk knows both strides.
    static var strideA: Int? { get }
    /// Whether each round asks for a line of what is read after the tile.
    static var looksAhead: Bool { get }
    /// Rows of a tile: five or six.
    static var rowCount: Int { get }
}

@inline(__always) var stepsPerRound: Int { 4 }

extension WalkRound {
    /// Four need strides that are known when this is compiled.
    @inline(__always) fileprivate static var stepCount: Int { strideA == nil ? 1 : stepsPerRound }
    @inline(__always) fileprivate static var looksAhead: Bool { false }
    @inline(__always) fileprivate static var rowCount: Int { tileRows }
    @inline(__always) fileprivate static var hasSixthRow: Bool { rowCount == tileRows }
}

private enum SingleStep: WalkRound {
    @inline(__always) static var strideA: Int? { nil }
    @inline(__always) static var looksAhead: Bool { true }
}

/// A's rows as they stand.
private enum ContiguousRound: WalkRound {
    @inline(__always) static var strideA: Int? { 1 }
}

/// A packed as [steps, 6].
private enum PackedRound: WalkRound {
    @inline(__always) static var strideA: Int? { tileRows }
    @inline(__always) static var looksAhead: Bool { true }
}

/// A packed as [steps, a vector], several of them for the rows of a tile.
private enum VectorRound: WalkRound {
    @inline(__always) static var strideA: Int? { Lanes.scalarCount }
    @inline(__always) static var looksAhead: Bool { true }
}

/// As `PackedRound`, for tiles of at most five rows.
private enum PackedRoundOfFive: WalkRound {
    @inline(__always) static var strideA: Int? { tileRows }
    @inline(__always) static var looksAhead: Bool { true }
    @inline(__always) static var rowCount: Int { tileRows &- 1 }
}

extension Six<Int> {
    @inline(__always) fileprivate init(_ numbers: UnsafePointer<Int>) {
        self.init(e0: numbers[0], e1: numbers[1], e2: numbers[2], e3: numbers[3], e4: numbers[4], e5: numbers[5])
    }
}

extension Six<UnsafeMutablePointer<Float>> {
    @inline(__always) fileprivate init(_ base: UnsafeMutablePointer<Float>, _ offsets: UnsafePointer<Int>) {
        self.init(
            e0: base + offsets[0], e1: base + offsets[1], e2: base + offsets[2], e3: base + offsets[3],
            e4: base + offsets[4], e5: base + offsets[5])
    }
}

/// Sums tiles. The only function in which a product of tiles spends its time; a test sees to it that it makes no call.
/// All tiles that a panel meets are summed in one call, which spares a tile the way in and out. At the border it is one, and
/// its sums go to where `finishBorder` finds them.
@inline(never)
private func sumTiles<Row: VectorRow, Round: WalkRound, Word: SumWord>(
    _ task: UnsafeMutablePointer<TileTask>, _ row: Row.Type, _ round: Round.Type, _ word: Word.Type
) {
    // Read once: what a tile stores might be the task, as far as the compiler knows.
    let (walk, a, panel) = (task.pointee.walk, task.pointee.a, task.pointee.panel)
    var lookahead = task.pointee.lookahead
    var offsetsA = task.pointee.offsetsA
    var offsetsC = task.pointee.offsetsC
    var asked = TargetsAhead(task, rowCount: Round.rowCount)
    var remaining = task.pointee.tileCount
    repeat {
        if Round.strideA == nil { lookahead = task.pointee.lookahead }
        prefetchTargets(task, Six(asked.c, asked.offsets), width: Row.width)
        asked.advance(task, rowCount: Round.rowCount)
        var tile = sum(walk, a, panel, Six(offsetsA), &lookahead, Row.self, Round.self, Word.self)
        if task.pointee.isAtBorder {
            tile.store(to: task.pointee.borderSums)
        } else {
            tile.finish(task.pointee.epilogue, Six(task.pointee.c, offsetsC), hasSixthRow: Round.hasSixthRow)
        }
        offsetsA += tileRows
        offsetsC += Round.rowCount
        remaining &-= 1
    } while remaining != 0
    if Round.strideA != nil { task.pointee.lookahead = lookahead }
}

/// The targets that tiles ask for in turn: those of tiles below, then those that follow.
private struct TargetsAhead {
    var c: UnsafeMutablePointer<Float>
    var offsets: UnsafePointer<Int>
    private var remaining: Int

    @inline(__always) init(_ task: UnsafePointer<TileTask>, rowCount: Int) {
        remaining = task.pointee.tileCount &- task.pointee.tilesAhead
        if remaining > 0 {
            c = task.pointee.c
            offsets = task.pointee.offsetsC + task.pointee.tilesAhead &* rowCount
        } else {
            c = task.pointee.nextC
            offsets = task.pointee.nextOffsetsC + (0 &- remaining) &* rowCount
        }
    }

    @inline(__always) mutating func advance(_ task: UnsafePointer<TileTask>, rowCount: Int) {
        offsets += rowCount
        remaining &-= 1
        if remaining == 0 {
            c = task.pointee.nextC
            offsets = task.pointee.nextOffsetsC
        }
    }
}

/// The six rows are named again and again because a closure for all of them is called, not inlined.
extension Six where Element: VectorRow {
    @inline(__always) fileprivate func store(to target: UnsafeMutablePointer<Float>) {
        e0.store(to: target)
        e1.store(to: target + Element.width)
        e2.store(to: target + 2 &* Element.width)
        e3.store(to: target + 3 &* Element.width)
        e4.store(to: target + 4 &* Element.width)
        e5.store(to: target + 5 &* Element.width)
    }

    @inline(__always)
    fileprivate mutating func finish(
        _ epilogue: Epilogue, _ targets: Six<UnsafeMutablePointer<Float>>, hasSixthRow: Bool
    ) {
        if let address = epilogue.bias {
            let bias = Element(loading: address)
            e0.add(bias)
            e1.add(bias)
            e2.add(bias)
            e3.add(bias)
            e4.add(bias)
            e5.add(bias)
        }
        if epilogue.accumulates {
            e0.add(Element(loading: targets.e0))
            e1.add(Element(loading: targets.e1))
            e2.add(Element(loading: targets.e2))
            e3.add(Element(loading: targets.e3))
            e4.add(Element(loading: targets.e4))
            if hasSixthRow { e5.add(Element(loading: targets.e5)) }
        }
        if epilogue.activates {
            e0.applyLeakyReLU(slope: epilogue.slope)
            e1.applyLeakyReLU(slope: epilogue.slope)
            e2.applyLeakyReLU(slope: epilogue.slope)
            e3.applyLeakyReLU(slope: epilogue.slope)
            e4.applyLeakyReLU(slope: epilogue.slope)
            e5.applyLeakyReLU(slope: epilogue.slope)
        }
        switch epilogue.derivative.kind {
        case .none: break
        case .leakyReLU: multiply(by: epilogue.derivative, LeakyReLUDerivative.self, targets, hasSixthRow: hasSixthRow)
        case .curve: multiply(by: epilogue.derivative, CurveDerivative.self, targets, hasSixthRow: hasSixthRow)
        }
        if Element.fillsCacheLines && epilogue.storesPastCaches {
            e0.store(pastCachesTo: targets.e0)
            e1.store(pastCachesTo: targets.e1)
            e2.store(pastCachesTo: targets.e2)
            e3.store(pastCachesTo: targets.e3)
            e4.store(pastCachesTo: targets.e4)
            if hasSixthRow { e5.store(pastCachesTo: targets.e5) }
            return
        }
        e0.store(to: targets.e0)
        e1.store(to: targets.e1)
        e2.store(to: targets.e2)
        e3.store(to: targets.e3)
        e4.store(to: targets.e4)
        if hasSixthRow { e5.store(to: targets.e5) }
    }

    @inline(__always)
    private mutating func multiply<Kind: DerivativeKind>(
        by derivative: Derivative, _ kind: Kind.Type, _ targets: Six<UnsafeMutablePointer<Float>>, hasSixthRow: Bool
    ) {
        e0.multiply(by: derivative, Kind.self, of: targets.e0)
        e1.multiply(by: derivative, Kind.self, of: targets.e1)
        e2.multiply(by: derivative, Kind.self, of: targets.e2)
        e3.multiply(by: derivative, Kind.self, of: targets.e3)
        e4.multiply(by: derivative, Kind.self, of: targets.e4)
        if hasSixthRow { e5.multiply(by: derivative, Kind.self, of: targets.e5) }
    }
}

/// Asks for the lines that the sums will be stored to, and for what their derivative is taken from. Otherwise the stores
/// of one tile, which miss the caches, fill the store buffer and hold up the next (512 by 512 by 512 on AVX2: a tenth of
/// the time).
@inline(__always)
private func prefetchTargets(
    _ task: UnsafePointer<TileTask>, _ targets: Six<UnsafeMutablePointer<Float>>, width: Int
) {
    if !task.pointee.epilogue.storesPastCaches { targets.forEach { prefetchLinesForWriting($0, count: width) } }
    let derivative = task.pointee.epilogue.derivative
    if derivative.kind != .none { targets.forEach { prefetchLines(derivative.saved(of: $0), count: width) } }
}

/// The loops test at their end, so that each accumulator is one value throughout: with a test in front the compiler
/// keeps copies for the loops that might not run, and spills.
@inline(__always)
private func sum<Row: VectorRow, Round: WalkRound, Word: SumWord>(
    _ walk: Walk, _ a: UnsafePointer<Float>, _ panel: UnsafePointer<Float>, _ rows: Six<Int>, _ lookahead: inout Lookahead,
    _ row: Row.Type, _ round: Round.Type, _ word: Word.Type
) -> Tile<Row> {
    var tile = Tile<Row>(e0: Row(), e1: Row(), e2: Row(), e3: Row(), e4: Row(), e5: Row())
    if walk.isEmpty { return tile }
    let strideA = Round.strideA ?? walk.innerStrideA
    let strideB = Round.strideA == nil ? walk.innerStrideB : Row.width
    // From the end of one loop to the next round of the one around it, so that nothing else need be kept meanwhile.
    let middleSkipA = walk.middleStrideA &- walk.innerCount &* strideA
    let middleSkipB = walk.middleStrideB &- walk.innerCount &* strideB
    let outerSkipA = walk.outerStrideA &- walk.middleCount &* walk.middleStrideA
    let outerSkipB = walk.outerStrideB &- walk.middleCount &* walk.middleStrideB
    var a = a
    var b = panel
    var outer = walk.outerCount
    repeat {
        var middle = walk.middleCount
        repeat {
            var rounds = walk.innerCount / Round.stepCount
            repeat {
                if Round.looksAhead {
                    kanto_prefetch(lookahead.address)
                    lookahead.address += lookahead.stride
                }
                tile.addProducts(rows, a, Row(loading: b), Round.self, Word.self)
                if Round.stepCount == 4 {
                    tile.addProducts(rows, a + strideA, Row(loading: b + strideB), Round.self, Word.self)
                    tile.addProducts(rows, a + 2 &* strideA, Row(loading: b + 2 &* strideB), Round.self, Word.self)
                    tile.addProducts(rows, a + 3 &* strideA, Row(loading: b + 3 &* strideB), Round.self, Word.self)
                }
                a += Round.stepCount &* strideA
                b += Round.stepCount &* strideB
                rounds &-= 1
            } while rounds != 0
            // No loop, which would need registers that hold the rows' addresses.
            if Round.stepCount == 4 && walk.innerCount & 2 != 0 {
                tile.addProducts(rows, a, Row(loading: b), Round.self, Word.self)
                tile.addProducts(rows, a + strideA, Row(loading: b + strideB), Round.self, Word.self)
                a += 2 &* strideA
                b += 2 &* strideB
            }
            if Round.stepCount == 4 && walk.innerCount & 1 != 0 {
                tile.addProducts(rows, a, Row(loading: b), Round.self, Word.self)
                a += strideA
                b += strideB
            }
            a += middleSkipA
            b += middleSkipB
            middle &-= 1
        } while middle != 0
        a += outerSkipA
        b += outerSkipB
        outer &-= 1
    } while outer != 0
    return tile
}

extension Six where Element: VectorRow {
    /// Adds the word of each row, counted from `a`, times the columns.
    @inline(__always)
    fileprivate mutating func addProducts<Round: WalkRound, Word: SumWord>(
        _ rows: Six<Int>, _ a: UnsafePointer<Float>, _ columns: Element, _ round: Round.Type, _ word: Word.Type
    ) {
        e0.addProduct(a[rows.e0], columns, Word.self)
        e1.addProduct(a[rows.e1], columns, Word.self)
        e2.addProduct(a[rows.e2], columns, Word.self)
        e3.addProduct(a[rows.e3], columns, Word.self)
        e4.addProduct(a[rows.e4], columns, Word.self)
        if Round.hasSixthRow { e5.addProduct(a[rows.e5], columns, Word.self) }
    }
}

/// Computes tiles of one to four vectors and stores what is valid of them.
func computeTiles(_ task: UnsafeMutablePointer<TileTask>, vectorCount: Int) {
    let width = vectorCount &* Lanes.scalarCount
    let (rowCount, rowsPerTile) = (task.pointee.rowCount, task.pointee.rowsPerTile)
    let offsetsC = task.pointee.offsetsC
    let round = RoundKind(task.pointee, width: width)
    let isWhole = task.pointee.columnCount == width && rowsPerTile == round.rowCount
    // Without the instruction sums flush subnormal numbers, which an epilogue must not: it comes later, as at the border.
    let fullTiles = isWhole && task.pointee.words != .plainPairs ? rowCount / rowsPerTile : 0
    if fullTiles > 0 { sumTiles(task, round, count: fullTiles, isAtBorder: false, vectorCount) }
    var row = fullTiles &* rowsPerTile
    task.pointee.tilesAhead = 0
    while row < rowCount {
        sumTiles(task, round, count: 1, isAtBorder: true, vectorCount)
        finishBorder(task, offsetsC + row, rows: min(rowsPerTile, rowCount &- row), width: width)
        row &+= rowsPerTile
    }
    if task.pointee.epilogue.curve != .none {
        for row in 0..<rowCount {
            task.pointee.epilogue.curve.apply(to: task.pointee.c + offsetsC[row], count: task.pointee.columnCount)
        }
    }
}

/// The rounds that serve a task.
private enum RoundKind {
    case singleStep, contiguous, packed, packedOfFive, vectors

    @inline(__always) init(_ task: TileTask, width: Int) {
        let isPacked =
            task.walk.innerCount >= stepsPerRound && task.walk.innerStrideB == width && task.words != .plainPairs
        if isPacked && task.walk.innerStrideA == ContiguousRound.strideA {
            self = .contiguous
        } else if isPacked && task.walk.innerStrideA == PackedRound.strideA {
            self = task.rowsPerTile == tileRows ? .packed : .packedOfFive
        } else if isPacked && task.walk.innerStrideA == VectorRound.strideA && width == WidestRow.width && task.words == .numbers
        {
            // For full panels of numbers only: each width of each round takes seconds to compile.
            self = .vectors
        } else {
            self = .singleStep
        }
    }

    @inline(__always) var rowCount: Int { self == .packedOfFive ? PackedRoundOfFive.rowCount : tileRows }
}

/// Sums the next tiles of a task.
@inline(__always)
private func sumTiles(
    _ task: UnsafeMutablePointer<TileTask>, _ round: RoundKind, count: Int, isAtBorder: Bool, _ vectorCount: Int
) {
    task.pointee.tileCount = count
    task.pointee.isAtBorder = isAtBorder
    switch task.pointee.words {
    case .numbers: sumTiles(task, round, vectorCount, Number.self)
    case .pairs: sumTiles(task, round, vectorCount, InstructionPair.self)
    case .plainPairs:
        let mode = kanto_flush_subnormals()
        sumTiles(task, vectorCount, SingleStep.self, PlainPair.self)
        kanto_restore_subnormals(mode)
    }
    task.pointee.offsetsA += count &* tileRows
    task.pointee.offsetsC += count &* task.pointee.rowsPerTile
}

@inline(__always)
private func sumTiles<Word: SumWord>(
    _ task: UnsafeMutablePointer<TileTask>, _ round: RoundKind, _ vectorCount: Int, _ word: Word.Type
) {
    switch round {
    case .singleStep: sumTiles(task, vectorCount, SingleStep.self, Word.self)
    case .contiguous: sumTiles(task, vectorCount, ContiguousRound.self, Word.self)
    case .packed: sumTiles(task, vectorCount, PackedRound.self, Word.self)
    case .packedOfFive: sumTiles(task, vectorCount, PackedRoundOfFive.self, Word.self)
    case .vectors: sumTiles(task, WidestRow.self, VectorRound.self, Number.self)
    }
}

@inline(__always)
private func sumTiles<Round: WalkRound, Word: SumWord>(
    _ task: UnsafeMutablePointer<TileTask>, _ vectorCount: Int, _ round: Round.Type, _ word: Word.Type
) {
    typealias Pair = RowPair<SingleRow, SingleRow>
    if vectorCount == WidestRow.vectorCount {
        sumTiles(task, WidestRow.self, Round.self, Word.self)
    } else if vectorCount == 1 {
        sumTiles(task, SingleRow.self, Round.self, Word.self)
    } else if WidestRow.vectorCount > 2 {
        if vectorCount == 2 {
            sumTiles(task, Pair.self, Round.self, Word.self)
        } else {
            sumTiles(task, RowPair<Pair, SingleRow>.self, Round.self, Word.self)
        }
    }
}

@inline(never)
private func finishBorder(_ task: UnsafePointer<TileTask>, _ offsetsC: UnsafePointer<Int>, rows: Int, width: Int) {
    for row in 0..<rows {
        task.pointee.epilogue.store(
            task.pointee.borderSums + row &* width, count: task.pointee.columnCount, to: task.pointee.c + offsetsC[row])
    }
}
