import KantoKernels

// Ops that change a tensor's shape or layout, in pairs of which each is the other's gradient: broadcast and sum, pad and
// slice, concatenate and slice; reshape and permute are their own.

extension Tensor {
    /// The same elements under another shape; the memory is shared.
    ///
    /// - Parameter shape: one axis may be -1: it takes what the others leave.
    /// - Throws: `TensorError` if the number of elements differs.
    public func reshaped(_ shape: [Int]) throws -> Tensor {
        var wanted = shape
        if let free = shape.firstIndex(of: -1) {
            guard shape.count(where: { $0 == -1 }) == 1 else { throw TensorError("reshape", "\(shape): only one axis may be -1") }
            wanted[free] = 1
            let rest = try elementCount(wanted, for: "reshape")
            wanted[free] = rest > 0 ? count / rest : 0
        }
        guard try elementCount(wanted, for: "reshape") == count else {
            throw TensorError("reshape", "\(self.shape) has \(count) elements, \(shape) does not")
        }
        if wanted == self.shape { return self }
        return recorded(
            .reshape, [self], Tensor(shape: wanted, elementType: elementType, buffer: buffer, offset: offset))
    }

    /// All axes but the first as one: [n, …] to [n, m].
    public func flattened() throws -> Tensor {
        guard rank > 0 else { throw TensorError("flatten", "a scalar has no axis of samples") }
        return try reshaped([shape[0], shape[1...].reduce(1, *)])
    }

    /// The axes in another order: axis i of the result is axis `order[i]` of this tensor.
    public func permuted(_ order: [Int]) throws -> Tensor {
        guard order.sorted() == Array(shape.indices) else {
            throw TensorError("permute", "\(order) is no order of the \(rank) axes of \(shape)")
        }
        let output = try Tensor(uninitialized: order.map { shape[$0] }, elementType)
        let dense = strides(of: shape)
        try copy(
            extents: output.shape, from: pointer, order.map { dense[$0] }, to: output.pointer, strides(of: output.shape),
            elementType)
        return recorded(.permute(order), [self], output)
    }

    /// The elements from `range` along an axis. Along the first axis the memory is shared.
    public func sliced(_ range: Range<Int>, axis: Int = 0) throws -> Tensor {
        guard shape.indices.contains(axis), range.lowerBound >= 0, range.upperBound <= shape[axis] else {
            throw TensorError("slice", "\(range.lowerBound)..<\(range.upperBound) along axis \(axis) is outside of \(shape)")
        }
        if range.count == shape[axis] { return self }
        var wanted = shape
        wanted[axis] = range.count
        let dense = strides(of: shape)
        let start = range.lowerBound * dense[axis]
        let output: Tensor
        if shape[..<axis].allSatisfy({ $0 == 1 }) {
            output = Tensor(shape: wanted, elementType: elementType, buffer: buffer, offset: offset + start)
        } else {
            output = try Tensor(uninitialized: wanted, elementType)
            try copy(
                extents: wanted, from: pointer + start * elementType.size, dense, to: output.pointer, strides(of: wanted),
                elementType)
        }
        return recorded(.slice(axis: axis, start: range.lowerBound), [self], output)
    }

    /// Zeros before and after along an axis.
    public func padded(axis: Int, before: Int, after: Int) throws -> Tensor {
        guard shape.indices.contains(axis), (0...1 << 48).contains(before), (0...1 << 48).contains(after) else {
            throw TensorError("pad", "\(before) before and \(after) after along axis \(axis) of \(shape)")
        }
        if before == 0, after == 0 { return self }
        var wanted = shape
        wanted[axis] += before + after
        try elementCount(wanted, for: "pad")
        let output = try Tensor(repeating: 0, shape: wanted, elementType: elementType)
        let dense = strides(of: wanted)
        try copy(
            extents: shape, from: pointer, strides(of: shape), to: output.pointer + before * dense[axis] * elementType.size,
            dense,
            elementType)
        return recorded(.pad(axis: axis, before: before, after: after), [self], output)
    }

    /// Tensors one behind the other along an axis; the other axes agree.
    public static func concatenated(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
        guard let first = tensors.first, first.shape.indices.contains(axis) else {
            throw TensorError("concatenate", "nothing to join along axis \(axis)")
        }
        var wanted = first.shape
        wanted[axis] = 0
        for tensor in tensors {
            var other = tensor.shape
            guard other.count == wanted.count, tensor.elementType == first.elementType else {
                throw TensorError(
                    "concatenate", "\(tensor.shape) (\(tensor.elementType)) beside \(first.shape) (\(first.elementType))")
            }
            let extent = other[axis]
            other[axis] = wanted[axis]
            guard other == wanted else {
                throw TensorError("concatenate", "\(tensor.shape) does not fit \(first.shape) along axis \(axis)")
            }
            wanted[axis] += extent
        }
        let output = try Tensor(uninitialized: wanted, first.elementType)
        let dense = strides(of: wanted)
        var start = 0
        for tensor in tensors {
            try copy(
                extents: tensor.shape, from: tensor.pointer, strides(of: tensor.shape),
                to: output.pointer + start * dense[axis] * output.elementType.size, dense, output.elementType)
            start += tensor.shape[axis]
        }
        return recorded(.concatenate(axis: axis), tensors, output)
    }

    /// This tensor repeated to a larger shape, as in `broadcastShape`.
    public func broadcast(to wanted: [Int]) throws -> Tensor {
        if wanted == shape { return self }
        guard try Tensor.broadcastShape(shape, wanted, for: "broadcast") == wanted else {
            throw TensorError("broadcast", "\(shape) does not repeat to \(wanted)")
        }
        try elementCount(wanted, for: "broadcast")
        let output = try Tensor(uninitialized: wanted, elementType)
        try copy(
            extents: wanted, from: pointer, strides(of: shape, in: wanted), to: output.pointer, strides(of: wanted), elementType)
        return recorded(.broadcast, [self], output)
    }
}
