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
    /// A worker's scratch: the taps of some rows of a panel, and what a transform needs.
    var stageCount: Int {
        roundUp(kernelHeight &* kernelWidth &* FilteredWeights.rowsPerStep &* Panels.fullWidth, to: floatsPerLine)
            &+ roundUp(PlaneStage.floatCount, to: floatsPerLine)
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
        let plane = PlaneStage(stage + roundUp(taps &* rowsPerStep &* Panels.fullWidth, to: floatsPerLine))
        for index in 0..<plan.partCount {
            let part = plan.parts[index]
            for phaseV in 0..<part.vertical.phaseCount {
                for phaseH in 0..<part.horizontal.phaseCount {
                    let (vertical, horizontal) = (part.vertical.phase(phaseV), part.horizontal.phase(phaseH))
                    for v in 0..<vertical.taps {
                        for h in 0..<horizontal.taps {
                            let tapY = vertical.firstTap &+ v &* vertical.tapStep
                            let tapX = horizontal.firstTap &+ h &* horizontal.tapStep
                            plane.sources[v &* mostPoints &+ h] =
                                UnsafePointer(stage) + (tapY &* weights.kernelWidth &+ tapX) &* rows &* width
                        }
                    }
                    let (pointsV, pointsH) = (part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
                    for v in 0..<pointsV {
                        for h in 0..<pointsH {
                            let panels = Panels(rowCount: part.depth(v, h), columnCount: weights.outer)
                            let row = part.slot(phaseV, phaseH, atPoint: h) &+ first
                            let offset = part.firstRow(v, h) &* weights.panelColumns &+ panels.offset(panel) &+ row &* width
                            let to = group + (part.firstWeight &+ offset)
                            plane.targets[v &* mostPoints &+ h] = to
                            // Channels that there are not are zeros.
                            let missing = min(rowsPerStep, weights.depth &- first) &- rows
                            if missing > 0 { fillWithZeros(to + rows &* width, missing &* width) }
                        }
                    }
                    plane.run(TapTransform.self, pointsV, pointsH, vectors: rows &* width / Lanes.scalarCount)
                }
            }
        }
    }
}
