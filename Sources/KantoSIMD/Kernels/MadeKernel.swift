import KantoABI

/// A kernel, its description and its plan, in one block of memory that `release` frees.
struct MadeKernel<Plan> {
    var kernel: kanto_kernel
    var description: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    var plan: Plan
}

typealias RunFunction = @convention(c) (
    UnsafePointer<kanto_kernel>?, UnsafePointer<kanto_arguments>?, UnsafeMutablePointer<kanto_message>?
) -> kanto_status

/// Puts a kernel for the plan into the slot. What the plan points to, if anything, is freed by `release`, with the kernel.
@inline(__always)
func makeKernel<Plan>(
    _ slot: KernelSlot, _ operation: StaticString, _ plan: Plan, scratchFloats: Int, run: RunFunction,
    release: @convention(c) (UnsafeMutablePointer<kanto_kernel>?) -> Void = { kernel in kernel?.deallocate() }
) -> kanto_status {
    let made = UnsafeMutablePointer<MadeKernel<Plan>>.allocate(capacity: 1)
    made.initialize(
        to: MadeKernel(kernel: kanto_kernel(), description: (0, 0, 0, 0, 0, 0, 0, 0), plan: plan))
    let text = UnsafeMutableRawPointer(made) + MemoryLayout<kanto_kernel>.stride
    write(operation, to: text, space: 32)
    text.storeBytes(of: UInt8(ascii: " "), toByteOffset: operation.utf8CodeUnitCount, as: UInt8.self)
    write(tileName, to: text + operation.utf8CodeUnitCount + 1, space: 30)
    made.pointee.kernel.struct_size = UInt32(MemoryLayout<kanto_kernel>.size)
    made.pointee.kernel.scratch_bytes = scratchFloats &* 4
    made.pointee.kernel.description = UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self)
    made.pointee.kernel.run = run
    made.pointee.kernel.release = release
    slot.pointee = UnsafeMutableRawPointer(made).assumingMemoryBound(to: kanto_kernel.self)
    return kanto_status(KANTO_STATUS_OK)
}

/// The plan of a kernel that `makeKernel` made.
@inline(__always)
func plan<Plan>(of kernel: UnsafePointer<kanto_kernel>, as type: Plan.Type) -> UnsafePointer<MadeKernel<Plan>> {
    UnsafeRawPointer(kernel).assumingMemoryBound(to: MadeKernel<Plan>.self)
}

private func write(_ text: StaticString, to target: UnsafeMutableRawPointer, space: Int) {
    target.copyMemory(from: text.utf8Start, byteCount: min(text.utf8CodeUnitCount, space))
}
