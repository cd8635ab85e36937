import Glibc

/// A caching allocator: what is released is kept by size and lent again, so that a training step asks the system for
/// nothing once it has run a few times.
public enum Memory {
    /// Alignment of every allocation, in bytes: a cache line and the widest vector.
    public static let alignment = 64

    /// What the allocator holds, in bytes.
    public struct Statistics: Sendable, Equatable {
        /// Lent to live buffers.
        public var inUse = 0
        /// Released and kept for the next buffer.
        public var cached = 0
        /// The largest value that `inUse` has had.
        public var peak = 0
        /// How often the system was asked for memory.
        public var systemAllocations = 0
    }

    public static var statistics: Statistics { state.withLock { $0.statistics } }

    /// Gives cached memory back to the system; small blocks only together with all others of their slab.
    public static func releaseCache() {
        let blocks: [UnsafeMutableRawPointer] = state.withLock { state in
            let largestCut = sizeClass(of: Slabs.largestBlock).index
            let slabs = state.slabs.removeSlabs(of: state.free[...largestCut].flatMap { $0 })
            for index in 0...largestCut { state.free[index].removeAll { slabs.contains(Slabs.slab(of: $0)) } }
            let large = state.free[(largestCut + 1)...].flatMap { $0 }
            for index in (largestCut + 1)..<classCount { state.free[index] = [] }
            state.statistics.cached = state.free.indices.reduce(0) { $0 + state.free[$1].count * byteCount(ofClass: $1) }
            return large + slabs
        }
        for block in blocks { free(block) }
    }

    private struct State {
        var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: Memory.classCount)
        var slabs = Slabs()
        var statistics = Statistics()
    }
    private static let state = Lock(State())
    private static let classCount = 64 * 8

    /// Eight sizes to an octave, so that at most an eighth is wasted.
    static func sizeClass(of byteCount: Int) -> (index: Int, byteCount: Int) {
        let size = max(byteCount, alignment)
        let octave = Int.bitWidth - 1 - (size - 1).leadingZeroBitCount
        let step = max(alignment, 1 << max(0, octave - 3))
        let rounded = (size + step - 1) / step * step
        let top = Int.bitWidth - 1 - rounded.leadingZeroBitCount
        return (top * 8 + (rounded >> max(0, top - 3)) & 7, rounded)
    }

    private static func byteCount(ofClass index: Int) -> Int { (8 + index % 8) << max(0, index / 8 - 3) }

    /// Memory of at least `byteCount` bytes; its content is undefined.
    ///
    /// - Throws: `KernelError.memory` if the system refuses.
    static func allocate(byteCount: Int) throws(KernelError) -> UnsafeMutableRawPointer {
        guard byteCount <= Processor.memoryByteCount else { throw .memory(byteCount: byteCount) }
        let (index, size) = sizeClass(of: byteCount)
        if let block = lend(index, size) { return block }
        releaseCache()
        if let block = lend(index, size) { return block }
        throw .memory(byteCount: byteCount)
    }

    /// A block of a class: one that was released, or a new one; nil if the system refuses.
    private static func lend(_ index: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        state.withLock { state in
            var block = state.free[index].popLast()
            if block != nil {
                state.statistics.cached -= size
            } else if size <= Slabs.largestBlock, let cut = state.slabs.cut(size) {
                block = cut.block
                if cut.isFirstOfSlab { state.statistics.systemAllocations += 1 }
            } else if size > Slabs.largestBlock, let large = Slabs.allocate(size) {
                block = large
                state.statistics.systemAllocations += 1
            }
            if block != nil {
                state.statistics.inUse += size
                state.statistics.peak = max(state.statistics.peak, state.statistics.inUse)
            }
            return block
        }
    }

    /// Gives back what `allocate` lent for the same byte count.
    static func release(_ pointer: UnsafeMutableRawPointer, byteCount: Int) {
        let (index, size) = sizeClass(of: byteCount)
        state.withLock { state in
            state.statistics.inUse -= size
            state.statistics.cached += size
            state.free[index].append(pointer)
        }
    }
}

/// A block of memory from the caching allocator, given back with its last reference.
public final class Buffer: @unchecked Sendable {
    /// Aligned to `Memory.alignment`.
    public let pointer: UnsafeMutableRawPointer
    public let byteCount: Int

    /// A buffer with undefined content.
    ///
    /// - Throws: `KernelError.memory` if the system refuses.
    public init(byteCount: Int) throws(KernelError) {
        self.byteCount = byteCount
        pointer = try Memory.allocate(byteCount: byteCount)
    }

    deinit { Memory.release(pointer, byteCount: byteCount) }
}
