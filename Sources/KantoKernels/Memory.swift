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

    /// Gives cached memory back to the system.
    public static func releaseCache() {
        let lists = state.withLock { state in
            defer {
                state.free = Array(repeating: [], count: classCount)
                state.statistics.cached = 0
            }
            return state.free
        }
        for list in lists { for block in list { free(block) } }
    }

    private struct State {
        var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: Memory.classCount)
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

    /// Memory of at least `byteCount` bytes; its content is undefined.
    ///
    /// - Throws: `KernelError.memory` if the system refuses.
    static func allocate(byteCount: Int) throws(KernelError) -> UnsafeMutableRawPointer {
        guard byteCount <= Processor.memoryByteCount else { throw .memory(byteCount: byteCount) }
        let (index, size) = sizeClass(of: byteCount)
        let cached: UnsafeMutableRawPointer? = state.withLock { state in
            state.statistics.inUse += size
            state.statistics.peak = max(state.statistics.peak, state.statistics.inUse)
            if let block = state.free[index].popLast() {
                state.statistics.cached -= size
                return block
            }
            state.statistics.systemAllocations += 1
            return nil
        }
        if let cached { return cached }
        // Large blocks on huge pages: a packed weight panel then costs few translations.
        let huge = 2 << 20
        var pointer: UnsafeMutableRawPointer?
        var status = posix_memalign(&pointer, size >= huge ? huge : alignment, size)
        if status != 0 {
            releaseCache()
            status = posix_memalign(&pointer, size >= huge ? huge : alignment, size)
        }
        guard status == 0, let pointer else {
            state.withLock { state in
                state.statistics.inUse -= size
                state.statistics.systemAllocations -= 1
            }
            throw .memory(byteCount: byteCount)
        }
        if size >= huge { madvise(pointer, size, Int32(MADV_HUGEPAGE)) }
        return pointer
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

    /// A buffer with undefined content. Ends the process if there is no memory for it, as an array does.
    public init(byteCount: Int) {
        self.byteCount = byteCount
        do throws(KernelError) { pointer = try Memory.allocate(byteCount: byteCount) } catch { fatalError("\(error)") }
    }

    deinit { Memory.release(pointer, byteCount: byteCount) }
}
