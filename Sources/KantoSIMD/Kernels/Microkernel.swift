import KantoShims

/// The inner dimension of a product as a nest of three loops: at each step one number of each row of A meets one row
/// of B. Strides count elements.
///
/// A plain product needs one loop; a convolution walks kernel rows, kernel columns and channels. Nothing is unfolded,
/// and no table of pointers is kept.
struct Walk {
    var outerCount = 1
    var middleCount = 1
    var innerCount = 0
    var outerStrideA = 0
    var middleStrideA = 0
    var innerStrideA = 1
    var outerStrideB = 0
    var middleStrideB = 0
    var innerStrideB = 0

    @inline(__always) var stepCount: Int { outerCount &* middleCount &* innerCount }
    @inline(__always) var isEmpty: Bool { outerCount <= 0 || middleCount <= 0 || innerCount <= 0 }
}

/// How many steps of a walk's innermost loop are taken at once. A loop around each costs four instructions beside the
/// twenty for twelve multiply-adds: nothing on a core of its own, but a tenth of the time where the core's other thread is
/// busy and takes half of the instructions handed out (Zen 3: 86 against 97 GFLOP/s of multiply-adds in registers with as
/// many idle instructions).
private protocol WalkRound {
    /// From one step to the next in A, B being packed; nil where only the walk knows both strides.
    static var strideA: Int? { get }
    /// Whether each round asks for a line of what is read after the tile.
    static var looksAhead: Bool { get }
}

@inline(__always) var stepsPerRound: Int { 4 }

extension WalkRound {
    /// Four need strides that are known when this is compiled.
    @inline(__always) fileprivate static var stepCount: Int { strideA == nil ? 1 : stepsPerRound }
    @inline(__always) fileprivate static var looksAhead: Bool { false }
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

/// What is read after a tile, line by line.
struct Lookahead {
    var address: UnsafePointer<Float>
    /// From one line to the next; 0 where nothing need be asked for.
    var stride = 0
}

/// One tile of a product: where its rows begin and where its sums go.
struct TileTask {
    var a: UnsafePointer<Float>
    /// Of the six rows, from `a`. Rows past the end repeat the last one.
    var offsetsA: UnsafePointer<Int>
    var c: UnsafeMutablePointer<Float>
    /// Of their sums, from `c`.
    var offsetsC: UnsafePointer<Int>
    /// The first row of B.
    var panel: UnsafePointer<Float>
    var walk = Walk()
    /// For tiles of packed rows: each round of steps asks for a line.
    var lookahead: Lookahead
    var epilogue = Epilogue()
    var rowCount = tileRows
    var columnCount: Int
    /// Where the sums of a tile at the border go, [6, width], before its valid part gets its epilogue.
    var borderSums: UnsafeMutablePointer<Float>

    @inline(__always) fileprivate var rows: Six<UnsafePointer<Float>> {
        Six(
            e0: a + offsetsA[0], e1: a + offsetsA[1], e2: a + offsetsA[2], e3: a + offsetsA[3], e4: a + offsetsA[4],
            e5: a + offsetsA[5])
    }

    @inline(__always) fileprivate var targets: Six<UnsafeMutablePointer<Float>> {
        Six(
            e0: c + offsetsC[0], e1: c + offsetsC[1], e2: c + offsetsC[2], e3: c + offsetsC[3], e4: c + offsetsC[4],
            e5: c + offsetsC[5])
    }
}

/// Computes a tile. The only function in which a product of tiles spends its time; a test sees to it that it makes no
/// call. The six rows are named again and again because a closure for all of them is called, not inlined, and the
/// derivative's kinds are because one expression for both took 16% longer where the inner dimension is 1.
@inline(never)
private func sumTile<Row: VectorRow, Round: WalkRound>(
    _ task: UnsafePointer<TileTask>, _ row: Row.Type, _ round: Round.Type
) {
    prefetchTargets(task, width: Row.width)
    var tile = sum(task, Row.self, Round.self)
    if task.pointee.columnCount < Row.width || task.pointee.rowCount < tileRows {
        let target = task.pointee.borderSums
        tile.e0.store(to: target)
        tile.e1.store(to: target + Row.width)
        tile.e2.store(to: target + 2 &* Row.width)
        tile.e3.store(to: target + 3 &* Row.width)
        tile.e4.store(to: target + 4 &* Row.width)
        tile.e5.store(to: target + 5 &* Row.width)
        return
    }
    let epilogue = task.pointee.epilogue
    let targets = task.pointee.targets
    if let address = epilogue.bias {
        let bias = Row(loading: address)
        tile.e0.add(bias)
        tile.e1.add(bias)
        tile.e2.add(bias)
        tile.e3.add(bias)
        tile.e4.add(bias)
        tile.e5.add(bias)
    }
    if epilogue.accumulates {
        tile.e0.add(Row(loading: targets.e0))
        tile.e1.add(Row(loading: targets.e1))
        tile.e2.add(Row(loading: targets.e2))
        tile.e3.add(Row(loading: targets.e3))
        tile.e4.add(Row(loading: targets.e4))
        tile.e5.add(Row(loading: targets.e5))
    }
    if epilogue.activates {
        tile.e0.applyLeakyReLU(slope: epilogue.slope)
        tile.e1.applyLeakyReLU(slope: epilogue.slope)
        tile.e2.applyLeakyReLU(slope: epilogue.slope)
        tile.e3.applyLeakyReLU(slope: epilogue.slope)
        tile.e4.applyLeakyReLU(slope: epilogue.slope)
        tile.e5.applyLeakyReLU(slope: epilogue.slope)
    }
    switch epilogue.derivative.kind {
    case .none: break
    case .leakyReLU:
        let derivative = epilogue.derivative.known(.leakyReLU)
        tile.e0.multiply(by: derivative, of: targets.e0)
        tile.e1.multiply(by: derivative, of: targets.e1)
        tile.e2.multiply(by: derivative, of: targets.e2)
        tile.e3.multiply(by: derivative, of: targets.e3)
        tile.e4.multiply(by: derivative, of: targets.e4)
        tile.e5.multiply(by: derivative, of: targets.e5)
    case .curve:
        let derivative = epilogue.derivative.known(.curve)
        tile.e0.multiply(by: derivative, of: targets.e0)
        tile.e1.multiply(by: derivative, of: targets.e1)
        tile.e2.multiply(by: derivative, of: targets.e2)
        tile.e3.multiply(by: derivative, of: targets.e3)
        tile.e4.multiply(by: derivative, of: targets.e4)
        tile.e5.multiply(by: derivative, of: targets.e5)
    }
    if Row.fillsCacheLines && epilogue.storesPastCaches {
        tile.e0.store(pastCachesTo: targets.e0)
        tile.e1.store(pastCachesTo: targets.e1)
        tile.e2.store(pastCachesTo: targets.e2)
        tile.e3.store(pastCachesTo: targets.e3)
        tile.e4.store(pastCachesTo: targets.e4)
        tile.e5.store(pastCachesTo: targets.e5)
        return
    }
    tile.e0.store(to: targets.e0)
    tile.e1.store(to: targets.e1)
    tile.e2.store(to: targets.e2)
    tile.e3.store(to: targets.e3)
    tile.e4.store(to: targets.e4)
    tile.e5.store(to: targets.e5)
}

/// Asks for the lines that the sums will be stored to, and for what their derivative is taken from. Otherwise the stores
/// of one tile, which miss the caches, fill the store buffer and hold up the next (512 by 512 by 512 on AVX2: a tenth of
/// the time).
@inline(__always)
private func prefetchTargets(_ task: UnsafePointer<TileTask>, width: Int) {
    let targets = task.pointee.targets
    if !task.pointee.epilogue.storesPastCaches { targets.forEach { prefetchLinesForWriting($0, count: width) } }
    let derivative = task.pointee.epilogue.derivative
    if derivative.kind != .none { targets.forEach { prefetchLines(derivative.saved(of: $0), count: width) } }
}

/// The loops test at their end, so that each accumulator is one value throughout: with a test in front the compiler
/// keeps copies for the loops that might not run, and spills.
@inline(__always)
private func sum<Row: VectorRow, Round: WalkRound>(
    _ task: UnsafePointer<TileTask>, _ row: Row.Type, _ round: Round.Type
) -> Tile<Row> {
    var tile = Tile<Row>(e0: Row(), e1: Row(), e2: Row(), e3: Row(), e4: Row(), e5: Row())
    let rows = task.pointee.rows
    let walk = task.pointee.walk
    if walk.isEmpty { return tile }
    let strideA = Round.strideA ?? walk.innerStrideA
    let strideB = Round.strideA == nil ? walk.innerStrideB : Row.width
    var lookahead = task.pointee.lookahead
    var outerA = 0
    var outerB = task.pointee.panel
    var outer = walk.outerCount
    repeat {
        var middleA = outerA
        var middleB = outerB
        var middle = walk.middleCount
        repeat {
            var a = middleA
            var b = middleB
            var rounds = walk.innerCount / Round.stepCount
            repeat {
                if Round.looksAhead {
                    kanto_prefetch(lookahead.address)
                    lookahead.address += lookahead.stride
                }
                tile.addProducts(rows, a, Row(loading: b))
                if Round.stepCount == 4 {
                    tile.addProducts(rows, a &+ strideA, Row(loading: b + strideB))
                    tile.addProducts(rows, a &+ 2 &* strideA, Row(loading: b + 2 &* strideB))
                    tile.addProducts(rows, a &+ 3 &* strideA, Row(loading: b + 3 &* strideB))
                }
                a &+= Round.stepCount &* strideA
                b += Round.stepCount &* strideB
                rounds &-= 1
            } while rounds != 0
            // No loop, which would need registers that hold the rows' addresses.
            if Round.stepCount == 4 && walk.innerCount & 2 != 0 {
                tile.addProducts(rows, a, Row(loading: b))
                tile.addProducts(rows, a &+ strideA, Row(loading: b + strideB))
                a &+= 2 &* strideA
                b += 2 &* strideB
            }
            if Round.stepCount == 4 && walk.innerCount & 1 != 0 { tile.addProducts(rows, a, Row(loading: b)) }
            middleA &+= walk.middleStrideA
            middleB += walk.middleStrideB
            middle &-= 1
        } while middle != 0
        outerA &+= walk.outerStrideA
        outerB += walk.outerStrideB
        outer &-= 1
    } while outer != 0
    return tile
}

extension Six where Element: VectorRow {
    /// Adds the number at `offset` of each row, times the columns.
    @inline(__always)
    fileprivate mutating func addProducts(_ rows: Six<UnsafePointer<Float>>, _ offset: Int, _ columns: Element) {
        e0.addProduct(rows.e0[offset], columns)
        e1.addProduct(rows.e1[offset], columns)
        e2.addProduct(rows.e2[offset], columns)
        e3.addProduct(rows.e3[offset], columns)
        e4.addProduct(rows.e4[offset], columns)
        e5.addProduct(rows.e5[offset], columns)
    }
}

/// Computes a tile of one to four vectors and stores what is valid of it.
@inline(__always)
func computeTile(_ task: UnsafePointer<TileTask>, vectorCount: Int) {
    let width = vectorCount &* Lanes.scalarCount
    let walk = task.pointee.walk
    let isPacked = walk.innerCount >= 4 && walk.innerStrideB == width
    if isPacked && walk.innerStrideA == ContiguousRound.strideA {
        sumTile(task, vectorCount, ContiguousRound.self)
    } else if isPacked && walk.innerStrideA == PackedRound.strideA {
        sumTile(task, vectorCount, PackedRound.self)
    } else {
        sumTile(task, vectorCount, SingleStep.self)
    }
    if task.pointee.columnCount < width || task.pointee.rowCount < tileRows { finishBorder(task, width: width) }
    if task.pointee.epilogue.curve != .none { applyCurve(task) }
}

@inline(__always)
private func sumTile<Round: WalkRound>(_ task: UnsafePointer<TileTask>, _ vectorCount: Int, _ round: Round.Type) {
    typealias Pair = RowPair<SingleRow, SingleRow>
    if vectorCount == WidestRow.vectorCount {
        sumTile(task, WidestRow.self, Round.self)
    } else if vectorCount == 1 {
        sumTile(task, SingleRow.self, Round.self)
    } else if WidestRow.vectorCount > 2 {
        if vectorCount == 2 {
            sumTile(task, Pair.self, Round.self)
        } else {
            sumTile(task, RowPair<Pair, SingleRow>.self, Round.self)
        }
    }
}

@inline(never)
private func applyCurve(_ task: UnsafePointer<TileTask>) {
    let targets = task.pointee.targets
    let curve = task.pointee.epilogue.curve
    let columns = task.pointee.columnCount
    let rows = task.pointee.rowCount
    curve.apply(to: targets.e0, count: columns)
    if rows > 1 { curve.apply(to: targets.e1, count: columns) }
    if rows > 2 { curve.apply(to: targets.e2, count: columns) }
    if rows > 3 { curve.apply(to: targets.e3, count: columns) }
    if rows > 4 { curve.apply(to: targets.e4, count: columns) }
    if rows > 5 { curve.apply(to: targets.e5, count: columns) }
}

@inline(never)
private func finishBorder(_ task: UnsafePointer<TileTask>, width: Int) {
    let sums = task.pointee.borderSums
    let targets = task.pointee.targets
    let epilogue = task.pointee.epilogue
    let columns = task.pointee.columnCount
    let rows = task.pointee.rowCount
    epilogue.store(sums, count: columns, to: targets.e0)
    if rows > 1 { epilogue.store(sums + width, count: columns, to: targets.e1) }
    if rows > 2 { epilogue.store(sums + 2 &* width, count: columns, to: targets.e2) }
    if rows > 3 { epilogue.store(sums + 3 &* width, count: columns, to: targets.e3) }
    if rows > 4 { epilogue.store(sums + 4 &* width, count: columns, to: targets.e4) }
    if rows > 5 { epilogue.store(sums + 5 &* width, count: columns, to: targets.e5) }
}

/// Runs the body with a tile on the stack for the sums of borders.
@inline(__always)
func withBorderSums(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    let zero = WidestRow()
    var tile = Tile<WidestRow>(e0: zero, e1: zero, e2: zero, e3: zero, e4: zero, e5: zero)
    withUnsafeMutablePointer(to: &tile) { body(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Float.self)) }
}
