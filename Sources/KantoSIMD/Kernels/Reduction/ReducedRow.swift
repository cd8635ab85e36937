// What a reduction runs along: the elements of one input, or something computed of two.

/// A row of what is reduced. Positions count elements along the axis that vectors lie along.
protocol ReducedRow {
    /// What the elements of one result are compared with, if they are.
    static func partner(_ run: ReductionRun, _ at: Offsets) -> UnsafePointer<Float>?
    /// The row at one place along the kept axes and one along the reduced axes. The partners are those of the row's
    /// elements: one for all where vectors lie along a reduced axis, otherwise one for each.
    init(_ run: ReductionRun, kept: Offsets, reduced: Offsets, partners: UnsafePointer<Float>)
    /// The elements position ..< position + Lanes.scalarCount.
    func lanes(at position: Int) -> Lanes
    /// The elements position ..< position + count, then the padding; count < Lanes.scalarCount.
    func lanes(at position: Int, count: Int, padding: Float) -> Lanes
}

extension ReducedRow {
    @inline(__always) static func partner(_ run: ReductionRun, _ at: Offsets) -> UnsafePointer<Float>? { nil }
}

/// The elements of the input.
struct Elements<A: InputRow>: ReducedRow {
    let a: A
    @inline(__always) init(_ run: ReductionRun, kept: Offsets, reduced: Offsets, partners: UnsafePointer<Float>) {
        a = A(run.input0 + (kept.input0 &+ reduced.input0), stride: run.vectorAxis.input0)
    }
    @inline(__always) func lanes(at position: Int) -> Lanes { a.lanes(at: position) }
    @inline(__always) func lanes(at position: Int, count: Int, padding: Float) -> Lanes {
        a.lanes(at: position, count: count, padding: padding)
    }
}

/// The products of the elements of two inputs.
struct Products<A: InputRow, B: InputRow>: ReducedRow {
    let a: A
    let b: B
    @inline(__always) init(_ run: ReductionRun, kept: Offsets, reduced: Offsets, partners: UnsafePointer<Float>) {
        a = A(run.input0 + (kept.input0 &+ reduced.input0), stride: run.vectorAxis.input0)
        b = B(run.input1 + (kept.input1 &+ reduced.input1), stride: run.vectorAxis.input1)
    }
    @inline(__always) func lanes(at position: Int) -> Lanes { a.lanes(at: position) * b.lanes(at: position) }
    @inline(__always) func lanes(at position: Int, count: Int, padding: Float) -> Lanes {
        let products = a.lanes(at: position, count: count) * b.lanes(at: position, count: count)
        return firstLanes(products, count: count, padding: padding)
    }
}

/// What is computed of an element and its partner.
protocol PartnerFunction {
    static func value(_ element: Lanes, _ partner: Lanes) -> Lanes
    static func partner(_ run: ReductionRun, _ at: Offsets) -> UnsafePointer<Float>
}

/// The elements of the input, each with its partner.
struct Partnered<F: PartnerFunction, A: InputRow, B: InputRow>: ReducedRow {
    let a: A
    let partners: B
    @inline(__always) static func partner(_ run: ReductionRun, _ at: Offsets) -> UnsafePointer<Float>? { F.partner(run, at) }
    @inline(__always) init(_ run: ReductionRun, kept: Offsets, reduced: Offsets, partners: UnsafePointer<Float>) {
        a = A(run.input0 + (kept.input0 &+ reduced.input0), stride: run.vectorAxis.input0)
        self.partners = B(partners, stride: 1)
    }
    @inline(__always) func lanes(at position: Int) -> Lanes {
        F.value(a.lanes(at: position), partners.lanes(at: position))
    }
    @inline(__always) func lanes(at position: Int, count: Int, padding: Float) -> Lanes {
        let values = F.value(a.lanes(at: position, count: count), partners.lanes(at: position, count: count))
        return firstLanes(values, count: count, padding: padding)
    }
}

@inline(__always) private func firstLanes(_ lanes: Lanes, count: Int, padding: Float) -> Lanes {
    var number = LanesOfBits()
    for lane in 0..<Lanes.scalarCount { number[lane] = UInt32(lane) }
    return lanes.replacing(with: padding, where: number .>= UInt32(count))
}
