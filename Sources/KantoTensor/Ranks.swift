import KantoCommunication
import KantoKernels

extension Tensor {
    /// The sum of this tensor over all ranks, each of which calls this with one of the same shape; see `Communicator`.
    ///
    /// It is linear and its own adjoint: what is computed from the sum depends on the tensors of all ranks, and their adjoints
    /// are sums over all ranks. So all ranks must ask for the same gradients, in the same order.
    ///
    /// - Throws: `RankError` if another rank does not answer.
    public func allReduced(by communicator: Communicator) throws -> Tensor {
        let output = try Tensor(uninitialized: shape, elementType)
        if count > 0 { output.pointer.copyMemory(from: pointer, byteCount: count * elementType.size) }
        try communicator.sum(output.pointer, count: count, elementType)
        return recorded(.allReduce(communicator), [self], output)
    }

    /// The sums of several tensors over all ranks, by one message: constants.
    package static func allReduced(_ tensors: [Tensor], by communicator: Communicator) throws -> [Tensor] {
        try withoutGradient {
            guard let type = tensors.first?.elementType, tensors.allSatisfy({ $0.elementType == type }) else {
                return try tensors.map { try $0.detached().allReduced(by: communicator) }
            }
            let flat = try Tensor(uninitialized: [tensors.reduce(0) { $0 + $1.count }], type)
            var start = 0
            for tensor in tensors where tensor.count > 0 {
                (flat.pointer + start * type.size).copyMemory(from: tensor.pointer, byteCount: tensor.count * type.size)
                start += tensor.count
            }
            try communicator.sum(flat.pointer, count: flat.count, type)
            start = 0
            return try tensors.map { tensor in
                defer { start += tensor.count }
                return try flat.sliced(start..<start + tensor.count).reshaped(tensor.shape)
            }
        }
    }
}
