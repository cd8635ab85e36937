// What a microkernel is told: which products it sums, and where it finds and puts what.

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

/// What is read after a tile, line by line.
struct Lookahead {
    var address: UnsafePointer<Float>
    /// From one line to the next; 0 where nothing need be asked for.
    var stride = 0
}

/// Tiles of a product, one below the other: where their rows begin and where their sums go.
struct TileTask {
    var a: UnsafePointer<Float>
    /// Of each tile's six rows, from `a`. Rows past the end repeat the last one.
    var offsetsA: UnsafePointer<Int>
    var c: UnsafeMutablePointer<Float>
    /// Of their sums, from `c`; as many for each tile as it has rows.
    var offsetsC: UnsafePointer<Int>
    /// The first row of B.
    var panel: UnsafePointer<Float>
    var walk = Walk()
    /// What A and B consist of.
    var words = SumWords.numbers
    /// Each round of steps asks for a line: tiles of packed rows for one line after the other, each of the other tiles for the
    /// same ones.
    var lookahead: Lookahead
    var epilogue = Epilogue()
    /// Of all tiles; the last one may have fewer than the others.
    var rowCount: Int
    /// At most six.
    var rowsPerTile = tileRows
    var columnCount: Int
    /// The targets that each tile asks for: its own or, where a tile is over before they have come, those of as many tiles
    /// later; and where the targets after the last tile's stand.
    var tilesAhead = 0
    var nextC: UnsafeMutablePointer<Float>
    var nextOffsetsC: UnsafePointer<Int>
    /// Where the sums of a tile at the border go, [6, width], before its valid part gets its epilogue.
    var borderSums: UnsafeMutablePointer<Float>
    /// Tiles that are summed in one call; one at the border. Here, because as parameters they took 4% longer where tiles have
    /// 25 steps.
    var tileCount = 0
    var isAtBorder = false
}

/// Runs the body with a tile on the stack for the sums of borders.
@inline(__always)
func withBorderSums(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    let zero = WidestRow()
    var tile = Tile<WidestRow>(e0: zero, e1: zero, e2: zero, e3: zero, e4: zero, e5: zero)
    withUnsafeMutablePointer(to: &tile) { body(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Float.self)) }
}
