import KantoShims

/// A matrix B [rowCount, columnCount] cut into panels of columns, each stored as [rowCount, width] and padded with
/// zeros: all panels are as wide as the widest tile, but the last, which has as many vectors as it needs.
struct Panels {
    var rowCount: Int
    var columnCount: Int

    @inline(__always) static var fullWidth: Int { WidestRow.width }
    var count: Int { (columnCount &+ Panels.fullWidth &- 1) / Panels.fullWidth }
    /// Numbers in all panels together.
    var size: Int { rowCount &* roundUp(columnCount, to: Lanes.scalarCount) }

    func columns(_ panel: Int) -> Int { min(Panels.fullWidth, columnCount &- panel &* Panels.fullWidth) }
    func vectors(_ panel: Int) -> Int { (columns(panel) &+ Lanes.scalarCount &- 1) / Lanes.scalarCount }
    func offset(_ panel: Int) -> Int { panel &* Panels.fullWidth &* rowCount }
}

/// Where the numbers of B stand: element (row, column) of block b, of which each has `rowsPerBlock` rows, stands at
/// b · blockStride + row · rowStride + column · columnStride. One of the last two strides is 1.
struct PanelSource {
    var rowsPerBlock: Int
    var blockStride = 0
    var rowStride: Int
    var columnStride = 1
}

/// Copies rows `range` of one panel.
func packPanel(
    _ panels: Panels, _ panel: Int, rows range: Range<Int>, from source: UnsafePointer<Float>, _ layout: PanelSource,
    to packed: UnsafeMutablePointer<Float>
) {
    let width = panels.vectors(panel) &* Lanes.scalarCount
    let columns = panels.columns(panel)
    let first = source + panel &* Panels.fullWidth &* layout.columnStride
    var row = range.lowerBound
    var target = packed + panels.offset(panel) + row &* width
    while row < range.upperBound {
        let block = row / layout.rowsPerBlock
        let start = row &- block &* layout.rowsPerBlock
        let count = min(layout.rowsPerBlock &- start, range.upperBound &- row)
        let origin = first + (block &* layout.blockStride &+ start &* layout.rowStride)
        if layout.columnStride == 1 {
            // The same rows of the next panel.
            prefetchLinesForWriting(target + panels.offset(1), count: count &* width)
            copyRows(origin, layout.rowStride, count, columns, width, target)
        } else {
            copyTransposed(origin, layout.columnStride, count, columns, width, target)
        }
        row &+= count
        target += count &* width
    }
}

private func copyRows(
    _ source: UnsafePointer<Float>, _ stride: Int, _ count: Int, _ columns: Int, _ width: Int,
    _ target: UnsafeMutablePointer<Float>
) {
    var source = source
    var target = target
    for _ in 0..<count {
        prefetchLines(source + rowsPerPackStep &* stride, count: columns)
        copyPanelRow(source, columns, width, to: target)
        source += stride
        target += width
    }
}

/// Copies a panel's part of one row of B, and pads it with zeros to the panel's width.
@inline(__always)
func copyPanelRow(
    _ source: UnsafePointer<Float>, _ columns: Int, _ width: Int, to target: UnsafeMutablePointer<Float>
) {
    if columns == Panels.fullWidth {
        WidestRow(loading: source).store(to: target)
        return
    }
    var column = 0
    while column &+ Lanes.scalarCount <= columns {
        storeLanes(loadLanes(source + column), to: target + column)
        column &+= Lanes.scalarCount
    }
    while column < columns {
        target[column] = source[column]
        column &+= 1
    }
    while column < width {
        target[column] = 0
        column &+= 1
    }
}

/// Eight rows at a time: eight lines of the target stay in cache while the columns of the source are read through, in
/// blocks of four by four.
private func copyTransposed(
    _ source: UnsafePointer<Float>, _ stride: Int, _ count: Int, _ columns: Int, _ width: Int,
    _ target: UnsafeMutablePointer<Float>
) {
    var row = 0
    while row < count {
        let rows = min(8, count &- row)
        let from = source + row
        let to = target + row &* width
        prefetchLinesForWriting(to + rows &* width, count: rows &* width)
        var column = 0
        if rows == 8 {
            while column &+ 4 <= columns {
                let block = from + column &* stride
                // The same lines of the next panel.
                let ahead = block + columns &* stride
                kanto_prefetch(ahead)
                kanto_prefetch(ahead + stride)
                kanto_prefetch(ahead + 2 &* stride)
                kanto_prefetch(ahead + 3 &* stride)
                transposeBlock(block, stride, to + column, width)
                transposeBlock(block + 4, stride, to + (4 &* width &+ column), width)
                column &+= 4
            }
        }
        while column < width {
            for i in 0..<rows { to[i &* width &+ column] = column < columns ? from[column &* stride &+ i] : 0 }
            column &+= 1
        }
        row &+= rows
    }
}

/// Copies rows `range` of a matrix stored [depth, columns], whose columns are the rows of a product, as panels [depth, 6],
/// one after another. Columns past the end are zeros.
func packTransposedRows(
    _ source: UnsafePointer<Float>, stride: Int, depth: Int, columns: Int, rows range: Range<Int>,
    to packed: UnsafeMutablePointer<Float>
) {
    // A few rows at a time, whose lines are still in cache for the next panel.
    var first = range.lowerBound
    while first < range.upperBound {
        let end = min(first &+ 8, range.upperBound)
        var column = 0
        while column < columns {
            let from = source + column
            let to = packed + column &* depth
            // The same rows of the next panel.
            prefetchLinesForWriting(to + tileRows &* (depth &+ first), count: tileRows &* (end &- first) &+ 15)
            // A vector at once where the row has so many numbers, and what is written past the panel's row is still to come.
            let wideEnd = column &+ 8 <= columns ? end &- 1 : first
            for row in first..<wideEnd {
                let values = UnsafeRawPointer(from + row &* stride).loadUnaligned(as: SIMD8<Float>.self)
                UnsafeMutableRawPointer(to + row &* tileRows).storeBytes(of: values, as: SIMD8<Float>.self)
            }
            for row in wideEnd..<end {
                for i in 0..<tileRows {
                    to[row &* tileRows &+ i] = column &+ i < columns ? from[row &* stride &+ i] : 0
                }
            }
            column &+= tileRows
        }
        first = end
    }
}

/// Rows that are packed for all panels in turn: few enough that their pages stay known. Each asks for what is read so
/// many rows later, which comes too late by itself: a row is read in pieces.
@inline(__always) var rowsPerPackStep: Int { 8 }

/// Asks for the lines of `count` numbers, which need not be there.
@inline(__always)
func prefetchLines(_ source: UnsafePointer<Float>, count: Int) {
    forEachLine(of: source, count: count) { kanto_prefetch($0) }
}

/// Asks for the lines of `count` numbers, which will be written.
@inline(__always)
func prefetchLinesForWriting(_ target: UnsafePointer<Float>, count: Int) {
    forEachLine(of: target, count: count) { kanto_prefetch_for_writing($0) }
}

/// Of a cache line.
@inline(__always) var floatsPerLine: Int { 16 }

@inline(__always)
private func forEachLine(of numbers: UnsafePointer<Float>, count: Int, _ body: (UnsafePointer<Float>) -> Void) {
    var offset = 0
    repeat {
        body(numbers + offset)
        offset &+= floatsPerLine
    } while offset < count
}

@inline(__always) func roundUp(_ value: Int, to multiple: Int) -> Int {
    (value &+ multiple &- 1) / multiple &* multiple
}
