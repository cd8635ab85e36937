// Steps 4 and 5 of minimal filtering: points to outputs, y = Aᵀ M A, and the epilogue.

extension FilteredBlock {
    /// Turns a tile's products to outputs and stores those that there are.
    func finish(_ position: TilePosition, _ row: UnsafePointer<Float>) {
        let (pointsV, pointsH) = (part.vertical.pointCount, part.horizontal.pointCount)
        worker.plane.setSources(pointsV, pointsH) { v, h in row + (v &* pointsH &+ h) &* layout.strideM }
        worker.plane.setTargets(part.vertical.outputs, part.horizontal.outputs) { y, x in worker.sums(y, x) }
        worker.plane.run(
            OutputTransform.self, pointsV, pointsH, step: Lanes.scalarCount, channels: plan.weights.panelColumns)
        let (vertical, horizontal) = (part.vertical, part.horizontal)
        let rows = min(vertical.outputs, vertical.count &- position.y)
        let columns = min(horizontal.outputs, horizontal.count &- position.x)
        var check = FiniteCheck()
        for y in 0..<rows { for x in 0..<columns { check.add(worker.sums(y, x), count: plan.outer) } }
        if !check.holds { sumDirectly(position, rows, columns) }
        let strides = plan.strides
        var line = target + position.sample &* strides.sampleC
        line += (vertical.start &+ position.y &* vertical.step) &* strides.rowC
        line += (horizontal.start &+ position.x &* horizontal.step) &* strides.columnC
        for y in 0..<rows {
            for x in 0..<columns {
                let to = line + (y &* vertical.step &* strides.rowC &+ x &* horizontal.step &* strides.columnC)
                epilogue.store(worker.sums(y, x), count: plan.outer, to: to)
                if epilogue.curve != .none { epilogue.curve.apply(to: to, count: plan.outer) }
            }
        }
    }

    /// Sums a tile's outputs as a direct kernel does. To points an infinity spreads as NaN, over other channels of the output and even
    /// from weights that meet nothing but padding; and sums near the end of the range overflow. Whatever is not finite is
    /// so in the outputs, too.
    @inline(never)
    private func sumDirectly(_ position: TilePosition, _ rows: Int, _ columns: Int) {
        let sample = worker.source + position.sample &* plan.strides.sampleA
        for y in 0..<rows {
            for x in 0..<columns {
                let sums = worker.sums(y, x)
                fillWithZeros(sums, layout.pitchM)
                part.forEachPhase { phaseV, phaseH in addTaps(sample, position.y &+ y, position.x &+ x, phaseV, phaseH, to: sums)
                }
            }
        }
    }

    private func addTaps(
        _ sample: UnsafePointer<Float>, _ y: Int, _ x: Int, _ phaseV: Int, _ phaseH: Int, to sums: UnsafeMutablePointer<Float>
    ) {
        let (vertical, horizontal) = (part.vertical, part.horizontal)
        for tapV in 0..<vertical.phase(phaseV).taps {
            let sourceY = vertical.source(phaseV, of: y &+ tapV)
            if !vertical.isInside(sourceY) { continue }
            for tapH in 0..<horizontal.phase(phaseH).taps {
                let sourceX = horizontal.source(phaseH, of: x &+ tapH)
                if !horizontal.isInside(sourceX) { continue }
                let pixel = sample + (sourceY &* plan.strides.rowA &+ sourceX &* plan.strides.columnA)
                let tap = weights + part.tap(phaseV, phaseH, tapV, tapH, of: plan.weights) &* plan.weights.tapStride
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

/// Whether numbers are all finite.
struct FiniteCheck {
    /// x - x is 0, or NaN where x is not finite.
    private var differences = Lanes(repeating: 0)

    var holds: Bool {
        for lane in 0..<Lanes.scalarCount where differences[lane] != 0 { return false }
        return true
    }

    /// Takes so many numbers, and those behind them up to a whole vector.
    @inline(__always) mutating func add(_ numbers: UnsafePointer<Float>, count: Int) {
        var index = 0
        while index < count {
            let lanes = loadLanes(numbers + index)
            differences += lanes - lanes
            index &+= Lanes.scalarCount
        }
    }
}
