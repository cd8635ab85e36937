/// Products of one tile of outputs, and where their operands stand.
///
/// An *element* is a phase and a point of each axis. Elements of the same two points belong to one product, whose inner dimension is their
/// channels side by side:
///
///     5x5, stride 2:   point      0    ∞    1   -1
///                        0       4ci  4ci  4ci  2ci      16 products, 49 ci multiplications for 4 outputs,
///                        ∞       4ci  4ci  4ci  2ci      where direct sums take 100 ci
///                        1       4ci  4ci  4ci  2ci
///                       -1       2ci  2ci  2ci   ci
struct FilteredPart {
    var vertical: FilteredAxis
    var horizontal: FilteredAxis
    /// Channels of an element: those that are read, and room up to a whole vector.
    var depth: Int
    /// Numbers of the parts before in the transformed weights.
    var firstWeight = 0

    var productCount: Int { vertical.pointCount &* horizontal.pointCount }
    var tilesPerSample: Int { vertical.tileCount &* horizontal.tileCount }

    /// The inner dimension of a product.
    @inline(__always) func depth(_ v: Int, _ h: Int) -> Int {
        vertical.phaseCount(atPoint: v) &* horizontal.phaseCount(atPoint: h) &* depth
    }
    var greatestDepth: Int { depth(0, 0) }
    /// Of all products together.
    var totalDepth: Int { firstRow(vertical.pointCount, 0) }
    /// Rows of the products before this one.
    @inline(__always) func firstRow(_ v: Int, _ h: Int) -> Int {
        var rows = 0
        for a in 0..<vertical.pointCount {
            for b in 0..<horizontal.pointCount {
                if a == v && b == h { return rows }
                rows &+= depth(a, b)
            }
        }
        return rows
    }
    /// Where an element's channels begin in the inner dimension of its product.
    @inline(__always) func slot(_ phaseV: Int, _ phaseH: Int, atPoint h: Int) -> Int {
        (phaseV &* horizontal.phaseCount(atPoint: h) &+ phaseH) &* depth
    }
}
