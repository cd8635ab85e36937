#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

private let sentinelBytes = 64
// A huge number in both float types, so that reading it shows.
private let sentinel: UInt8 = 0xFE
// All ones: a NaN in both float types, and not the one that arithmetic makes.
private let canary: UInt8 = 0xFF

/// Memory between sentinels, filled with the canary.
final class GuardedMemory {
    let base: UnsafeMutableRawPointer
    private let allocation: UnsafeMutableRawBufferPointer
    private let content: Range<Int>

    /// `misalignment` counts bytes from a 64-byte boundary.
    init(byteCount: Int, misalignment: Int = 0) {
        content = sentinelBytes + misalignment..<sentinelBytes + misalignment + byteCount
        allocation = .allocate(byteCount: content.upperBound + sentinelBytes, alignment: 64)
        allocation.initializeMemory(as: UInt8.self, repeating: sentinel)
        base = allocation.baseAddress! + content.lowerBound
        base.initializeMemory(as: UInt8.self, repeating: canary, count: byteCount)
    }

    deinit { allocation.deallocate() }

    var sentinelsStand: Bool {
        allocation[..<content.lowerBound].allSatisfy { $0 == sentinel }
            && allocation[content.upperBound...].allSatisfy { $0 == sentinel }
    }
}

/// A copy of an operand between sentinels. Gaps, and elements that are not given, hold the canary.
final class GuardedOperand<T: BinaryFloatingPoint> {
    let base: UnsafeMutablePointer<T>
    private let operand: Operand
    private let memory: GuardedMemory

    /// `values` lie as in memory, those of gaps are ignored; `misalignment` counts elements.
    init(_ operand: Operand, _ values: [Double]?, misalignment: Int) {
        self.operand = operand
        let size = MemoryLayout<T>.stride
        memory = GuardedMemory(byteCount: operand.span * size, misalignment: misalignment * size)
        base = memory.base.assumingMemoryBound(to: T.self)
        if let values {
            for index in 0..<operand.span where operand.isElement[index] { base[index] = T(values[index]) }
        }
    }

    /// What stands in memory, gaps included.
    var content: [T] { Array(UnsafeBufferPointer(start: base, count: operand.span)) }

    func isUntouched(since content: [T]) -> Bool {
        memory.sentinelsStand && content.withUnsafeBytes { $0.isEmpty || memcmp($0.baseAddress!, base, $0.count) == 0 }
    }

    /// What is wrong with how the operand was written, or nil.
    var fault: String? {
        if !memory.sentinelsStand { return "it is written before its start or beyond its end" }
        for index in 0..<operand.span {
            let holdsCanary = UnsafeRawBufferPointer(start: base + index, count: MemoryLayout<T>.size)
                .allSatisfy { $0 == canary }
            if operand.isElement[index] && holdsCanary {
                return "its element at \(index) is not written, or made of unset memory"
            }
            if !operand.isElement[index] && !holdsCanary {
                return "the gap at \(index) between its elements is written"
            }
        }
        return nil
    }
}
