import KantoABI

// Step 1 of minimal filtering: taps to points, U = G w Gᵀ, packed as panels for the products.

/// Where weights stand, and how they are transformed: rows are the channels that are read, columns those that are written.
struct FilteredWeights {
    var inner: Int
    var outer: Int
    var kernelHeight: Int
    var kernelWidth: Int
    /// Of the weights as they stand, in numbers.
    var tapStride: Int
    var rowStride: Int
    var columnStride: Int
    var groupStride: Int
    /// Transformed numbers of a group.
    var countPerGroup = 0

    /// Rows of an element: up to a whole vector, since so many channels are transformed at once.
    var depth: Int { roundUp(inner, to: Lanes.scalarCount) }
    var panelColumns: Int { roundUp(outer, to: Lanes.scalarCount) }

    @inline(__always) func offset(tapY: Int, tapX: Int) -> Int { (tapY &* kernelWidth &+ tapX) &* tapStride }

    /// Rows that are transformed at once: few enough that all their taps stay in the first-level cache, and what a line of
    /// the weights holds where those of a column stand side by side.
    static var rowsPerStep: Int { 16 }
    var stepsPerPanel: Int { (depth &+ FilteredWeights.rowsPerStep &- 1) / FilteredWeights.rowsPerStep }
    /// A worker's scratch: the taps of some rows of a panel, a tile between its two transforms, and a table of addresses.
    var stageCount: Int {
        kernelHeight &* kernelWidth &* FilteredWeights.rowsPerStep &* Panels.fullWidth
            &+ roundUp(mostPoints &* mostTaps &* Lanes.scalarCount, to: floatsPerLine) &+ 2 &* mostPoints &* mostPoints
    }
}

private struct FilteredWeightsJob {
    var plan: FilteredPlan
    var source: UnsafePointer<Float>
    var target: UnsafeMutablePointer<Float>
    var stages: UnsafeMutablePointer<Float>
}

extension FilteredPlan {
    /// Transforms the weights of all groups and parts; `stages` has room for each worker.
    func transformWeights(
        _ host: UnsafePointer<kanto_host>, _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>,
        stages: UnsafeMutablePointer<Float>
    ) {
        let panels = Panels(rowCount: 0, columnCount: outer).count
        var job = FilteredWeightsJob(plan: self, source: source, target: target, stages: stages)
        parallelFor(host, count: groups &* panels &* weights.stepsPerPanel, &job) { context, index, worker in
            let job = context!.assumingMemoryBound(to: FilteredWeightsJob.self)
            let weights = job.pointee.plan.weights
            let (step, rest) = (Int(index) % weights.stepsPerPanel, Int(index) / weights.stepsPerPanel)
            let panels = Panels(rowCount: 0, columnCount: weights.outer).count
            job.pointee.transform(
                step: step, panel: rest % panels, group: rest / panels, job.pointee.stages + Int(worker) &* weights.stageCount)
        }
    }
}

extension FilteredWeightsJob {
    fileprivate func transform(step: Int, panel: Int, group: Int, _ stage: UnsafeMutablePointer<Float>) {
        let weights = plan.weights
        let rowsPerStep = FilteredWeights.rowsPerStep
        let first = step &* rowsPerStep
        let rows = min(rowsPerStep, weights.inner &- first)
        let taps = weights.kernelHeight &* weights.kernelWidth
        let columns = Panels(rowCount: 0, columnCount: weights.outer).columns(panel)
        let staged = Panels(rowCount: taps &* rows, columnCount: columns)
        let width = roundUp(columns, to: Lanes.scalarCount)
        let origin = source + (group &* weights.groupStride &+ first &* weights.rowStride)
        packPanel(
            staged, 0, rows: 0..<taps &* rows, from: origin + panel &* Panels.fullWidth &* weights.columnStride,
            PanelSource(
                rowsPerBlock: rows, blockStride: weights.tapStride, rowStride: weights.rowStride,
                columnStride: weights.columnStride),
            to: stage)
        let group = target + group &* weights.countPerGroup
        let half = stage + (taps &* rowsPerStep &* Panels.fullWidth)
        for index in 0..<plan.partCount {
            let part = plan.parts[index]
            for phaseV in 0..<part.vertical.phaseCount {
                for phaseH in 0..<part.horizontal.phaseCount {
                    TapTransform(
                        weights: weights, part: part, phaseV: phaseV, phaseH: phaseH, panel: panel, width: width, first: first,
                        rows: rows, stage: stage, half: half, target: group + part.firstWeight
                    ).run(part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
                }
            }
        }
    }
}

private struct TapTransform: WithPoints {
    let weights: FilteredWeights
    let part: FilteredPart
    let phaseV, phaseH: Int
    let panel, width: Int
    let first, rows: Int
    let stage: UnsafePointer<Float>
    let half: UnsafeMutablePointer<Float>
    let target: UnsafeMutablePointer<Float>

    @inline(never) func run<V: PointSet, H: PointSet>(_: V.Type, _: H.Type) {
        let vertical = part.vertical.phase(phaseV)
        let horizontal = part.horizontal.phase(phaseH)
        let tapPitch = rows &* width
        let origin = stage + (vertical.firstTap &* weights.kernelWidth &+ horizontal.firstTap) &* tapPitch
        let stepV = vertical.tapStep &* weights.kernelWidth &* tapPitch
        let stepH = horizontal.tapStep &* tapPitch
        // Where the first of the rows stands for each pair of points.
        let pointers = half + roundUp(mostPoints &* mostTaps &* Lanes.scalarCount, to: floatsPerLine)
        let targets = UnsafeMutableRawPointer(pointers).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
        let paddingRows = max(min(FilteredWeights.rowsPerStep, weights.depth &- first) &- rows, 0)
        for v in 0..<V.count {
            for h in 0..<H.count {
                let panels = Panels(rowCount: part.depth(v, h), columnCount: weights.outer)
                let row = part.slot(phaseV, phaseH, atPoint: h) &+ first
                let to = target + (part.firstRow(v, h) &* weights.panelColumns &+ panels.offset(panel) &+ row &* width)
                targets[v &* mostPoints &+ h] = to
                // Channels that there are not are zeros.
                fillWithZeros(to + rows &* width, paddingRows &* width)
            }
        }
        var at = 0
        while at < rows &* width {
            for tap in 0..<H.taps {
                transformTaps(
                    V.self, { loadLanes(origin + (at &+ $0 &* stepV &+ tap &* stepH)) },
                    { storeLanes($1, to: half + ($0 &* mostTaps &+ tap) &* Lanes.scalarCount) })
            }
            for v in 0..<V.count {
                transformTaps(
                    H.self, { loadLanes(half + (v &* mostTaps &+ $0) &* Lanes.scalarCount) },
                    { storeLanes($1, to: targets[v &* mostPoints &+ $0] + at) })
            }
            at &+= Lanes.scalarCount
        }
    }
}
