// Which taps of a convolution reach which positions, one axis at a time.

/// Positions along one axis of the written tensor whose valid taps are the same, and what the taps read. A tap that
/// would read padding is in no class: it costs nothing and contributes nothing.
struct AxisClass {
    /// Positions start, start + step, …
    var start: Int
    var step: Int
    var count: Int
    /// Kernel indices first, first + step, …
    var firstTap: Int
    var tapStep: Int
    var tapCount: Int
    /// What the first position reads at its first tap; how that changes with the tap and with the position.
    var source: Int
    var sourceTapStep: Int
    var sourceStep: Int
}

/// The classes of both axes of a convolution, in memory that is to be deallocated.
struct AxisClasses {
    let vertical: UnsafeMutablePointer<AxisClass>
    let verticalCount: Int
    let horizontal: UnsafeMutablePointer<AxisClass>
    let horizontalCount: Int

    /// `classify` writes at most `limit` classes of an axis and returns their number.
    @inline(__always)
    init(
        _ shape: ConvolutionShape, limit: Int, _ classify: (ConvolutionAxis, UnsafeMutablePointer<AxisClass>) -> Int
    ) {
        vertical = .allocate(capacity: 2 &* limit)
        horizontal = vertical + limit
        verticalCount = classify(shape.vertical, vertical)
        horizontalCount = classify(shape.horizontal, horizontal)
    }

    var pairCount: Int { verticalCount &* horizontalCount }
    func deallocate() { vertical.deallocate() }
}

/// One axis of the geometry of a forward convolution.
struct ConvolutionAxis {
    var input: Int
    var output: Int
    var kernel: Int
    var stride: Int
    var pad: Int
    var dilation: Int

    /// Classes of output positions, which read the input. At most one a position. Returns their number.
    func forwardClasses(_ classes: UnsafeMutablePointer<AxisClass>) -> Int {
        var count = 0
        for position in 0..<max(output, 0) {
            let origin = position &* stride &- pad
            var first = 0
            while first < kernel && origin &+ first &* dilation < 0 { first &+= 1 }
            var end = first
            while end < kernel && origin &+ end &* dilation < input { end &+= 1 }
            count = extend(
                classes, count,
                AxisClass(
                    start: position, step: 1, count: 1, firstTap: first, tapStep: 1, tapCount: end &- first,
                    source: origin &+ first &* dilation, sourceTapStep: dilation, sourceStep: stride))
        }
        return count
    }

    /// Classes of input positions, which read the output's gradient: one or more for each phase of the stride, with the
    /// taps for which (position + pad - tap · dilation) is a multiple of the stride.
    func adjointClasses(_ classes: UnsafeMutablePointer<AxisClass>) -> Int {
        var count = 0
        let tapStep = stride / greatestCommonDivisor(stride, dilation)
        for phase in 0..<min(stride, max(input, 0)) {
            let firstOfPhase = count
            var position = phase
            while position < input {
                var first = 0
                var taps = 0
                for tap in 0..<kernel {
                    let reach = position &+ pad &- tap &* dilation
                    if reach < 0 { break }
                    if reach % stride == 0 && reach / stride < output {
                        if taps == 0 { first = tap }
                        taps &+= 1
                    }
                }
                let found = AxisClass(
                    start: position, step: stride, count: 1, firstTap: first, tapStep: tapStep, tapCount: taps,
                    source: (position &+ pad &- first &* dilation) / stride,
                    sourceTapStep: 0 &- dilation &* tapStep / stride, sourceStep: 1)
                count = firstOfPhase &+ extend(classes + firstOfPhase, count &- firstOfPhase, found)
                position &+= stride
            }
        }
        return count
    }

    /// Adds a position to the last class if its taps are the same, otherwise opens a class.
    private func extend(_ classes: UnsafeMutablePointer<AxisClass>, _ count: Int, _ found: AxisClass) -> Int {
        if count > 0 && classes[count &- 1].tapCount == found.tapCount
            && (found.tapCount == 0 || classes[count &- 1].firstTap == found.firstTap)
        {
            classes[count &- 1].count &+= 1
            return count
        }
        (classes + count).initialize(to: found)
        return count &+ 1
    }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
