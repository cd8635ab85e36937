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
    var panelCount: Int { Panels(rowCount: 0, columnCount: outer).count }
    var panelColumns: Int { roundUp(outer, to: Lanes.scalarCount) }

    /// Rows that are transformed at once: few enough that all their taps stay in the first-level cache, and what a line of
    /// the weights holds where those of a column stand side by side.
    static var rowsPerStep: Int { 16 }
    var stepsPerPanel: Int { (depth &+ FilteredWeights.rowsPerStep &- 1) / FilteredWeights.rowsPerStep }
    /// A worker's scratch: the taps of some rows of a panel, and what a transform needs.
    var stageCount: Int { stagedCount &+ PlaneStage.floatCount }
    var stagedCount: Int {
        roundUp(kernelHeight &* kernelWidth &* FilteredWeights.rowsPerStep &* Panels.fullWidth, to: floatsPerLine)
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
        var job = FilteredWeightsJob(plan: self, source: source, target: target, stages: stages)
        parallelFor(host, count: groups &* weights.panelCount &* weights.stepsPerPanel, &job) { context, index, worker in
            let job = context!.assumingMemoryBound(to: FilteredWeightsJob.self)
            let weights = job.pointee.plan.weights
            let (step, rest) = (Int(index) % weights.stepsPerPanel, Int(index) / weights.stepsPerPanel)
            job.pointee.transform(
                step: step, panel: rest % weights.panelCount, group: rest / weights.panelCount,
                job.pointee.stages + Int(worker) &* weights.stageCount)
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
        let plane = PlaneStage(stage + weights.stagedCount)
        // Channels that there are not are zeros.
        let missing = min(rowsPerStep, weights.depth &- first) &- rows
        for index in 0..<plan.partCount {
            let part = plan.parts[index]
            part.forEachPhase { phaseV, phaseH in
                plane.setSources(part.vertical.phase(phaseV).taps, part.horizontal.phase(phaseH).taps) { v, h in
                    UnsafePointer(stage) + part.tap(phaseV, phaseH, v, h, of: weights) &* rows &* width
                }
                let (pointsV, pointsH) = (part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
                plane.setTargets(pointsV, pointsH) { v, h in
                    let panels = Panels(rowCount: part.depth(v, h), columnCount: weights.outer)
                    let row = part.slot(phaseV, phaseH, atPoint: h) &+ first
                    let offset = part.firstRow(v, h) &* weights.panelColumns &+ panels.offset(panel) &+ row &* width
                    let to = group + (part.firstWeight &+ offset)
                    fillWithZeros(to + rows &* width, missing &* width)
                    return to
                }
                plane.run(TapTransform.self, pointsV, pointsH, step: Lanes.scalarCount, channels: rows &* width)
            }
        }
    }
}
