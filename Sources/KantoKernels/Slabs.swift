import Glibc

/// Where small blocks come from: slabs of a few huge pages, cut from front to back. Blocks of their own would lie on small
/// pages, and a step that passes over some megabytes of them waits for translations (a critic step of two layers of 512 on a
/// virtual machine: 2 to 4% of its time).
struct Slabs {
    /// Bytes of a huge page.
    static let hugePage = 2 << 20
    /// Bytes of a slab. What is not touched of it takes no memory.
    static let byteCount = 8 * hugePage
    /// Bytes of the largest block that is cut from a slab.
    static let largestBlock = byteCount / 4

    /// How many blocks were cut from each slab.
    private var cutCounts: [UnsafeMutableRawPointer: Int] = [:]
    /// The slab that is being cut, and how much of it has been.
    private var current: UnsafeMutableRawPointer?
    private var cutByteCount = 0

    var count: Int { cutCounts.count }

    /// A block that nobody has had, and whether the system was asked for it; nil if the system refuses.
    ///
    /// - Parameter byteCount: a multiple of `Memory.alignment`, at most `largestBlock`.
    mutating func cut(_ byteCount: Int) -> (block: UnsafeMutableRawPointer, isFirstOfSlab: Bool)? {
        var isFirst = false
        if current == nil || cutByteCount + byteCount > Slabs.byteCount {
            // Aligned to its size, so that the address of a block tells its slab.
            guard let slab = Slabs.allocate(Slabs.byteCount, alignment: Slabs.byteCount) else { return nil }
            (current, cutByteCount, isFirst) = (slab, 0, true)
            cutCounts[slab] = 0
        }
        let block = current! + cutByteCount
        cutByteCount += byteCount
        cutCounts[current!]! += 1
        return (block, isFirst)
    }

    /// Takes away the slabs of which all blocks are among these, to be freed.
    mutating func removeSlabs(of idle: [UnsafeMutableRawPointer]) -> Set<UnsafeMutableRawPointer> {
        var idleCounts: [UnsafeMutableRawPointer: Int] = [:]
        for block in idle { idleCounts[Slabs.slab(of: block), default: 0] += 1 }
        let removed = Set(idleCounts.filter { cutCounts[$0.key] == $0.value }.keys)
        for slab in removed {
            cutCounts[slab] = nil
            if slab == current { current = nil }
        }
        return removed
    }

    static func slab(of block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        block - Int(bitPattern: block) % byteCount
    }

    /// Memory of the system, on huge pages where there is room for one and the system has them; nil if it refuses.
    static func allocate(_ byteCount: Int, alignment: Int = hugePage) -> UnsafeMutableRawPointer? {
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, alignment, byteCount) == 0, let pointer else { return nil }
        madvise(pointer, byteCount, Int32(MADV_HUGEPAGE))
        return pointer
    }
}
