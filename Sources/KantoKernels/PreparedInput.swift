import KantoABI

/// An input in the form that a kernel made of it, for any number of that kernel's runs: weights, say, until they are updated.
/// A run without it makes the same result, and the form again.
package final class PreparedInput: Sendable {
    let kernel: Kernel
    private let index: Int
    private let form: Buffer

    fileprivate init(of index: Int, for kernel: Kernel, byteCount: Int) throws(KernelError) {
        (self.kernel, self.index) = (kernel, index)
        form = try Buffer(byteCount: byteCount)
    }

    fileprivate func fill(from input: UnsafeRawPointer?) throws(KernelError) {
        var inputs: InputPointers = (nil, nil, nil)
        store(input, in: &inputs)
        try withUnsafeBytes(of: inputs) { (inputs) throws(KernelError) in
            var arguments = kanto_arguments()
            arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
            arguments.input_count = kernel.inputCount
            arguments.inputs = inputs.assumingMemoryBound(to: UnsafeRawPointer?.self).baseAddress
            try kernel.perform(.prepare(UInt32(index), into: form.pointer), &arguments)
        }
    }

    /// Puts the form in its input's place.
    func store(in forms: inout InputPointers) { store(form.pointer, in: &forms) }

    private func store(_ pointer: UnsafeRawPointer?, in pointers: inout InputPointers) {
        switch index {
        case 0: pointers.0 = pointer
        case 1: pointers.1 = pointer
        default: pointers.2 = pointer
        }
    }
}

extension Kernel {
    /// Bytes of its form of an input; 0 if it takes the input as it is.
    package func preparedByteCount(ofInput index: Int) -> Int {
        index < Int(min(inputCount, raw.pointee.prepared_count)) ? raw.pointee.prepared_bytes[index] : 0
    }

    /// Its form of an input; `nil` if it takes the input as it is.
    ///
    /// - Parameters:
    ///   - index: of the input, in the order that `kanto_backend.h` states for the op.
    ///   - input: the whole operand. The form is that of its content now.
    /// - Throws: `KernelError.problem` if the operand is shorter than the problem says; `KernelError.memory` if there is none for
    ///   the form or the scratch; `KernelError.failed`.
    package func prepare(input index: Int, _ input: UnsafeRawBufferPointer) throws(KernelError) -> PreparedInput? {
        let operands = try problem.operands().filter { !$0.isOutput }
        guard operands.indices.contains(index) else {
            throw .problem("\(problem): input \(index) of \(operands.count)")
        }
        guard input.count >= operands[index].byteCount else {
            throw .problem("\(problem): \(operands[index].name) has \(input.count) bytes, expected \(operands[index].byteCount)")
        }
        let byteCount = preparedByteCount(ofInput: index)
        if byteCount == 0 { return nil }
        let prepared = try PreparedInput(of: index, for: self, byteCount: byteCount)
        try prepared.fill(from: input.baseAddress)
        return prepared
    }
}
