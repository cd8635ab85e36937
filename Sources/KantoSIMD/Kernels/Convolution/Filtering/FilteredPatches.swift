// Step 2 of minimal filtering: patches of the input to points, V = Bᵀ d B.

extension FilteredWorker {
    /// Transforms what a tile reads, phase by phase, to the points of all products.
    ///
    /// - Parameters:
    ///   - step: from one vector of channels to the next in what is written.
    ///   - start: where the first channel of the tile stands in a product, by its number.
    @inline(__always)
    func transformPatches(_ position: TilePosition, step: Int, to start: (_ product: Int) -> UnsafeMutablePointer<Float>) {
        let sample = source + position.sample &* plan.strides.sampleA
        part.forEachPhase { phaseV, phaseH in
            let (pointsV, pointsH) = (part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
            let y = part.vertical.source(phaseV, of: position.y)
            let x = part.horizontal.source(phaseH, of: position.x)
            plane.setSources(pointsV, pointsH) { v, h in
                let (y, x) = (y &+ v &* part.vertical.sourceStep, x &+ h &* part.horizontal.sourceStep)
                let isInside = part.vertical.isInside(y) && part.horizontal.isInside(x)
                return isInside ? sample + (y &* plan.strides.rowA &+ x &* plan.strides.columnA) : zeros
            }
            plane.setTargets(pointsV, pointsH) { v, h in
                let vectors = part.slot(phaseV, phaseH, atPoint: h) / Lanes.scalarCount
                return start(v &* part.horizontal.pointCount &+ h) + vectors &* step
            }
            plane.run(InputTransform.self, pointsV, pointsH, step: step, channels: plan.inner)
        }
    }

    /// Asks for what the tile at this position reads and the one to its left does not. The transforms wait for their sources more than
    /// they compute: those of a tile are short runs in many rows, which the processor does not foresee.
    func prefetchPatches(_ position: TilePosition) {
        let sample = source + position.sample &* plan.strides.sampleA
        let (vertical, horizontal) = (part.vertical, part.horizontal)
        let new = horizontal.outputs &* horizontal.sourceStep
        let x = horizontal.source(0, of: position.x) &+ horizontal.pointCount &* horizontal.sourceStep &- new
        for phase in 0..<vertical.phaseCount {
            var y = vertical.source(phase, of: position.y)
            for _ in 0..<vertical.pointCount(phase) {
                if vertical.isInside(y) {
                    let row = sample + (y &* plan.strides.rowA &+ x &* plan.strides.columnA)
                    if plan.groups == 1 {
                        prefetchLines(row, count: new &* plan.strides.columnA)
                    } else {
                        for x in 0..<new { prefetchLines(row + x &* plan.strides.columnA, count: plan.inner) }
                    }
                }
                y &+= vertical.sourceStep
            }
        }
    }
}
