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
    var totalDepth: Int {
        var rows = 0
        forEachProduct { rows &+= $0.depth }
        return rows
    }

    /// One pair of points: its number, its inner dimension, and those of the pairs before together.
    struct PointPair {
        var v: Int
        var h: Int
        var number = 0
        var depth = 0
        var firstRow = 0
    }

    @inline(__always) func forEachProduct(_ body: (PointPair) -> Void) {
        var pair = PointPair(v: 0, h: 0)
        for v in 0..<vertical.pointCount {
            for h in 0..<horizontal.pointCount {
                (pair.v, pair.h, pair.depth) = (v, h, depth(v, h))
                body(pair)
                pair.number &+= 1
                pair.firstRow &+= pair.depth
            }
        }
    }

    /// Rows of the products before this one.
    func firstRow(_ v: Int, _ h: Int) -> Int {
        var row = 0
        forEachProduct { if $0.v == v && $0.h == h { row = $0.firstRow } }
        return row
    }

    @inline(__always) func forEachPhase(_ body: (_ phaseV: Int, _ phaseH: Int) -> Void) {
        for phaseV in 0..<vertical.phaseCount { for phaseH in 0..<horizontal.phaseCount { body(phaseV, phaseH) } }
    }

    /// Where an element's channels begin in the inner dimension of its product.
    @inline(__always) func slot(_ phaseV: Int, _ phaseH: Int, atPoint h: Int) -> Int {
        (phaseV &* horizontal.phaseCount(atPoint: h) &+ phaseH) &* depth
    }

    /// The place of a phase's tap in the kernel.
    @inline(__always)
    func tap(_ phaseV: Int, _ phaseH: Int, _ tapV: Int, _ tapH: Int, of weights: FilteredWeights) -> Int {
        let (vertical, horizontal) = (vertical.phase(phaseV), horizontal.phase(phaseH))
        let y = vertical.firstTap &+ tapV &* vertical.tapStep
        return y &* weights.kernelWidth &+ horizontal.firstTap &+ tapH &* horizontal.tapStep
    }
}
