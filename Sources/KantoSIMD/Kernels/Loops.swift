import KantoABI

/// One axis of a loop nest.
struct Axis {
    var extent = 1
    var output = 0
    var input0 = 0
    var input1 = 0
    var input2 = 0
}

/// Where an element of each operand stands, relative to its pointer.
struct Offsets {
    var output = 0
    var input0 = 0
    var input1 = 0
    var input2 = 0

    @inline(__always) mutating func advance(along axis: Axis, by steps: Int) {
        output = output &+ steps &* axis.output
        input0 = input0 &+ steps &* axis.input0
        input1 = input1 &+ steps &* axis.input1
        input2 = input2 &+ steps &* axis.input2
    }
}

/// A list of up to six axes in memory of its own, for planning.
struct AxisList {
    let axes = UnsafeMutablePointer<Axis>.allocate(capacity: Int(KANTO_MAXIMUM_RANK))
    private(set) var count = 0

    func deallocate() { axes.deallocate() }

    mutating func append(_ axis: Axis) {
        axes[count] = axis
        count += 1
    }

    mutating func remove(at index: Int) -> Axis {
        let axis = axes[index]
        for next in index..<count - 1 { axes[next] = axes[next + 1] }
        count -= 1
        return axis
    }

    /// Orders the axes from the largest stride to the smallest, that of the output first, and makes one of two
    /// neighbors wherever all operands can be walked along both with one stride.
    mutating func collapse() {
        var end = 1
        while end < count {
            let axis = axes[end]
            var index = end
            while index > 0, AxisList.isOutside(axis, axes[index - 1]) {
                axes[index] = axes[index - 1]
                index -= 1
            }
            axes[index] = axis
            end += 1
        }
        var index = 1
        while index < count {
            let outer = axes[index - 1]
            let inner = axes[index]
            if outer.output == inner.output * inner.extent, outer.input0 == inner.input0 * inner.extent,
                outer.input1 == inner.input1 * inner.extent, outer.input2 == inner.input2 * inner.extent
            {
                axes[index - 1] = inner
                axes[index - 1].extent = outer.extent * inner.extent
                _ = remove(at: index)
            } else {
                index += 1
            }
        }
    }

    private static func isOutside(_ a: Axis, _ b: Axis) -> Bool {
        if a.output != b.output { return a.output > b.output }
        if a.input0 != b.input0 { return a.input0 > b.input0 }
        if a.input1 != b.input1 { return a.input1 > b.input1 }
        return a.input2 > b.input2
    }
}

/// A loop nest as kernels walk it: rows along `inner`, row after row along `middle`, and what remains outside, which is
/// found by division, once per run along `middle`. Absent axes have extent 1 and strides 0.
struct Loops {
    var inner = Axis()
    var middle = Axis()
    private var outer0 = Axis()
    private var outer1 = Axis()
    private var outer2 = Axis()
    private var outer3 = Axis()
    /// The number of pairs (outer, middle).
    private(set) var rowCount = 1

    /// Takes the axes of a list, outermost first, the innermost one apart.
    init(inner: Axis, outside list: AxisList) {
        self.inner = inner
        let count = list.count
        if count > 0 { middle = list.axes[count - 1] }
        if count > 1 { outer0 = list.axes[count - 2] }
        if count > 2 { outer1 = list.axes[count - 3] }
        if count > 3 { outer2 = list.axes[count - 4] }
        if count > 4 { outer3 = list.axes[count - 5] }
        rowCount = middle.extent * outer0.extent * outer1.extent * outer2.extent * outer3.extent
    }

    /// An empty nest around nothing: one row of one element.
    init() {}

    /// The start of the rows of one outer index.
    @inline(__always) func offsets(ofOuter index: Int) -> Offsets {
        var offsets = Offsets()
        if index == 0 { return offsets }
        var rest = index
        for axis in 0..<4 {
            let axis = axis == 0 ? outer0 : axis == 1 ? outer1 : axis == 2 ? outer2 : outer3
            let quotient = rest / axis.extent
            offsets.advance(along: axis, by: rest - quotient * axis.extent)
            rest = quotient
        }
        return offsets
    }

    /// The start of a row.
    @inline(__always) func offsets(ofRow row: Int) -> Offsets {
        let outer = row / middle.extent
        var offsets = offsets(ofOuter: outer)
        offsets.advance(along: middle, by: row &- outer &* middle.extent)
        return offsets
    }

    /// The rows of a range of elements, which are counted in the order of the nest.
    @inline(__always) func rows(of elements: Range<Int>) -> RowIterator { RowIterator(self, elements) }
}

/// Goes from row to row of a range of elements. Not a closure that is called for each row, because those are not always
/// inlined, and leave a call for each vector.
struct RowIterator {
    private let loops: Loops
    private var remaining: Int
    private var skipped = 0
    private var outer = 0
    private var step = 0
    private var row = Offsets()
    /// Where the row's part of the range starts, and its length.
    private(set) var start = Offsets()
    private(set) var count = 0

    @inline(__always) init(_ loops: Loops, _ elements: Range<Int>) {
        self.loops = loops
        remaining = elements.upperBound &- elements.lowerBound
        guard remaining > 0 else { return }
        let first = elements.lowerBound / loops.inner.extent
        skipped = elements.lowerBound &- first &* loops.inner.extent
        outer = first / loops.middle.extent
        step = first &- outer &* loops.middle.extent
        row = loops.offsets(ofRow: first)
    }

    /// Goes to the next row; false if there is none.
    @inline(__always) mutating func next() -> Bool {
        guard remaining > 0 else { return false }
        if step == loops.middle.extent {
            step = 0
            outer = outer &+ 1
            row = loops.offsets(ofOuter: outer)
        }
        start = row
        start.advance(along: loops.inner, by: skipped)
        count = min(loops.inner.extent &- skipped, remaining)
        remaining = remaining &- count
        skipped = 0
        step = step &+ 1
        row.advance(along: loops.middle, by: 1)
        return true
    }
}

extension AxisList {
    /// Appends the axes of the problem's nest that are longer than 1 and counts its elements, or returns why not.
    mutating func read(
        _ problem: UnsafePointer<kanto_problem>, inputCount: Int, _ elementCount: inout Int
    ) -> StaticString? {
        let iteration = problem.pointee.iteration
        let rank = Int(iteration.rank)
        guard 0...Int(KANTO_MAXIMUM_RANK) ~= rank else { return "the rank is not in 0 ... 6" }
        elementCount = 1
        for index in 0..<rank {
            var axis = Axis()
            axis.extent = element(index, of: iteration.extent)
            axis.output = element(index, of: iteration.output_stride)
            if inputCount > 0 { axis.input0 = element(index, of: iteration.input_stride.0) }
            if inputCount > 1 { axis.input1 = element(index, of: iteration.input_stride.1) }
            if inputCount > 2 { axis.input2 = element(index, of: iteration.input_stride.2) }
            guard axis.extent >= 0, axis.output >= 0, axis.input0 >= 0, axis.input1 >= 0, axis.input2 >= 0 else {
                return "a negative extent or stride"
            }
            let (product, overflow) = elementCount.multipliedReportingOverflow(by: axis.extent)
            guard !overflow else { return "more elements than can be counted" }
            elementCount = product
            if axis.extent != 1 { append(axis) }
        }
        return nil
    }
}

private typealias SixIntegers = (Int64, Int64, Int64, Int64, Int64, Int64)

private func element(_ index: Int, of tuple: SixIntegers) -> Int {
    switch index {
    case 0: Int(tuple.0)
    case 1: Int(tuple.1)
    case 2: Int(tuple.2)
    case 3: Int(tuple.3)
    case 4: Int(tuple.4)
    default: Int(tuple.5)
    }
}
