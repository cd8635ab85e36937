import KantoKernels

extension Tensor {
    /// Rows of this [n, …] in a given order; one may come several times, or not at all.
    ///
    /// - Returns: [rows.count, …].
    /// - Throws: `TensorError` if there is no such row.
    public func gathered(_ rows: [Int]) throws -> Tensor {
        try requireRows(rows, of: shape.first ?? 0, for: "gather")
        let output = try Tensor(uninitialized: [rows.count] + shape[1...], elementType)
        let byteCount = shape[1...].reduce(1, *) * elementType.size
        for (index, row) in rows.enumerated() {
            (output.pointer + index * byteCount).copyMemory(from: pointer + row * byteCount, byteCount: byteCount)
        }
        return recorded(.gather(rows: rows), [self], output)
    }

    /// Each row of this [rows.count, …] added to the row of that number among `count` rows of zeros: the adjoint of `gathered`.
    ///
    /// - Returns: [count, …].
    /// - Throws: `TensorError` if there is no such row, or not one number for each row.
    public func scatterAdded(to rows: [Int], count: Int) throws -> Tensor {
        guard rank > 0, shape[0] == rows.count else {
            throw TensorError("scatter", "\(rows.count) row numbers for a tensor of shape \(shape)")
        }
        try elementCount([count] + shape[1...], for: "scatter")
        try requireRows(rows, of: count, for: "scatter")
        let output = try Tensor.zeros([count] + shape[1...], elementType: elementType)
        let width = shape[1...].reduce(1, *)
        let kernel = try Kernels.kernel(
            for: .iteration(.binary, .add, elementType, extents: [width], output: [1], inputs: [[1], [1]]))
        for (index, row) in rows.enumerated() {
            let sum = output.pointer + row * width * elementType.size
            try kernel.run(sum, pointer + index * width * elementType.size, into: sum)
        }
        return recorded(.scatterAdd(rows: rows), [self], output)
    }

    private func requireRows(_ rows: [Int], of count: Int, for operation: String) throws {
        guard rank > 0 else { throw TensorError(operation, "a scalar has no rows") }
        if let row = rows.first(where: { !(0..<count).contains($0) }) {
            throw TensorError(operation, "there is no row \(row); there are \(count), from 0")
        }
    }
}
