// Copies between layouts whose contiguous axes differ. Read along one axis or written along the other, each element would
// cost a cache line.

/// A square tile has this many elements a side: a cache line of them. Each line of a tile is read once and written once,
/// whole, by way of a buffer: where the pitches are powers of two, the lines of a tile would otherwise drive each other
/// out of the cache (4096 by 4096 ran at half the speed).
private let side = 16

/// A tile's buffer.
private typealias SquareTile = (SIMD64<Float>, SIMD64<Float>, SIMD64<Float>, SIMD64<Float>)

/// The nest of a copy that transposes, with the output's contiguous axis innermost and the input's next to it, taken from
/// the list; nil, with the list untouched, if the copy has no such axes.
func transposition(_ list: inout AxisList) -> Loops? {
    var outputAxis = -1
    var inputAxis = -1
    for index in 0..<list.count {
        let axis = list.axes[index]
        if axis.output == 1 { outputAxis = index } else if axis.input0 == 1 { inputAxis = index }
    }
    guard outputAxis >= 0, inputAxis >= 0 else { return nil }
    let inner = list.axes[outputAxis]
    let middle = list.axes[inputAxis]
    guard inner.input0 > 1, inner.extent >= 4, middle.extent >= 4 else { return nil }
    _ = list.remove(at: max(outputAxis, inputAxis))
    _ = list.remove(at: min(outputAxis, inputAxis))
    list.append(middle)
    return Loops(inner: inner, outside: list)
}

private func tileCounts(_ loops: Loops) -> (input: Int, output: Int) {
    ((loops.middle.extent + side - 1) / side, (loops.inner.extent + side - 1) / side)
}

func transpositionTileCount(_ loops: Loops) -> Int {
    let tiles = tileCounts(loops)
    return loops.rowCount / loops.middle.extent * tiles.input * tiles.output
}

/// Copies a range of the tiles.
func transpose(_ run: ElementwiseRun, tiles: Range<Int>) {
    let loops = run.loops
    let counts = tileCounts(loops)
    let inputPitch = loops.inner.input0
    let outputPitch = loops.middle.output
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
        let row = tile / counts.output
        let outer = row / counts.input
        let firstInner = (tile - row * counts.output) * side
        let firstMiddle = (row - outer * counts.input) * side
        var at = loops.offsets(ofOuter: outer)
        at.advance(along: loops.inner, by: firstInner)
        at.advance(along: loops.middle, by: firstMiddle)
        let input = run.input0 + at.input0
        let output = run.output + at.output
        let innerCount = min(side, loops.inner.extent - firstInner)
        let middleCount = min(side, loops.middle.extent - firstMiddle)
        if innerCount == side, middleCount == side {
            transposeTile(input, inputPitch, output, outputPitch)
        } else {
            for i in 0..<middleCount {
                for j in 0..<innerCount { output[i * outputPitch + j] = input[j * inputPitch + i] }
            }
        }
        tile += 1
    }
}

@inline(__always) private func transposeTile(
    _ input: UnsafePointer<Float>, _ inputPitch: Int, _ output: UnsafeMutablePointer<Float>, _ outputPitch: Int
) {
    typealias Line = SIMD16<Float>
    var tile: SquareTile = (SIMD64(), SIMD64(), SIMD64(), SIMD64())
    withUnsafeMutableBytes(of: &tile) { bytes in
        let buffer = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
        var j = 0
        while j < side {
            var i = 0
            while i < side {
                transposeBlock(input + (j &* inputPitch &+ i), inputPitch, buffer + (i &* side &+ j), side)
                i = i &+ 4
            }
            j = j &+ 4
        }
        for i in 0..<side {
            let line = UnsafeRawPointer(buffer + i &* side).loadUnaligned(as: Line.self)
            UnsafeMutableRawPointer(output + i &* outputPitch).storeBytes(of: line, as: Line.self)
        }
    }
}

/// Writes four rows of four numbers as columns.
@inline(__always) func transposeBlock(
    _ input: UnsafePointer<Float>, _ inputPitch: Int, _ output: UnsafeMutablePointer<Float>, _ outputPitch: Int
) {
    typealias Four = SIMD4<Float>
    func load(_ row: Int) -> Four { UnsafeRawPointer(input + row &* inputPitch).loadUnaligned(as: Four.self) }
    func store(_ row: Int, _ value: Four) {
        UnsafeMutableRawPointer(output + row &* outputPitch).storeBytes(of: value, as: Four.self)
    }
    let low = SIMD8(lowHalf: load(0), highHalf: load(2))
    let high = SIMD8(lowHalf: load(1), highHalf: load(3))
    // Columns 0 and 2, then 1 and 3, of rows 0, 2 and of rows 1, 3.
    let evenLow = low.evenHalf
    let oddLow = low.oddHalf
    let evenHigh = high.evenHalf
    let oddHigh = high.oddHalf
    store(0, Four(evenLow.x, evenHigh.x, evenLow.z, evenHigh.z))
    store(1, Four(oddLow.x, oddHigh.x, oddLow.z, oddHigh.z))
    store(2, Four(evenLow.y, evenHigh.y, evenLow.w, evenHigh.w))
    store(3, Four(oddLow.y, oddHigh.y, oddLow.w, oddHigh.w))
}
