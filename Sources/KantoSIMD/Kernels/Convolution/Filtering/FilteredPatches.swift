// Step 2 of minimal filtering: patches of the input to points, V = Bᵀ d B.

/// Where the points of a tile go: element by element from `start`, products `product` apart, vectors of channels `vector` apart.
struct PointTargets {
    var start: UnsafeMutablePointer<Float>
    /// From one product to the next, or nil where products follow each other, each as long as its own inner dimension.
    var product: Int?
    var vector: Int
}

extension FilteredBlock {
    /// Transforms what a tile reads, phase by phase, to the points of all products.
    func transformPatches(_ position: TilePosition, to target: PointTargets) {
        let sample = source + position.sample &* plan.strides.sampleA
        for phaseV in 0..<part.vertical.phaseCount {
            for phaseH in 0..<part.horizontal.phaseCount {
                listSources(sample, position, phaseV, phaseH)
                let (pointsV, pointsH) = (part.vertical.pointCount(phaseV), part.horizontal.pointCount(phaseH))
                for v in 0..<pointsV {
                    for h in 0..<pointsH {
                        let vectors = part.slot(phaseV, phaseH, atPoint: h) / Lanes.scalarCount &* target.vector
                        let product = v &* part.horizontal.pointCount &+ h
                        let start = target.product.map { product &* $0 } ?? offsetsV[product] / Lanes.scalarCount &* target.vector
                        plane.targets[v &* mostPoints &+ h] = target.start + (start &+ vectors)
                    }
                }
                transform(pointsV, pointsH, step: target.vector)
            }
        }
    }

    /// Asks for what the tile at this position reads and the one to its left does not. The transforms wait for their sources more than
    /// they compute: those of a tile are short runs in many rows, which the processor does not foresee.
    func prefetchPatches(_ position: TilePosition) {
        let sample = source + position.sample &* plan.strides.sampleA
        let (vertical, horizontal) = (part.vertical, part.horizontal)
        let new = horizontal.outputs &* horizontal.sourceStep
        let end = horizontal.first.source &+ (position.x &+ horizontal.pointCount) &* horizontal.sourceStep
        for phaseV in 0..<vertical.phaseCount {
            var y = vertical.phase(phaseV).source &+ position.y &* vertical.sourceStep
            for _ in 0..<vertical.pointCount(phaseV) {
                let offset = y &* plan.strides.rowA &+ (end &- new) &* plan.strides.columnA
                if y >= 0 && y < vertical.sourceExtent {
                    if plan.groups == 1 {
                        prefetchLines(sample + offset, count: new &* plan.strides.columnA)
                    } else {
                        for x in 0..<new { prefetchLines(sample + (offset &+ x &* plan.strides.columnA), count: plan.inner) }
                    }
                }
                y &+= vertical.sourceStep
            }
        }
    }

    /// Where the channels of each position of a patch stand; those of padding are zeros.
    private func listSources(_ sample: UnsafePointer<Float>, _ position: TilePosition, _ phaseV: Int, _ phaseH: Int) {
        let (vertical, horizontal) = (part.vertical, part.horizontal)
        var y = vertical.phase(phaseV).source &+ position.y &* vertical.sourceStep
        for v in 0..<vertical.pointCount(phaseV) {
            let isInside = y >= 0 && y < vertical.sourceExtent
            var x = horizontal.phase(phaseH).source &+ position.x &* horizontal.sourceStep
            for h in 0..<horizontal.pointCount(phaseH) {
                let offset = y &* plan.strides.rowA &+ x &* plan.strides.columnA
                plane.sources[v &* mostPoints &+ h] = isInside && x >= 0 && x < horizontal.sourceExtent ? sample + offset : zeros
                x &+= horizontal.sourceStep
            }
            y &+= vertical.sourceStep
        }
    }

    private func transform(_ pointsV: Int, _ pointsH: Int, step: Int) {
        let whole = plan.inner / Lanes.scalarCount
        plane.run(InputTransform.self, pointsV, pointsH, step: step, vectors: whole)
        let rest = plan.inner &- whole &* Lanes.scalarCount
        if rest == 0 { return }
        // The last channels, with zeros up to a whole vector.
        for v in 0..<pointsV {
            for h in 0..<pointsH { pad(v &* mostPoints &+ h, from: whole &* Lanes.scalarCount, count: rest) }
        }
        plane.run(InputTransform.self, pointsV, pointsH, target: whole &* step, step: step, vectors: 1)
    }

    /// Puts the last numbers of a source in a vector of their own, in its place.
    func pad(_ index: Int, from first: Int, count: Int) {
        let padded = tail + index &* Lanes.scalarCount
        storeLanes(Contiguous(plane.sources[index], stride: 1).lanes(at: first, count: count), to: padded)
        plane.sources[index] = UnsafePointer(padded)
    }
}
