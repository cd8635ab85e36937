// How a row of a loop nest is read and written, a vector at a time. A kernel is specialized for each way that it uses.

import KantoShims

/// A row of an input. Positions count elements along the row.
protocol InputRow {
    init(_ start: UnsafePointer<Float>, stride: Int)
    /// The elements position ..< position + Lanes.scalarCount.
    func lanes(at position: Int) -> Lanes
    /// The elements position ..< position + count, then the padding; count < Lanes.scalarCount.
    func lanes(at position: Int, count: Int, padding: Float) -> Lanes
}

extension InputRow {
    @inline(__always) func lanes(at position: Int, count: Int) -> Lanes {
        lanes(at: position, count: count, padding: 0)
    }
}

/// A row of an output.
protocol OutputRow {
    init(_ start: UnsafeMutablePointer<Float>, stride: Int)
    func store(_ lanes: Lanes, at position: Int)
    /// Stores the first `count` lanes; count < Lanes.scalarCount.
    func store(_ lanes: Lanes, at position: Int, count: Int)
}

/// Stride 1.
struct Contiguous: InputRow {
    let start: UnsafePointer<Float>
    @inline(__always) init(_ start: UnsafePointer<Float>, stride: Int) { self.start = start }
    @inline(__always) func lanes(at position: Int) -> Lanes {
        UnsafeRawPointer(start + position).loadUnaligned(as: Lanes.self)
    }
    @inline(__always) func lanes(at position: Int, count: Int, padding: Float) -> Lanes {
        Strided(start, stride: 1).lanes(at: position, count: count, padding: padding)
    }
}

/// Stride 0: one element for the whole row.
struct Broadcast: InputRow {
    let value: Lanes
    @inline(__always) init(_ start: UnsafePointer<Float>, stride: Int) { value = Lanes(repeating: start.pointee) }
    @inline(__always) func lanes(at position: Int) -> Lanes { value }
    @inline(__always) func lanes(at position: Int, count: Int, padding: Float) -> Lanes { value }
}

/// Any stride, 0 and 1 too.
struct Strided: InputRow {
    let start: UnsafePointer<Float>
    let stride: Int
    @inline(__always) init(_ start: UnsafePointer<Float>, stride: Int) {
        self.start = start
        self.stride = stride
    }
    @inline(__always) func lanes(at position: Int) -> Lanes { kanto_lanes_load(start + position &* stride, Int64(stride)) }
    @inline(__always) func lanes(at position: Int, count: Int, padding: Float) -> Lanes {
        kanto_lanes_load_first(start + position &* stride, Int64(stride), Int64(count), Lanes(repeating: padding))
    }
}

struct ContiguousOutput: OutputRow {
    let start: UnsafeMutablePointer<Float>
    @inline(__always) init(_ start: UnsafeMutablePointer<Float>, stride: Int) { self.start = start }
    @inline(__always) func store(_ lanes: Lanes, at position: Int) {
        UnsafeMutableRawPointer(start + position).storeBytes(of: lanes, as: Lanes.self)
    }
    @inline(__always) func store(_ lanes: Lanes, at position: Int, count: Int) {
        StridedOutput(start, stride: 1).store(lanes, at: position, count: count)
    }
}

struct StridedOutput: OutputRow {
    let start: UnsafeMutablePointer<Float>
    let stride: Int
    @inline(__always) init(_ start: UnsafeMutablePointer<Float>, stride: Int) {
        self.start = start
        self.stride = stride
    }
    @inline(__always) func store(_ lanes: Lanes, at position: Int) {
        kanto_lanes_store(lanes, start + position &* stride, Int64(stride))
    }
    @inline(__always) func store(_ lanes: Lanes, at position: Int, count: Int) {
        kanto_lanes_store_first(lanes, start + position &* stride, Int64(stride), Int64(count))
    }
}
