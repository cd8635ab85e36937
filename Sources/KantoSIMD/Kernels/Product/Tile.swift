// The registers of a matrix product: six rows of one to four vectors. Structs of named values with inlined methods stay
// in registers; an array of accumulators, even an inline one, goes through memory at each step (33 instead of 118
// GFLOP/s).

/// Consecutive columns of one row, as vectors.
protocol VectorRow {
    static var vectorCount: Int { get }
    init()
    init(loading source: UnsafePointer<Float>)
    func store(to target: UnsafeMutablePointer<Float>)
    /// The target is aligned to a vector.
    func store(pastCachesTo target: UnsafeMutablePointer<Float>)
    mutating func add(_ other: Self)
    /// Adds a · b, with one word for all columns.
    mutating func addProduct<Word: SumWord>(_ a: Float, _ b: Self, _ word: Word.Type)
    /// Multiplies what is not above zero by the slope; a slope of zero yields zero, even from infinity.
    mutating func applyLeakyReLU(slope: Float)
    /// Multiplies by the derivative at the outputs that were saved for this target.
    mutating func multiply<Kind: DerivativeKind>(
        by derivative: Derivative, _ kind: Kind.Type, of target: UnsafeMutablePointer<Float>)
}

extension VectorRow {
    @inline(__always) static var width: Int { vectorCount &* Lanes.scalarCount }
    /// Whether rows that begin with a cache line fill it, and any others.
    @inline(__always) static var fillsCacheLines: Bool { width % floatsPerLine == 0 }
}

struct SingleRow: VectorRow {
    var lanes: Lanes

    @inline(__always) static var vectorCount: Int { 1 }
    @inline(__always) init() { lanes = Lanes() }
    @inline(__always) init(loading source: UnsafePointer<Float>) { lanes = loadLanes(source) }
    @inline(__always) func store(to target: UnsafeMutablePointer<Float>) { storeLanes(lanes, to: target) }
    @inline(__always) func store(pastCachesTo target: UnsafeMutablePointer<Float>) { storePastCaches(lanes, to: target) }
    @inline(__always) mutating func add(_ other: SingleRow) { lanes += other.lanes }
    @inline(__always) mutating func addProduct<Word: SumWord>(_ a: Float, _ b: SingleRow, _ word: Word.Type) {
        lanes = Word.addProduct(Lanes(repeating: a), b.lanes, to: lanes)
    }
    @inline(__always) mutating func applyLeakyReLU(slope: Float) {
        lanes = lanes.replacing(with: scaled(lanes, by: slope), where: lanes .<= Lanes())
    }
    @inline(__always)
    mutating func multiply<Kind: DerivativeKind>(
        by derivative: Derivative, _ kind: Kind.Type, of target: UnsafeMutablePointer<Float>
    ) {
        lanes = Kind.multiply(lanes, loadLanes(derivative.saved(of: target)), derivative.constant)
    }
}

struct RowPair<First: VectorRow, Second: VectorRow>: VectorRow {
    var first: First
    var second: Second

    @inline(__always) static var vectorCount: Int { First.vectorCount &+ Second.vectorCount }
    @inline(__always) init() {
        first = First()
        second = Second()
    }
    @inline(__always) init(loading source: UnsafePointer<Float>) {
        first = First(loading: source)
        second = Second(loading: source + First.width)
    }
    @inline(__always) func store(to target: UnsafeMutablePointer<Float>) {
        first.store(to: target)
        second.store(to: target + First.width)
    }
    @inline(__always) func store(pastCachesTo target: UnsafeMutablePointer<Float>) {
        first.store(pastCachesTo: target)
        second.store(pastCachesTo: target + First.width)
    }
    @inline(__always) mutating func add(_ other: Self) {
        first.add(other.first)
        second.add(other.second)
    }
    @inline(__always) mutating func addProduct<Word: SumWord>(_ a: Float, _ b: Self, _ word: Word.Type) {
        first.addProduct(a, b.first, Word.self)
        second.addProduct(a, b.second, Word.self)
    }
    @inline(__always) mutating func applyLeakyReLU(slope: Float) {
        first.applyLeakyReLU(slope: slope)
        second.applyLeakyReLU(slope: slope)
    }
    @inline(__always)
    mutating func multiply<Kind: DerivativeKind>(
        by derivative: Derivative, _ kind: Kind.Type, of target: UnsafeMutablePointer<Float>
    ) {
        first.multiply(by: derivative, Kind.self, of: target)
        second.multiply(by: derivative, Kind.self, of: target + First.width)
    }
}

/// Six of anything, with a name each.
struct Six<Element> {
    var e0, e1, e2, e3, e4, e5: Element

    @inline(__always) func forEach(_ body: (Element) -> Void) {
        body(e0)
        body(e1)
        body(e2)
        body(e3)
        body(e4)
        body(e5)
    }
}

/// Rows of a tile. In memory it is a matrix [6, width].
typealias Tile<Row: VectorRow> = Six<Row>

@inline(__always) var tileRows: Int { 6 }

@inline(__always) func loadLanes(_ source: UnsafePointer<Float>) -> Lanes {
    UnsafeRawPointer(source).loadUnaligned(as: Lanes.self)
}

@inline(__always) func storeLanes(_ lanes: Lanes, to target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: lanes, as: Lanes.self)
}
