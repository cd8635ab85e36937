// Steps 4 and 5 of minimal filtering: points to outputs, y = Aᵀ M A, and the epilogue.

extension FilteredBlock {
    /// Turns a tile's products to outputs and stores those that there are.
    func finish(_ position: TilePosition, _ row: UnsafePointer<Float>) {
        for v in 0..<part.vertical.pointCount {
            for h in 0..<part.horizontal.pointCount {
                let product = v &* part.horizontal.pointCount &+ h
                plane.sources[v &* mostPoints &+ h] = row + product &* layout.strideM
            }
        }
        for y in 0..<part.vertical.outputs {
            for x in 0..<part.horizontal.outputs { plane.targets[y &* mostPoints &+ x] = sums(y, x) }
        }
        plane.run(
            OutputTransform.self, part.vertical.pointCount, part.horizontal.pointCount,
            vectors: plan.weights.panelColumns / Lanes.scalarCount)
        let (vertical, horizontal) = (part.vertical, part.horizontal)
        let rows = min(vertical.outputs, vertical.count &- position.y)
        let columns = min(horizontal.outputs, horizontal.count &- position.x)
        if !areFinite(rows, columns) { sumDirectly(position, rows, columns) }
        let strides = plan.strides
        var line = target + position.sample &* strides.sampleC
        line += (vertical.start &+ position.y &* vertical.step) &* strides.rowC
        line += (horizontal.start &+ position.x &* horizontal.step) &* strides.columnC
        for y in 0..<rows {
            for x in 0..<columns {
                let to = line + (y &* vertical.step &* strides.rowC &+ x &* horizontal.step &* strides.columnC)
                epilogue.store(self.sums(y, x), count: plan.outer, to: to)
                if epilogue.curve != .none { epilogue.curve.apply(to: to, count: plan.outer) }
            }
        }
    }

    /// The sums of one output of a tile.
    @inline(__always) func sums(_ y: Int, _ x: Int) -> UnsafeMutablePointer<Float> {
        sums + (y &* mostOutputs &+ x) &* layout.pitchM
    }

    private func areFinite(_ rows: Int, _ columns: Int) -> Bool {
        // x - x is 0, or NaN where x is not finite.
        var differences = Lanes(repeating: 0)
        for y in 0..<rows {
            for x in 0..<columns {
                let sums = self.sums(y, x)
                var column = 0
                while column < plan.outer {
                    let lanes = loadLanes(sums + column)
                    differences += lanes - lanes
                    column &+= Lanes.scalarCount
                }
            }
        }
        for lane in 0..<Lanes.scalarCount where differences[lane] != 0 { return false }
        return true
    }

    /// Sums a tile's outputs as a direct kernel does. To points an infinity spreads as NaN, over other channels of the output and even
    /// from weights that meet nothing but padding; and sums near the end of the range overflow. Whatever is not finite is
    /// so in the outputs, too.
    @inline(never)
    private func sumDirectly(_ position: TilePosition, _ rows: Int, _ columns: Int) {
        let sample = source + position.sample &* plan.strides.sampleA
        for y in 0..<rows {
            for x in 0..<columns {
                fillWithZeros(sums(y, x), layout.pitchM)
                for phaseV in 0..<part.vertical.phaseCount {
                    for phaseH in 0..<part.horizontal.phaseCount {
                        addTaps(sample, position.y &+ y, position.x &+ x, phaseV, phaseH, to: sums(y, x))
                    }
                }
            }
        }
    }

    private func addTaps(
        _ sample: UnsafePointer<Float>, _ y: Int, _ x: Int, _ phaseV: Int, _ phaseH: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        let (phaseV, phaseH) = (part.vertical.phase(phaseV), part.horizontal.phase(phaseH))
        for tapV in 0..<phaseV.taps {
            let sourceY = phaseV.source &+ (y &+ tapV) &* part.vertical.sourceStep
            if sourceY < 0 || sourceY >= part.vertical.sourceExtent { continue }
            for tapH in 0..<phaseH.taps {
                let sourceX = phaseH.source &+ (x &+ tapH) &* part.horizontal.sourceStep
                if sourceX < 0 || sourceX >= part.horizontal.sourceExtent { continue }
                let pixel = sample + (sourceY &* plan.strides.rowA &+ sourceX &* plan.strides.columnA)
                let tap =
                    weights
                    + plan.weights.offset(
                        tapY: phaseV.firstTap &+ tapV &* phaseV.tapStep, tapX: phaseH.firstTap &+ tapH &* phaseH.tapStep)
                if plan.weights.columnStride == 1 {
                    addTap(pixel, tap, Contiguous.self, to: sums)
                } else {
                    addTap(pixel, tap, Strided.self, to: sums)
                }
            }
        }
    }

    @inline(__always)
    private func addTap<Row: InputRow>(
        _ pixel: UnsafePointer<Float>, _ tap: UnsafePointer<Float>, _: Row.Type, to sums: UnsafeMutablePointer<Float>
    ) {
        var column = 0
        while column < plan.outer {
            let rest = plan.outer &- column
            var sum = loadLanes(sums + column)
            for channel in 0..<plan.inner {
                let row = Row(tap + channel &* plan.weights.rowStride, stride: plan.weights.columnStride)
                let weights = rest < Lanes.scalarCount ? row.lanes(at: column, count: rest) : row.lanes(at: column)
                sum = multiplyAdd(Lanes(repeating: pixel[channel]), weights, sum)
            }
            storeLanes(sum, to: sums + column)
            column &+= Lanes.scalarCount
        }
    }
}
