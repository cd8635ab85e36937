import Glibc
import Testing

@testable import KantoKernels

/// Serialized: the statistics are those of the process. What other suites allocate meanwhile is small, so differences
/// of large blocks are seen through it.
@Suite(.serialized) struct MemoryTests {
    @Test func sizeClasses() {
        var sizes = Array(0...5000)
        for power in 12...40 {
            for step in 0..<16 {
                let size = (1 << power) + step << (power - 4)
                sizes += [size - 1, size, size + 1]
            }
        }
        var classes: [Int: Int] = [:]
        for size in sizes {
            let (index, byteCount) = Memory.sizeClass(of: size)
            #expect(byteCount >= size && byteCount >= 64 && byteCount % 64 == 0, "\(size)")
            #expect((0..<512).contains(index), "\(size)")
            if size >= 512 { #expect((byteCount - size) * 8 <= size, "\(size) wastes \(byteCount - size)") }
            // A class has one size, and its size is of the same class.
            #expect(classes.updateValue(byteCount, forKey: index) ?? byteCount == byteCount, "\(size)")
            #expect(Memory.sizeClass(of: byteCount) == (index, byteCount), "\(size)")
        }
    }

    @Test(arguments: [0, 1, 64, 65, 4096, 100_000, 3 << 20])
    func isAligned(byteCount: Int) throws {
        let buffers = try (0..<4).map { _ in try Buffer(byteCount: byteCount) }
        for buffer in buffers {
            #expect(Int(bitPattern: buffer.pointer) % Memory.alignment == 0)
            buffer.pointer.initializeMemory(as: UInt8.self, repeating: 7, count: byteCount)
        }
        #expect(Set(buffers.map(\.pointer)).count == 4)
    }

    @Test func whatTheSystemRefusesIsAnError() {
        let before = Memory.statistics
        for byteCount in [Processor.memoryByteCount + 1, 1 << 60, Int.max] {
            #expect(throws: KernelError.memory(byteCount: byteCount)) { try Memory.allocate(byteCount: byteCount) }
            #expect(throws: KernelError.memory(byteCount: byteCount)) { try Buffer(byteCount: byteCount) }
        }
        #expect("\(KernelError.memory(byteCount: 123))" == "out of memory: the system refuses 123 bytes")
        #expect(abs(Memory.statistics.inUse - before.inUse) < 1 << 30)
    }

    @Test func lendsAgainWhatWasReleased() throws {
        // A class that nobody else uses.
        let size = 37 << 20
        let first = try Memory.allocate(byteCount: size)
        Memory.release(first, byteCount: size)
        let second = try Memory.allocate(byteCount: size - 1000)
        #expect(first == second)
        Memory.release(second, byteCount: size - 1000)
        Memory.releaseCache()
    }

    @Test func statistics() throws {
        let size = 48 << 20, slack = 1 << 20
        let before = Memory.statistics
        let pointer = try Memory.allocate(byteCount: size)
        let held = Memory.statistics
        #expect(abs(held.inUse - before.inUse - size) < slack)
        #expect(held.peak >= held.inUse - slack)
        #expect(held.systemAllocations > before.systemAllocations)
        Memory.release(pointer, byteCount: size)
        let released = Memory.statistics
        #expect(abs(held.inUse - released.inUse - size) < slack)
        #expect(released.cached >= size)
        Memory.releaseCache()
        // What other suites have released of slabs in use stays.
        #expect(released.cached - Memory.statistics.cached > size - slack)
    }

    @Test func smallBlocksAreCutFromSlabs() throws {
        var slabs = Slabs()
        var cut: [(block: UnsafeMutableRawPointer, byteCount: Int)] = []
        defer {
            // All slabs go: all their blocks are idle.
            for slab in slabs.removeSlabs(of: cut.map(\.block)) { free(slab) }
            #expect(slabs.count == 0)
        }
        var firsts = 0
        let large = Slabs.largestBlock
        for byteCount in [64, large, 4096, 1 << 20, 192, large, large, large, 64] {
            let found = slabs.cut(byteCount)
            let (block, isFirst) = try #require(found)
            cut.append((block, byteCount))
            firsts += isFirst ? 1 : 0
            #expect(Int(bitPattern: block) % Memory.alignment == 0)
            let slab = Slabs.slab(of: block)
            #expect(block + byteCount <= slab + Slabs.byteCount)
            block.initializeMemory(as: UInt8.self, repeating: UInt8(cut.count), count: byteCount)
        }
        for (number, (block, byteCount)) in cut.enumerated() {
            let bytes = UnsafeRawBufferPointer(start: block, count: byteCount)
            #expect(bytes.allSatisfy { Int($0) == number + 1 }, "block \(number) overlaps another")
        }
        #expect(firsts == 2 && slabs.count == 2)
        // A slab of which one block is in use stays; the other goes.
        let last = Slabs.slab(of: cut.last!.block)
        let first = cut.filter { Slabs.slab(of: $0.block) != last }.map(\.block)
        #expect(slabs.removeSlabs(of: Array(first.dropLast())).isEmpty)
        let removed = slabs.removeSlabs(of: first)
        #expect(removed == [Slabs.slab(of: first[0])] && slabs.count == 1)
        for slab in removed { free(slab) }
        cut.removeAll { removed.contains(Slabs.slab(of: $0.block)) }
    }

    /// In a process of its own: what other suites keep for reuse meanwhile counts, too.
    @Test func aSlabGoesWithItsLastBlock() async {
        await #expect(processExitsWith: .success) {
            let size = Slabs.largestBlock
            let blocks = try (0..<32).map { _ in try Memory.allocate(byteCount: size) }
            for block in blocks { Memory.release(block, byteCount: size) }
            let released = Memory.statistics.cached
            Memory.releaseCache()
            #expect(released - Memory.statistics.cached >= Slabs.byteCount)
        }
    }
}

/// What is kept for reuse stays within the bound that `Memory` states. Each test has a process of its own, since the
/// statistics are those of the process.
@Suite struct MemoryBoundTests {
    static func expectBounded(_ circumstance: String) {
        let statistics = Memory.statistics
        #expect(statistics.cached <= statistics.peak + 32 << 20, "\(circumstance): \(statistics)")
    }

    @Test func oneBufferAtATimeOfGrowingSize() async {
        await #expect(processExitsWith: .success) {
            for size in 1...64 {
                _ = try Buffer(byteCount: size << 20)
                Self.expectBounded("\(size) MB")
            }
            #expect(Memory.statistics.peak < 80 << 20)
            // What was released last is still there.
            let before = Memory.statistics.systemAllocations
            for size in 60...64 { _ = try Buffer(byteCount: size << 20) }
            #expect(Memory.statistics.systemAllocations <= before + 4)
            _ = try Buffer(byteCount: 64 << 20)
            #expect(Memory.statistics.systemAllocations <= before + 4)
        }
    }

    /// Many blocks of one size, then of another, of which a few stay so that their slabs cannot go.
    @Test(arguments: [false, true]) func smallBlocksOfGrowingSize(someStay: Bool) async {
        await #expect(processExitsWith: .success) { [someStay] in
            var stayed: [Buffer] = []
            for size in stride(from: 1000, through: 200_000, by: 9_950) {
                let buffers = try (0..<(64 << 20) / size).map { _ in try Buffer(byteCount: size) }
                if someStay { stayed.append(buffers[0]) }
            }
            // A slab that is kept by a block of each size.
            let kept = someStay ? stayed.count * Slabs.byteCount : 0
            let statistics = Memory.statistics
            #expect(statistics.cached <= statistics.peak + 32 << 20 + kept, "\(statistics)")
            // Large blocks are still kept for reuse.
            for _ in 0..<3 { _ = try Buffer(byteCount: 24 << 20) }
            #expect(Memory.statistics.systemAllocations == statistics.systemAllocations + 1)
        }
    }

    /// Sizes that come again and again, each alone for a while, are kept as long as they fit the bound.
    @Test func sizesThatComeAgainAreKept() async {
        await #expect(processExitsWith: .success) {
            func round() throws {
                let stays = try Buffer(byteCount: 40 << 20)
                for size in [4, 6, 9, 13] { _ = try Buffer(byteCount: size << 20) }
                withExtendedLifetime(stays) {}
            }
            try round()
            let before = Memory.statistics.systemAllocations
            for _ in 0..<100 { try round() }
            #expect(Memory.statistics.systemAllocations == before)
            Self.expectBounded("in the end")
        }
    }
}
