/// One axis of a correlation that is computed by minimal filtering: some taps, or several phases of some taps whose sums add up.
///
/// A convolution of stride 2 is several of stride 1 over the phases of its input, the even positions and the odd ones:
///
///     5 taps, stride 2        d0 d1 d2 d3 d4 d5 d6        two outputs, y0 and y1
///     even phase, 3 taps      d0    d2    d4    d6        4 points: 0 ∞ 1 -1
///     odd phase, 2 taps          d1    d3    d5           3 points: 0 ∞ 1
///
/// so 7 multiplications along the axis stand for 10, and 49 in the plane for 100. Its input gradient is the reverse: positions of one
/// phase read dy with stride 1 by the taps of one phase, turned; they are an axis of their own for each phase.
struct FilteredAxis {
    struct Phase {
        var taps: Int
        /// What output 0 reads at the first tap.
        var source: Int
        /// Its place in the kernel, and how that changes with the tap.
        var firstTap: Int
        var tapStep: Int
    }

    /// One or two, those of more taps first: where a phase has a point, those before have it too.
    var phaseCount = 1
    var first: Phase
    var second: Phase
    /// What is read: positions from one output to the next, and from one tap to the next; and how many there are.
    var sourceStep: Int
    var sourceExtent: Int
    /// What is written: outputs start, start + step, …
    var start: Int
    var step: Int
    var count: Int
    /// Of a tile.
    var outputs: Int

    @inline(__always) func phase(_ index: Int) -> Phase { index == 0 ? first : second }
    @inline(__always) func pointCount(_ phase: Int) -> Int { self.phase(phase).taps &+ outputs &- 1 }
    var pointCount: Int { pointCount(0) }
    /// Points of all phases.
    var elementCount: Int { pointCount(0) &+ (phaseCount == 2 ? pointCount(1) : 0) }
    /// Phases that have a point.
    @inline(__always) func phaseCount(atPoint point: Int) -> Int {
        phaseCount == 2 && point < pointCount(1) ? 2 : 1
    }
    /// What an output reads at a phase's first tap, and whether something stands there.
    @inline(__always) func source(_ phase: Int, of output: Int) -> Int { self.phase(phase).source &+ output &* sourceStep }
    @inline(__always) func isInside(_ source: Int) -> Bool { source >= 0 && source < sourceExtent }
    var tileCount: Int { (count &+ outputs &- 1) / outputs }
}

extension ConvolutionAxis {
    /// Whether the taps of each phase are as many as tiles serve.
    var isFiltered: Bool {
        dilation == 1 && (stride == 1 || stride == 2) && 2 &* stride <= kernel && kernel <= 3 &* stride
    }

    /// Taps of all outputs that meet the input.
    var validTapCount: Int {
        var count = 0
        for position in 0..<max(output, 0) {
            for tap in 0..<kernel where 0..<input ~= position &* stride &- pad &+ tap &* dilation { count &+= 1 }
        }
        return count
    }

    private func tapCount(_ phase: Int) -> Int { (kernel &- phase &+ stride &- 1) / stride }

    /// Of the forward convolution, whose outputs read all phases of the input.
    func filteredForward(outputs: Int) -> FilteredAxis {
        func phase(_ index: Int) -> FilteredAxis.Phase {
            .init(taps: tapCount(index), source: index &- pad, firstTap: index, tapStep: stride)
        }
        return FilteredAxis(
            phaseCount: stride, first: phase(0), second: phase(stride &- 1), sourceStep: stride, sourceExtent: input, start: 0,
            step: 1, count: output, outputs: outputs)
    }

    /// Of the input gradient at input positions index, index + stride, …
    func filteredAdjoint(phase index: Int, outputs: Int) -> FilteredAxis {
        let tapPhase = (index &+ pad) % stride
        let taps = tapCount(tapPhase)
        let phase = FilteredAxis.Phase(
            taps: taps, source: (index &+ pad &- tapPhase) / stride &- (taps &- 1),
            firstTap: tapPhase &+ stride &* (taps &- 1), tapStep: 0 &- stride)
        return FilteredAxis(
            first: phase, second: phase, sourceStep: 1, sourceExtent: output, start: index, step: stride,
            count: max(input &- index &+ stride &- 1, 0) / stride, outputs: outputs)
    }
}
