// Transforms of both axes of a tile: along the vertical one to a stage in the first-level cache, then along the horizontal one.
// Tables say where the channels of each position stand: those of row v and column h at index v · mostPoints + h.

typealias SourceTable = UnsafePointer<UnsafePointer<Float>>
typealias TargetTable = UnsafePointer<UnsafeMutablePointer<Float>>

/// What a worker needs to transform tiles.
struct PlaneStage {
    /// Vectors of channels that go through the stage at once.
    private static var vectors: Int { 64 / Lanes.scalarCount }
    /// Floats of its memory: the stage, vectors that are padded, and the tables.
    static var floatCount: Int {
        roundUp(mostPoints &* mostPoints &* ((vectors &+ 1) &* Lanes.scalarCount &+ 2 &* 3), to: floatsPerLine)
    }

    /// Of the numbers before, after, and on the stage.
    let sources: UnsafeMutablePointer<UnsafePointer<Float>>
    let targets: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    private let between: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    private let padded: UnsafeMutablePointer<Float>

    /// - Parameter memory: `floatCount` floats, aligned to a line.
    init(_ memory: UnsafeMutablePointer<Float>) {
        let positions = mostPoints &* mostPoints
        let length = PlaneStage.vectors &* Lanes.scalarCount
        padded = memory + positions &* length
        let tables = UnsafeMutableRawPointer(padded + positions &* Lanes.scalarCount)
        sources = tables.assumingMemoryBound(to: UnsafePointer<Float>.self)
        targets = (tables + 8 &* positions).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
        between = (tables + 16 &* positions).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
        for index in 0..<positions { between[index] = memory + index &* length }
    }

    /// Lists where the numbers before a transform stand.
    @inline(__always) func setSources(_ rows: Int, _ columns: Int, _ address: (_ v: Int, _ h: Int) -> UnsafePointer<Float>) {
        for v in 0..<rows { for h in 0..<columns { sources[v &* mostPoints &+ h] = address(v, h) } }
    }

    /// Lists where those after it go.
    @inline(__always)
    func setTargets(_ rows: Int, _ columns: Int, _ address: (_ v: Int, _ h: Int) -> UnsafeMutablePointer<Float>) {
        for v in 0..<rows { for h in 0..<columns { targets[v &* mostPoints &+ h] = address(v, h) } }
    }

    /// Transforms `count` channels, which stand side by side in `sources` from `first` on; their vectors stand `step` apart in `targets`
    /// from `target` on, the last one with zeros up to a whole vector.
    ///
    /// - Parameters:
    ///   - vertical: points along that axis.
    func run<T: AxisTransform>(
        _ transform: T.Type, _ vertical: Int, _ horizontal: Int, first: Int = 0, target: Int = 0, step: Int, channels count: Int
    ) {
        let whole = count / Lanes.scalarCount
        run(T.self, vertical, horizontal, source: first, target: target, step: step, vectors: whole)
        let rest = count &- whole &* Lanes.scalarCount
        if rest == 0 { return }
        setSources(T.sourceCount(ofPoints: vertical), T.sourceCount(ofPoints: horizontal)) { v, h in
            let index = v &* mostPoints &+ h
            let vector = padded + index &* Lanes.scalarCount
            storeLanes(Contiguous(sources[index], stride: 1).lanes(at: first &+ count &- rest, count: rest), to: vector)
            return UnsafePointer(vector)
        }
        run(T.self, vertical, horizontal, target: target &+ whole &* step, step: step, vectors: 1)
    }

    /// The same of so many whole vectors.
    func run<T: AxisTransform>(
        _ transform: T.Type, _ vertical: Int, _ horizontal: Int, source: Int = 0, target: Int = 0, step: Int = Lanes.scalarCount,
        vectors count: Int
    ) {
        var vector = 0
        while vector < count {
            let vectors = min(PlaneStage.vectors, count &- vector)
            let stage = UnsafeRawPointer(between).assumingMemoryBound(to: UnsafePointer<Float>.self)
            let first = Pass(
                from: SourceTable(sources), to: TargetTable(between), source: source &+ vector &* Lanes.scalarCount, target: 0,
                step: Lanes.scalarCount, vectors: vectors, line: 1, point: mostPoints)
            let second = Pass(
                from: stage, to: TargetTable(targets), source: 0, target: target &+ vector &* step, step: step, vectors: vectors,
                line: mostPoints, point: 1)
            first.run(T.self, vertical, lines: T.sourceCount(ofPoints: horizontal))
            second.run(T.self, horizontal, lines: T.targetCount(ofPoints: vertical))
            vector &+= vectors
        }
    }
}

/// One axis of some vectors of channels.
private struct Pass {
    let from: SourceTable
    let to: TargetTable
    let source: Int
    let target: Int
    let step: Int
    let vectors: Int
    /// In the tables: from one line that is transformed to the next, and from one number of a line to the next.
    let line: Int
    let point: Int

    @inline(__always) func run<T: AxisTransform>(_ transform: T.Type, _ points: Int, lines: Int) {
        switch points {
        case 3: run(T.self, ThreePoints.self, lines: lines)
        case 4: run(T.self, FourPoints.self, lines: lines)
        case 5: run(T.self, FivePoints.self, lines: lines)
        default: run(T.self, SixPoints.self, lines: lines)
        }
    }

    @inline(never) private func run<T: AxisTransform, P: PointSet>(_: T.Type, _: P.Type, lines: Int) {
        var index = 0
        while index < lines {
            let (from, to) = (from + index &* line, to + index &* line)
            var (read, written, rest) = (source, target, vectors)
            repeat {
                T.apply(
                    P.self, { loadLanes(from[$0 &* point] + read) }, { storeLanes($1, to: to[$0 &* point] + written) })
                read &+= Lanes.scalarCount
                written &+= step
                rest &-= 1
            } while rest != 0
            index &+= 1
        }
    }
}
