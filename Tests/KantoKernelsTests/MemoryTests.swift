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
    func isAligned(byteCount: Int) {
        let buffers = (0..<4).map { _ in Buffer(byteCount: byteCount) }
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
        #expect(Memory.statistics.cached < slack)
    }
}
