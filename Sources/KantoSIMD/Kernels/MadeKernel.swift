import KantoABI

/// What a kernel of any plan begins with.
struct KernelHead {
    var kernel: kanto_kernel
    var description: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    /// Memory that the plan points to, freed with the kernel.
    var owned: UnsafeMutableRawPointer?
    /// A kernel that the plan runs too, or falls back on, released with this one.
    var other: UnsafeMutablePointer<kanto_kernel>?
}

/// A kernel and its plan, in one block of memory.
struct MadeKernel<Plan> {
    var head: KernelHead
    var plan: Plan
}

typealias RunFunction =
    @convention(c) (
        UnsafePointer<kanto_kernel>?, UnsafePointer<kanto_arguments>?, UnsafeMutablePointer<kanto_message>?
    ) -> kanto_status

/// Puts a kernel for the plan into the slot.
///
/// - Parameters:
///   - operation: what it is, for people.
///   - tile: the tile of its microkernel, where it has one; stands behind the operation.
///   - owned: memory that the plan points to, to be freed with the kernel.
///   - other: a kernel that the plan runs too, or falls back on, to be released with this one.
@inline(__always)
func makeKernel<Plan>(
    _ slot: KernelSlot, _ operation: StaticString, tile: StaticString? = nil, _ plan: Plan, scratchBytes: Int = 0,
    owned: UnsafeMutableRawPointer? = nil, other: UnsafeMutablePointer<kanto_kernel>? = nil, run: RunFunction
) -> kanto_status {
    let made = UnsafeMutablePointer<MadeKernel<Plan>>.allocate(capacity: 1)
    let head = KernelHead(kernel: kanto_kernel(), description: (0, 0, 0, 0, 0, 0, 0, 0), owned: owned, other: other)
    made.initialize(to: MadeKernel(head: head, plan: plan))
    let text = UnsafeMutableRawPointer(made) + MemoryLayout<kanto_kernel>.stride
    write(operation, to: text, space: 32)
    if let tile {
        text.storeBytes(of: UInt8(ascii: " "), toByteOffset: operation.utf8CodeUnitCount, as: UInt8.self)
        write(tile, to: text + operation.utf8CodeUnitCount + 1, space: 30)
    }
    made.pointee.head.kernel.struct_size = UInt32(MemoryLayout<kanto_kernel>.size)
    made.pointee.head.kernel.scratch_bytes = scratchBytes
    made.pointee.head.kernel.description = UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self)
    made.pointee.head.kernel.run = run
    made.pointee.head.kernel.release = { kernel in
        let head = UnsafeMutableRawPointer(kernel!).assumingMemoryBound(to: KernelHead.self)
        head.pointee.owned?.deallocate()
        if let other = head.pointee.other { other.pointee.release?(other) }
        kernel!.deallocate()
    }
    slot.pointee = UnsafeMutableRawPointer(made).assumingMemoryBound(to: kanto_kernel.self)
    return kanto_status(KANTO_STATUS_OK)
}

/// A kernel that `makeKernel` made for such a plan.
@inline(__always)
func madeKernel<Plan>(at kernel: UnsafePointer<kanto_kernel>, as type: Plan.Type) -> UnsafePointer<MadeKernel<Plan>> {
    UnsafeRawPointer(kernel).assumingMemoryBound(to: MadeKernel<Plan>.self)
}

private func write(_ text: StaticString, to target: UnsafeMutableRawPointer, space: Int) {
    target.copyMemory(from: text.utf8Start, byteCount: min(text.utf8CodeUnitCount, space))
}

@inline(__always) func floats(_ pointer: UnsafeRawPointer?) -> UnsafePointer<Float>? {
    pointer?.assumingMemoryBound(to: Float.self)
}
