import Glibc

/// A caching allocator: what is released is kept by size and lent again, so that a training step asks the system for
/// nothing once it has run a few times.
///
/// No more is kept than has been in use at one time, and 32 MB: `cached` is at most `peak` + 32 MB, and so the process holds at
/// most twice its peak and 32 MB. Beyond that, what was released longest ago goes back to the system. Blocks of up to 2 MB
/// are cut from slabs of 16 MB and go back with the last of their slab, so they may exceed the bound while others of their
/// slabs are in use.
public enum Memory {
    /// Alignment of every allocation, in bytes: a cache line and the widest vector.
    public static let alignment = 64

    /// What may be kept beyond `Statistics.peak`, in bytes: two slabs, one that is being cut and one that is about to go.
    static let slack = 2 * Slabs.byteCount

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

    /// What is in use and kept for reuse at this moment.
    public static var statistics: Statistics { state.withLock { $0.statistics } }

    /// Gives cached memory back to the system; small blocks only together with all others of their slab.
    public static func releaseCache() {
        let blocks: [UnsafeMutableRawPointer] = state.withLock { state in
            var blocks = state.removeIdleSlabs()
            while let block = state.removeOldestLargeBlock() { blocks.append(block) }
            return blocks
        }
        for block in blocks { free(block) }
    }

    /// A block that was released, and how many had been released before it.
    private struct FreeBlock { let pointer: UnsafeMutableRawPointer, number: Int }

    private struct State {
        /// By class, in the order of release: the last is lent first.
        var free: [[FreeBlock]] = Array(repeating: [], count: Memory.classCount)
        var slabs = Slabs()
        var statistics = Statistics()
        var releaseCount = 0
        /// Of `Statistics.cached`, what stands in slabs, and how much of it stayed when idle slabs were last removed.
        var cachedInSlabs = 0, keptInSlabs = 0
        /// The `releaseCount` then.
        var releaseCountOfSweep = 0

        /// Takes from the cache what exceeds its bound, to be freed.
        mutating func removeSurplus() -> [UnsafeMutableRawPointer] {
            var removed: [UnsafeMutableRawPointer] = []
            if isSweepDue { removed = removeIdleSlabs() }
            while statistics.cached - keptInSlabs > bound, let block = removeOldestLargeBlock() { removed.append(block) }
            return removed
        }

        /// Whether idle slabs may be worth looking for, which passes over all small blocks: not for less than a slab, unless
        /// much has been released since.
        var isSweepDue: Bool { cachedInSlabs - keptInSlabs >= Slabs.byteCount || releaseCount - releaseCountOfSweep >= 1 << 16 }

        /// What may be cached.
        var bound: Int { statistics.peak + Memory.slack }

        /// Whether more is cached than that. What blocks in use keep from going counts only where it may have
        /// become free to go.
        var exceedsBound: Bool {
            statistics.cached > bound && (statistics.cached - keptInSlabs > bound || isSweepDue)
        }

        /// Takes the slabs away of which all blocks are free.
        mutating func removeIdleSlabs() -> [UnsafeMutableRawPointer] {
            let cut = 0...Memory.largestCutClass
            let idle = slabs.removeSlabs(of: free[cut].flatMap { $0.map(\.pointer) })
            for index in cut where !idle.isEmpty {
                let count = free[index].count
                free[index].removeAll { idle.contains(Slabs.slab(of: $0.pointer)) }
                let byteCount = (count - free[index].count) * Memory.byteCount(ofClass: index)
                statistics.cached -= byteCount
                cachedInSlabs -= byteCount
            }
            keptInSlabs = cachedInSlabs
            releaseCountOfSweep = releaseCount
            return Array(idle)
        }

        /// Takes away the block of its own that was released longest ago; nil if there is none.
        mutating func removeOldestLargeBlock() -> UnsafeMutableRawPointer? {
            var oldest: Int?
            for index in (Memory.largestCutClass + 1)..<Memory.classCount {
                guard let block = free[index].first else { continue }
                if let other = oldest, free[other][0].number < block.number { continue }
                oldest = index
            }
            guard let oldest else { return nil }
            statistics.cached -= Memory.byteCount(ofClass: oldest)
            return free[oldest].removeFirst().pointer
        }
    }
    private static let state = Lock(State())
    private static let classCount = 64 * 8
    private static let largestCutClass = sizeClass(of: Slabs.largestBlock).index

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
            var block = state.free[index].popLast()?.pointer
            if block != nil {
                state.statistics.cached -= size
                if size <= Slabs.largestBlock {
                    state.cachedInSlabs -= size
                    state.keptInSlabs = min(state.keptInSlabs, state.cachedInSlabs)
                }
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
        let surplus: [UnsafeMutableRawPointer]? = state.withLock { state in
            state.statistics.inUse -= size
            state.statistics.cached += size
            if size <= Slabs.largestBlock { state.cachedInSlabs += size }
            state.free[index].append(FreeBlock(pointer: pointer, number: state.releaseCount))
            state.releaseCount += 1
            return state.exceedsBound ? state.removeSurplus() : nil
        }
        if let surplus { for block in surplus { free(block) } }
    }
}

/// A block of memory from the caching allocator, given back with its last reference.
public final class Buffer: @unchecked Sendable {
    /// Aligned to `Memory.alignment`.
    public let pointer: UnsafeMutableRawPointer
    /// Its size.
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
