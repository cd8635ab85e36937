/// How a worker's scratch is divided, in floats. Rows and products are some lines longer than they need be, which keeps them off the
/// same sets of a cache.
struct FilteredWorkerLayout {
    /// From one tile to the next, and from one product to the next, of what is read (V) and of products (M).
    let pitchV, strideV, pitchM, strideM: Int
    let offsetM, offsetSums, offsetPlane: Int
    /// Two tables of so many integers.
    let offsetTables: Int
    let tableCount: Int
    let floatCount: Int

    /// - Parameter tiles: whose points stand in it.
    init(_ plan: FilteredPlan, tiles: Int) {
        var products = 1
        var depth = 0
        for index in 0..<plan.partCount {
            products = max(products, plan.parts[index].productCount)
            depth = max(depth, plan.parts[index].greatestDepth)
        }
        let tiles = roundUp(tiles, to: tileRows)
        pitchV = roundUp(depth, to: floatsPerLine) &+ floatsPerLine
        strideV = tiles &* pitchV &+ 5 &* floatsPerLine
        pitchM = roundUp(plan.weights.panelColumns, to: floatsPerLine) &+ floatsPerLine
        strideM = tiles &* pitchM &+ 5 &* floatsPerLine
        offsetM = products &* strideV
        offsetSums = offsetM &+ products &* strideM
        offsetPlane = offsetSums &+ mostOutputs &* mostOutputs &* pitchM
        offsetTables = offsetPlane &+ PlaneStage.floatCount
        tableCount = max(tiles, mostPoints &* mostPoints)
        floatCount = roundUp(offsetTables &+ 2 &* 2 &* tableCount, to: floatsPerLine)
    }
}

/// What a worker of any pass has: patches of one group to read, and a scratch of its own.
struct FilteredWorker {
    let plan: FilteredPlan
    let part: FilteredPart
    let layout: FilteredWorkerLayout
    /// What is read: the first channel of the group.
    let source: UnsafePointer<Float>
    /// As many zeros as there are channels: what padding reads.
    let zeros: UnsafePointer<Float>
    let scratch: UnsafeMutablePointer<Float>
    let plane: PlaneStage

    init(
        _ plan: FilteredPlan, _ layout: FilteredWorkerLayout, part: Int, source: UnsafePointer<Float>,
        zeros: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        self.plan = plan
        self.part = plan.parts[part]
        self.layout = layout
        self.source = source
        self.zeros = zeros
        self.scratch = scratch
        plane = PlaneStage(scratch + layout.offsetPlane)
    }

    /// The sums of one output of a tile, or of one tap.
    @inline(__always) func sums(_ v: Int, _ h: Int) -> UnsafeMutablePointer<Float> {
        scratch + (layout.offsetSums &+ (v &* mostOutputs &+ h) &* layout.pitchM)
    }

    /// A table of `layout.tableCount` integers: the first or the second.
    @inline(__always) func table(_ index: Int) -> UnsafeMutablePointer<Int> {
        UnsafeMutableRawPointer(scratch + layout.offsetTables).assumingMemoryBound(to: Int.self) + index &* layout.tableCount
    }
}
