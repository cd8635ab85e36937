/// What a block needs of a worker's scratch, in floats: tables of integers, then the copies.
struct WeightBlockLayout {
    /// Integers in the table of rows' sources, and in that of their targets.
    let rowLimit: Int
    let offsetPackedX: Int
    /// The numbers of a tile, with room for what a copy writes past its end.
    let tilePitch: Int
    let offsetPackedY: Int
    let floatCount: Int

    init(_ plan: WeightGradientPlan) {
        rowLimit = roundUp(plan.shape.weightRows &+ tileRows, to: 8)
        offsetPackedX = 2 &* (2 &* rowLimit &+ roundUp(plan.blockLimit, to: 8) &+ tilesPerCopy &* tileRows)
        tilePitch = roundUp(plan.blockLimit &* tileRows &+ Chunk.scalarCount, to: floatsPerLine)
        offsetPackedY = offsetPackedX &+ tilesPerCopy &* tilePitch
        let panels = Panels(rowCount: plan.blockLimit, columnCount: plan.shape.groupOutputChannels)
        floatCount = offsetPackedY &+ roundUp(panels.size, to: floatsPerLine)
    }
}

/// Positions of one class for which a weight gradient sums products: dy and, a few tiles at a time, the input are copied
/// as the tiles read them. Read where they stand, six channels of each position would be a cache line each, at a pitch
/// that uses few sets of the first-level cache (half the speed with AVX2).
struct WeightBlock {
    private let shape: ConvolutionShape
    private let words: SumWords
    private let lineRows: Int
    /// The group's input and output gradient.
    private let x: UnsafePointer<Float>
    private let dy: UnsafePointer<Float>
    /// Numbers from `x` to the end of the input.
    private let countX: Int
    /// The class's rows: where they stand in the input, counted from a position, and in the weights.
    private let sources: UnsafeMutablePointer<Int>
    private let targets: UnsafeMutablePointer<Int>
    private(set) var rowCount = 0
    /// Rows that a tile takes of its six.
    private var rowsPerTile = tileRows
    /// Where the rows of the packed tiles begin.
    private let packedRows: UnsafeMutablePointer<Int>
    /// The block's positions in the input.
    private let positions: UnsafeMutablePointer<Int>
    private var positionCount = 0
    private let packedX: UnsafeMutablePointer<Float>
    private let tilePitch: Int
    /// dy as panels [positions, width].
    private let packedY: UnsafeMutablePointer<Float>
    private let borderSums: UnsafeMutablePointer<Float>
    /// dy of the positions after the block's.
    private var nextOutput = Range(uncheckedBounds: (0, 0))

    /// `scratch` is the worker's, laid out as `layout` says, aligned to a cache line.
    init(
        _ plan: WeightGradientPlan, _ layout: WeightBlockLayout, group: Int, x: UnsafePointer<Float>, dy: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, borderSums: UnsafeMutablePointer<Float>
    ) {
        shape = plan.shape
        words = plan.words
        lineRows = plan.lineRows
        self.x = x + group &* shape.groupChannels
        self.dy = dy + group &* shape.groupOutputChannels
        countX = shape.batch &* shape.inputSize &- group &* shape.groupChannels
        sources = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int.self)
        targets = sources + layout.rowLimit
        packedRows = targets + layout.rowLimit
        tilePitch = layout.tilePitch
        for tile in 0..<tilesPerCopy {
            for row in 0..<tileRows { packedRows[tile &* tileRows &+ row] = tile &* tilePitch &+ row }
        }
        positions = packedRows + tilesPerCopy &* tileRows
        packedX = scratch + layout.offsetPackedX
        packedY = scratch + layout.offsetPackedY
        self.borderSums = borderSums
    }
}

/// Tiles of the input that are copied at once: each panel of dy serves so many while it is in the first-level cache.
private var tilesPerCopy: Int { 8 }
/// Positions at a time, so that what is read of the input is still in that cache for the next tile.
private var positionsPerCopy: Int { 64 }
/// Positions between the one whose dy is copied and the one whose is asked for.
private var positionsAhead: Int { 16 }
/// Rows of a tile are copied as one such vector where they stand side by side.
private typealias Chunk = SIMD8<Float>

extension WeightBlock {
    /// Takes those rows of the weights whose taps are inside the input for this class.
    mutating func listRows(_ rows: Range<Int>, of found: PositionClass) {
        rowCount = 0
        let (y, x) = (found.vertical, found.horizontal)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let line = row / lineRows
            let end = min((line &+ 1) &* lineRows, rows.upperBound)
            let tapY = shape.hasContiguousRows ? line : line / shape.kernelWidth
            var source = (tapY &- y.firstTap) &* y.sourceTapStep &* shape.width &* shape.channels
            var first = line &* lineRows
            var last = first &+ lineRows
            if shape.hasContiguousRows {
                first &+= x.firstTap &* shape.channels
                last = first &+ x.tapCount &* shape.channels
            } else {
                let tap = line % shape.kernelWidth &- x.firstTap
                source &+= tap &* x.sourceTapStep &* shape.channels
                if tap < 0 || tap >= x.tapCount { last = first }
            }
            if tapY >= y.firstTap && tapY < y.firstTap &+ y.tapCount {
                source &-= first
                first = max(first, row)
                last = min(last, end)
                while first < last {
                    sources[rowCount] = source &+ first
                    targets[rowCount] = first &* shape.outputChannels
                    rowCount &+= 1
                    first &+= 1
                }
            }
            row = end
        }
        // Rows of the last tile past the end.
        if rowCount > 0 { for row in rowCount..<rowCount &+ tileRows { targets[row] = targets[rowCount &- 1] } }
        // Rows side by side are copied as a vector. A tile that ends with a short line, even with rows to spare, has no
        // others, and where that takes no more tiles it is faster (one channel by 5x5: an eighth of the time).
        let run = shape.hasContiguousRows ? x.tapCount &* shape.channels : shape.groupChannels
        let isShort = run < tileRows && roundUp(rowCount, to: run) / run <= roundUp(rowCount, to: tileRows) / tileRows
        rowsPerTile = isShort ? run : tileRows
    }

    /// Takes these positions of the class and copies dy there.
    mutating func copyOutput(_ grid: RowGrid, _ range: Range<Int>) {
        positionCount = range.count
        let panels = Panels(rowCount: positionCount, columnCount: shape.groupOutputChannels)
        // The panels but the last one, whose width is worked out once: there are few columns to copy for each position.
        let wholePanels = panels.columnCount / Panels.fullWidth
        let restColumns = panels.columnCount &- wholePanels &* Panels.fullWidth
        let restWidth = roundUp(restColumns, to: Lanes.scalarCount)
        var cursor = RowCursor(grid, at: range.lowerBound)
        let first = cursor.offsetC
        var last = first
        var ahead = RowCursor(grid, at: min(range.lowerBound &+ positionsAhead, grid.count &- 1))
        for position in 0..<positionCount {
            positions[position] = cursor.offsetA
            last = cursor.offsetC
            prefetchLines(dy + ahead.offsetC, count: panels.columnCount)
            ahead.advance()
            var source = dy + last
            var target = packedY + position &* Panels.fullWidth
            for _ in 0..<wholePanels {
                copyPanelRow(source, Panels.fullWidth, Panels.fullWidth, to: target)
                source += Panels.fullWidth
                target += panels.offset(1)
            }
            if restColumns > 0 {
                target = packedY + (panels.offset(wholePanels) &+ position &* restWidth)
                copyPanelRow(source, restColumns, restWidth, to: target)
            }
            cursor.advance()
        }
        // Those of the next block where the class's positions stand side by side, as inside.
        let span = last &- first
        nextOutput = last..<(span <= 2 &* positionCount &* shape.outputChannels ? last &+ span : last)
    }

    /// Adds the products of the listed rows with dy to the weights of the group.
    mutating func addProducts(to weights: UnsafeMutablePointer<Float>) {
        let panels = Panels(rowCount: positionCount, columnCount: shape.groupOutputChannels)
        let tileCount = roundUp(rowCount, to: rowsPerTile) / rowsPerTile
        var first = 0
        while first < tileCount {
            let last = min(first &+ tilesPerCopy, tileCount)
            copyInput(tiles: first..<last)
            for panel in 0..<panels.count {
                addTiles(first..<last, to: weights + panel &* Panels.fullWidth, panels, panel)
            }
            first = last
        }
    }

    private mutating func addTiles(
        _ tiles: Range<Int>, to weights: UnsafeMutablePointer<Float>, _ panels: Panels, _ panel: Int
    ) {
        let vectors = panels.vectors(panel)
        let offsetsC = targets + tiles.lowerBound &* rowsPerTile
        let rows = min(tiles.count &* rowsPerTile, rowCount &- tiles.lowerBound &* rowsPerTile)
        // Some tiles ask for dy of the next block, which otherwise has to be waited for when it is copied (one channel by 5x5: two
        // fifths of the time).
        let asked = max(positionCount / stepsPerRound, 1) &* floatsPerLine
        let asking = min(tiles.count, roundUp(nextOutput.count, to: asked) / asked)
        var task = TileTask(
            a: packedX, offsetsA: packedRows, c: weights, offsetsC: offsetsC, panel: packedY + panels.offset(panel),
            lookahead: Lookahead(address: dy + nextOutput.lowerBound, stride: floatsPerLine),
            rowCount: min(asking &* rowsPerTile, rows), rowsPerTile: rowsPerTile, columnCount: panels.columns(panel),
            nextC: weights, nextOffsetsC: offsetsC, borderSums: borderSums)
        task.words = words
        task.epilogue.accumulates = true
        task.walk.innerCount = positionCount
        task.walk.innerStrideA = tileRows
        task.walk.innerStrideB = vectors &* Lanes.scalarCount
        if asking > 0 { computeTiles(&task, vectorCount: vectors) }
        nextOutput = min(nextOutput.lowerBound &+ asking &* asked, nextOutput.upperBound)..<nextOutput.upperBound
        if asking == tiles.count { return }
        task.rowCount = rows &- task.rowCount
        task.lookahead = Lookahead(address: packedY)
        computeTiles(&task, vectorCount: vectors)
    }

    /// Copies the rows of some tiles as [positions, 6] each. Rows past the end hold whatever follows, or the last one again.
    private func copyInput(tiles: Range<Int>) {
        let furthest = positions[positionCount &- 1] &+ Chunk.scalarCount
        var position = 0
        while position < positionCount {
            let end = min(position &+ positionsPerCopy, positionCount)
            for tile in tiles {
                let row = tile &* rowsPerTile
                let target = packedX + (tile &- tiles.lowerBound) &* tilePitch
                let last = min(row &+ rowsPerTile, rowCount)
                let split = endOfRun(from: row, to: last)
                if split == last && furthest &+ sources[row] <= countX {
                    let source = x + sources[row]
                    for index in position..<end { copyChunk(source + positions[index], to: target + index &* tileRows) }
                } else if endOfRun(from: split, to: last) == last
                    && furthest &+ max(sources[row], sources[split]) <= countX
                {
                    let (source, rest) = (x + sources[row], x + sources[split])
                    for index in position..<end {
                        copyChunk(source + positions[index], to: target + index &* tileRows)
                        copyChunk(rest + positions[index], to: target + (index &* tileRows &+ split &- row))
                    }
                } else {
                    for offset in 0..<tileRows {
                        let source = x + sources[min(row &+ offset, rowCount &- 1)]
                        for index in position..<end { target[index &* tileRows &+ offset] = source[positions[index]] }
                    }
                }
            }
            position = end
        }
    }

    /// The first row after `first` that does not stand in the input beside the one before; `last` at most.
    @inline(__always) private func endOfRun(from first: Int, to last: Int) -> Int {
        var row = min(first &+ 1, last)
        while row < last && sources[row] == sources[row &- 1] &+ 1 { row &+= 1 }
        return row
    }
}

/// What it writes past the rows that are meant is overwritten by those after, or not read.
@inline(__always) private func copyChunk(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
    let chunk = UnsafeRawPointer(source).loadUnaligned(as: Chunk.self)
    UnsafeMutableRawPointer(target).storeBytes(of: chunk, as: Chunk.self)
}
