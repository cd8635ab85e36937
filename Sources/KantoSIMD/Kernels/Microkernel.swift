/// The inner dimension of a product as a nest of three loops: at each step one number of each row of A meets one row
/// of B. Strides count elements.
///
/// A plain product needs one loop. A convolution walks kernel rows, kernel columns and channels; its weight gradient
/// walks samples, output rows and output columns. Nothing is unfolded, and no table of pointers is kept.
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

    @inline(__always) var isEmpty: Bool { outerCount <= 0 || middleCount <= 0 || innerCount <= 0 }
}

/// One tile of a product: where its rows begin and where its sums go.
struct TileTask {
    /// One address a row; read as an array too, hence the first field.
    var targets: Six<UnsafeMutablePointer<Float>>
    /// Rows past the end repeat the last one.
    var rows: Six<UnsafePointer<Float>>
    var rowCount: Int
    var columnCount: Int
    /// The first row of B.
    var panel: UnsafePointer<Float>
    var walk: Walk
    var epilogue: Epilogue
}

/// Computes a tile and stores it. The only function in which a product spends its time; a test sees to it that nothing
/// in it is a call.
@inline(never)
func computeTile<Row: VectorRow>(_ task: UnsafePointer<TileTask>, _ row: Row.Type) {
    let tile = sum(task, Row.self)
    let rowCount = task.pointee.rowCount
    if task.pointee.columnCount == Row.width {
        let epilogue = task.pointee.epilogue
        let targets = task.pointee.targets
        epilogue.store(tile.e0, to: targets.e0)
        if rowCount > 1 { epilogue.store(tile.e1, to: targets.e1) }
        if rowCount > 2 { epilogue.store(tile.e2, to: targets.e2) }
        if rowCount > 3 { epilogue.store(tile.e3, to: targets.e3) }
        if rowCount > 4 { epilogue.store(tile.e4, to: targets.e4) }
        if rowCount > 5 { epilogue.store(tile.e5, to: targets.e5) }
    } else {
        // A copy: a tile whose address is taken would live in memory from the start.
        var inMemory = tile
        withUnsafePointer(to: &inMemory) { tile in
            var sums = UnsafeRawPointer(tile).assumingMemoryBound(to: Float.self)
            let targets = UnsafeRawPointer(task).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
            for row in 0..<rowCount {
                task.pointee.epilogue.store(sums, count: task.pointee.columnCount, to: targets[row])
                sums += Row.width
            }
        }
    }
}

/// The loops test at their end, so that each accumulator is one value throughout: with a test in front the compiler
/// keeps copies for the loops that might not run, and spills.
@inline(__always)
private func sum<Row: VectorRow>(_ task: UnsafePointer<TileTask>, _ row: Row.Type) -> Tile<Row> {
    var tile = Tile<Row>(e0: Row(), e1: Row(), e2: Row(), e3: Row(), e4: Row(), e5: Row())
    let walk = task.pointee.walk
    if walk.isEmpty { return tile }
    let rows = task.pointee.rows
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
            var inner = walk.innerCount
            repeat {
                let columns = Row(loading: b)
                tile.e0.addProduct(rows.e0[a], columns)
                tile.e1.addProduct(rows.e1[a], columns)
                tile.e2.addProduct(rows.e2[a], columns)
                tile.e3.addProduct(rows.e3[a], columns)
                tile.e4.addProduct(rows.e4[a], columns)
                tile.e5.addProduct(rows.e5[a], columns)
                a &+= walk.innerStrideA
                b += walk.innerStrideB
                inner &-= 1
            } while inner != 0
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

/// Computes a tile of one to four vectors.
@inline(__always)
func computeTile(_ task: UnsafePointer<TileTask>, vectorCount: Int) {
    typealias Pair = RowPair<SingleRow, SingleRow>
    if vectorCount == 1 { return computeTile(task, SingleRow.self) }
    if WidestRow.vectorCount > 2 {
        if vectorCount == 2 { return computeTile(task, Pair.self) }
        if vectorCount == 3 { return computeTile(task, RowPair<Pair, SingleRow>.self) }
    }
    computeTile(task, WidestRow.self)
}
