import KantoABI

// A product of rows with packed panels, which matmul, convolution and the input gradient have in common.

/// The rows of a product as a nest of three loops, each row with an offset into A and one into the output.
struct RowGrid {
    /// All rows, which may be fewer than the loops make.
    var count = 0
    var middleCount = 1
    var innerCount = 1
    var offsetA = 0
    var outerStrideA = 0
    var middleStrideA = 0
    var innerStrideA = 0
    var offsetC = 0
    var outerStrideC = 0
    var middleStrideC = 0
    var innerStrideC = 0
}

/// Rows that meet the same rows of B: all the rows of a matrix, or the output positions of a convolution whose taps fall
/// inside the input for the same kernel rows and columns. The strides of B count rows.
struct RowClass {
    var rows = RowGrid()
    var walk = Walk()
    /// The first row of B.
    var firstRowB = 0
    /// Tiles of the classes before.
    var firstTile = 0
}

struct Product {
    /// Independent products of the same shape: a batch, or the groups of a convolution.
    var groupCount = 1
    var groupStrideA = 0
    var groupStrideB = 0
    var groupStrideC = 0
    var groupStrideBias = 0
    var panels: Panels
    /// What A and B consist of.
    var words = SumWords.numbers
    /// Where B is read as it stands: from one row to the next; 0 where it is packed.
    var unpackedStrideB = 0
    var classes: UnsafeMutablePointer<RowClass>
    var classCount = 0
    var tileCount = 0
    /// How many steps of a walk are taken at once, so that a panel's rows stay in the second-level cache while rows of A
    /// pass.
    var depthLimit = 0
    /// How many tiles of rows are computed for all panels in turn, so that their part of A stays in that cache.
    var tilesPerBlock = 1
    var epilogue = Epilogue()
    /// Whether the zeros that pad the last panel are stored too, which spares the tiles there the way of a border.
    var storesPadding = false

    /// Adds rows, behind those that are there.
    mutating func append(_ rowClass: RowClass) {
        var rowClass = rowClass
        rowClass.firstTile = tileCount
        classes[classCount] = rowClass
        classCount &+= 1
        tileCount &+= roundUp(rowClass.rows.count, to: tileRows) / tileRows
    }

    /// Chooses the sizes of blocks. To be called when all rows are there; `countA` is how many numbers all of them read, in all
    /// groups.
    mutating func fit(_ host: UnsafePointer<kanto_host>, countA: Int) {
        let bytes = max(Int(host.pointee.level2_cache_bytes), 1 << 18)
        // A panel of 256 KB with AVX2, of 512 KB with AVX-512. Not by the size of a cache, because where a walk is cut decides
        // how its sums round, and these are to be the same on all machines of an instruction set.
        depthLimit = max(256, 8192 &* Lanes.scalarCount / panels.columnWidth)
        // Of B as it stands, so many rows that all panels find them in the second-level cache.
        if unpackedStrideB != 0 { depthLimit = max(64, 32768 / max(panels.columnCount, 1)) }
        let perTile = countA / max(tileCount &* groupCount, 1) &+ tileRows &* max(panels.columnCount, 0)
        let bytesPerTile = 4 &* max(perTile, 1)
        // Each panel is read anew for each block, which costs little if it serves 32 tiles there (8 tiles: a tenth slower
        // where a panel is large, 256 channels by 5x5 taps). Where not even so many stay in the cache, twice as many spare
        // reading (5 to 8% there, and 1024 by 1024 by 1024).
        let fewest = 32 &* bytesPerTile <= bytes ? 32 : RowOffsets.tileLimit
        tilesPerBlock = max(fewest, bytes / 4 / bytesPerTile)
    }

    /// Whether the output is more than the caches keep beside all else until it is read, so that its lines had better not
    /// pass through them: a store into a line that is not there reads it first, and writes it later (forward 64 by 64,
    /// 3 to 64 channels, 50 MB: 6% faster; 32 by 32, 3 to 128, 25 MB: 15%; a critic step with them: within 2%).
    func exceedsCaches(_ host: UnsafePointer<kanto_host>) -> Bool {
        let bytes = 4 &* groupCount &* tileCount &* tileRows &* panels.columnCount
        return host.pointee.level3_cache_bytes > 0 && bytes > Int(host.pointee.level3_cache_bytes) / 4
    }

    /// Whether each row of the output begins with a cache line and ends with one, and nothing of it is read before.
    func consistsOfLines(_ output: UnsafeMutablePointer<Float>) -> Bool {
        var offsets = groupStrideC | panels.columnCount
        for index in 0..<classCount {
            let rows = classes[index].rows
            offsets |= rows.offsetC | rows.outerStrideC | rows.middleStrideC | rows.innerStrideC
        }
        return offsets % floatsPerLine == 0 && UInt(bitPattern: output) % UInt(4 &* floatsPerLine) == 0
            && !epilogue.accumulates && epilogue.curve == .none
    }
}

extension Panels {
    /// Columns of the widest panel.
    @inline(__always) var columnWidth: Int { min(Panels.fullWidth, roundUp(max(columnCount, 1), to: Lanes.scalarCount)) }
}

/// A part of a walk that is short enough for the cache.
private struct Block {
    var walk: Walk
    var offsetA = 0
    var rowB = 0
    var isFirst = true
    var isLast = true
}

/// Cuts a walk into blocks of at most `limit` steps, along the outermost loop that makes them short enough.
private struct BlockSequence {
    let walk: Walk
    let outerStep: Int
    let middleStep: Int
    let innerStep: Int
    var outer = 0
    var middle = 0
    var inner = 0
    var isDone = false

    init(_ walk: Walk, limit: Int) {
        self.walk = walk
        let perOuter = walk.middleCount &* walk.innerCount
        if walk.isEmpty || walk.outerCount &* perOuter <= limit {
            outerStep = max(walk.outerCount, 1)
            middleStep = max(walk.middleCount, 1)
            innerStep = max(walk.innerCount, 1)
        } else if perOuter <= limit {
            outerStep = balanced(walk.outerCount, limit / perOuter)
            middleStep = walk.middleCount
            innerStep = walk.innerCount
        } else if walk.innerCount <= limit {
            outerStep = 1
            middleStep = balanced(walk.middleCount, limit / walk.innerCount)
            innerStep = walk.innerCount
        } else {
            outerStep = 1
            middleStep = 1
            innerStep = balanced(walk.innerCount, limit)
        }
    }

    mutating func next() -> Block {
        var block = Block(walk: walk)
        block.walk.outerCount = min(outerStep, walk.outerCount &- outer)
        block.walk.middleCount = min(middleStep, walk.middleCount &- middle)
        block.walk.innerCount = min(innerStep, walk.innerCount &- inner)
        block.offsetA = outer &* walk.outerStrideA &+ middle &* walk.middleStrideA &+ inner &* walk.innerStrideA
        block.rowB = outer &* walk.outerStrideB &+ middle &* walk.middleStrideB &+ inner &* walk.innerStrideB
        block.isFirst = outer == 0 && middle == 0 && inner == 0
        inner &+= innerStep
        if inner >= walk.innerCount {
            inner = 0
            middle &+= middleStep
            if middle >= walk.middleCount {
                middle = 0
                outer &+= outerStep
                isDone = outer >= walk.outerCount
            }
        }
        block.isLast = isDone
        return block
    }
}

/// The largest step up to `limit` that cuts `count` into parts of nearly the same size.
@inline(__always) func balanced(_ count: Int, _ limit: Int) -> Int {
    let parts = (count &+ limit &- 1) / limit
    return (count &+ parts &- 1) / parts
}

/// Steps through the rows of a grid.
struct RowCursor {
    let grid: RowGrid
    var row: Int
    var middle: Int
    var inner: Int
    var offsetA: Int
    var offsetC: Int

    init(_ grid: RowGrid, at row: Int) {
        self.grid = grid
        self.row = row
        inner = row % grid.innerCount
        let quotient = row / grid.innerCount
        middle = quotient % grid.middleCount
        let outer = quotient / grid.middleCount
        offsetA = grid.offsetA &+ outer &* grid.outerStrideA &+ middle &* grid.middleStrideA
        offsetA &+= inner &* grid.innerStrideA
        offsetC = grid.offsetC &+ outer &* grid.outerStrideC &+ middle &* grid.middleStrideC
        offsetC &+= inner &* grid.innerStrideC
    }

    /// Goes on to the next row, but not past the last one.
    @inline(__always) mutating func advance() {
        if row &+ 1 >= grid.count { return }
        row &+= 1
        inner &+= 1
        offsetA &+= grid.innerStrideA
        offsetC &+= grid.innerStrideC
        if inner < grid.innerCount { return }
        inner = 0
        middle &+= 1
        offsetA &+= grid.middleStrideA &- grid.innerCount &* grid.innerStrideA
        offsetC &+= grid.middleStrideC &- grid.innerCount &* grid.innerStrideC
        if middle < grid.middleCount { return }
        middle = 0
        offsetA &+= grid.outerStrideA &- grid.middleCount &* grid.middleStrideA
        offsetC &+= grid.outerStrideC &- grid.middleCount &* grid.middleStrideC
    }
}

/// A walk of fewer steps is over before the lines of its targets have come from memory: so many steps before, they are
/// asked for (one channel by 5x5: a fifth faster than where only the lines of the same panel are).
private var shortWalk: Int { 256 }

/// Where the rows of some tiles stand, worked out once for all panels.
private struct RowOffsets {
    /// On the stack.
    typealias Space = Six<(SIMD64<Int>, SIMD64<Int>)>
    static var tileLimit: Int { 64 }

    let a: UnsafeMutablePointer<Int>
    let c: UnsafeMutablePointer<Int>

    @inline(__always) init(_ space: UnsafeMutableRawBufferPointer) {
        a = space.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int.self)
        c = a + RowOffsets.tileLimit &* tileRows
    }

    /// Rows past the end repeat the last one.
    func fill(_ rows: RowGrid, tiles: Range<Int>) {
        var cursor = RowCursor(rows, at: tiles.lowerBound &* tileRows)
        for index in 0..<tiles.count &* tileRows {
            a[index] = cursor.offsetA
            c[index] = cursor.offsetC
            cursor.advance()
        }
    }
}

/// Where the operands of a product stand: those of the whole problem, B packed or not.
struct ProductOperands {
    var a: UnsafePointer<Float>
    var b: UnsafePointer<Float>
    var c: UnsafeMutablePointer<Float>
    var bias: UnsafePointer<Float>?
}

extension ProductOperands {
    /// Those of a matmul that has something to sum.
    init(_ arguments: UnsafePointer<kanto_arguments>, hasBias: Bool) {
        self.init(
            a: kanto_input(arguments, 0)!.assumingMemoryBound(to: Float.self),
            b: kanto_input(arguments, 1)!.assumingMemoryBound(to: Float.self),
            c: kanto_output(arguments, 0)!.assumingMemoryBound(to: Float.self),
            bias: hasBias ? floats(kanto_input(arguments, 2)) : nil)
    }
}

extension Product {
    /// Computes tiles `range` of some panels of one group: class by class, and in each block of its walk panel by panel,
    /// so that the tiles' part of A stays in cache while the panels pass.
    func compute(group: Int, panels: Range<Int>, tiles range: Range<Int>, _ operands: ProductOperands) {
        let none = (SIMD64<Int>(), SIMD64<Int>())
        var space = RowOffsets.Space(e0: none, e1: none, e2: none, e3: none, e4: none, e5: none)
        withUnsafeMutableBytes(of: &space) { bytes in
            let offsets = RowOffsets(bytes)
            withBorderSums { sums in
                var index = 0
                var tile = range.lowerBound
                while tile < range.upperBound {
                    while index &+ 1 < classCount && classes[index &+ 1].firstTile <= tile { index &+= 1 }
                    let rowClass = classes + index
                    let tiles = roundUp(rowClass.pointee.rows.count, to: tileRows) / tileRows
                    let first = tile &- rowClass.pointee.firstTile
                    var blocks = BlockSequence(rowClass.pointee.walk, limit: depthLimit)
                    // So many tiles before its sums are stored a tile's targets are asked for; they are in the table too.
                    let ahead = min(shortWalk / max(rowClass.pointee.walk.stepCount, 1), RowOffsets.tileLimit / 4)
                    let last = min(
                        tiles, range.upperBound &- rowClass.pointee.firstTile, first &+ RowOffsets.tileLimit &- ahead)
                    offsets.fill(rowClass.pointee.rows, tiles: first..<last &+ ahead)
                    repeat {
                        let block = blocks.next()
                        for panel in panels {
                            var task = task(
                                first..<last, of: rowClass, block, offsets, group: group, panel: panel, of: panels, operands,
                                borderSums: sums)
                            task.tilesAhead = ahead
                            computeTiles(&task, vectorCount: self.panels.vectors(panel))
                        }
                    } while !blocks.isDone
                    tile = rowClass.pointee.firstTile &+ last
                }
            }
        }
    }

    /// What the microkernel is told of some tiles of a class, one block of their walk and one panel.
    @inline(__always)
    private func task(
        _ tiles: Range<Int>, of rowClass: UnsafePointer<RowClass>, _ block: Block, _ offsets: RowOffsets, group: Int,
        panel: Int, of range: Range<Int>, _ operands: ProductOperands, borderSums: UnsafeMutablePointer<Float>
    ) -> TileTask {
        let vectors = panels.vectors(panel)
        let width = vectors &* Lanes.scalarCount
        let isPacked = unpackedStrideB == 0
        let strideB = isPacked ? width : unpackedStrideB
        let rows = operands.a + (group &* groupStrideA &+ block.offsetA)
        let target = operands.c + (group &* groupStrideC &+ panel &* Panels.fullWidth)
        let columns =
            operands.b
            + (group &* groupStrideB &+ (isPacked ? panels.offset(panel) : panel &* Panels.fullWidth)
                &+ (rowClass.pointee.firstRowB &+ block.rowB) &* strideB)
        // What is stored next: the same rows of the next panel, after the last one the tiles below.
        let nextPanel = panel &+ 1 < range.upperBound ? panel &+ 1 : range.lowerBound
        let nextTile = panel &+ 1 < range.upperBound ? 0 : tiles.count
        var task = TileTask(
            a: rows, offsetsA: offsets.a, c: target, offsetsC: offsets.c, panel: columns,
            // Of B as it stands, the same rows of the next panel.
            lookahead: isPacked ? Lookahead(address: columns) : Lookahead(address: columns + width, stride: strideB),
            rowCount: min(tiles.count &* tileRows, rowClass.pointee.rows.count &- tiles.lowerBound &* tileRows),
            columnCount: storesPadding ? width : panels.columns(panel),
            nextC: operands.c + (group &* groupStrideC &+ nextPanel &* Panels.fullWidth),
            nextOffsetsC: offsets.c + nextTile &* tileRows, borderSums: borderSums)
        task.walk = block.walk
        task.words = words
        task.walk.innerStrideB &*= strideB
        task.walk.middleStrideB &*= strideB
        task.walk.outerStrideB &*= strideB
        task.epilogue = Epilogue(accumulates: epilogue.accumulates || !block.isFirst)
        if block.isLast {
            task.epilogue.activates = epilogue.activates
            task.epilogue.slope = epilogue.slope
            task.epilogue.curve = epilogue.curve
            task.epilogue.derivative = epilogue.derivative
            task.epilogue.storesPastCaches = epilogue.storesPastCaches && block.isFirst
            if let bias = operands.bias {
                task.epilogue.bias = bias + (group &* groupStrideBias &+ panel &* Panels.fullWidth)
            }
        }
        return task
    }
}
