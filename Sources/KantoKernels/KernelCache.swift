/// Made kernels, least recently used last, bounded. Eviction drops the cache's reference only: a run keeps its kernel.
struct KernelCache {
    struct Key: Hashable {
        let problem: Problem
        let selection: Int
        let threadCount: Int
    }

    struct Statistics: Equatable {
        var hits = 0, misses = 0, evictions = 0
    }

    private struct Entry {
        let key: Key
        let kernel: Kernel
        var previous: Int, next: Int
    }

    private let capacity: Int
    private var slots: [Key: Int] = [:]
    private var entries: [Entry] = []
    // The ends of the list of uses; -1 where it is empty.
    private var newest = -1, oldest = -1
    private(set) var statistics = Statistics()

    init(capacity: Int) { self.capacity = capacity }

    /// Whether a kernel is there, which is no use of it.
    func contains(_ key: Key) -> Bool { slots[key] != nil }

    mutating func find(_ key: Key) -> Kernel? {
        guard let slot = slots[key] else {
            statistics.misses += 1
            return nil
        }
        statistics.hits += 1
        if slot != newest {
            unlink(slot)
            link(slot)
        }
        return entries[slot].kernel
    }

    mutating func insert(_ kernel: Kernel, for key: Key) {
        var slot = entries.count
        let entry = Entry(key: key, kernel: kernel, previous: -1, next: -1)
        if slot == capacity {
            slot = oldest
            unlink(slot)
            slots[entries[slot].key] = nil
            entries[slot] = entry
            statistics.evictions += 1
        } else {
            entries.append(entry)
        }
        slots[key] = slot
        link(slot)
    }

    private mutating func unlink(_ slot: Int) {
        let (previous, next) = (entries[slot].previous, entries[slot].next)
        if previous >= 0 { entries[previous].next = next } else { newest = next }
        if next >= 0 { entries[next].previous = previous } else { oldest = previous }
    }

    private mutating func link(_ slot: Int) {
        entries[slot].previous = -1
        entries[slot].next = newest
        if newest >= 0 { entries[newest].previous = slot } else { oldest = slot }
        newest = slot
    }
}
