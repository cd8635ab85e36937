import KantoKernels

extension Tensor {
    /// act(op(A) · op(B) + bias), where op transposes if asked.
    ///
    /// - Parameters:
    ///   - other: [k, n], or [n, k] if `transposeOther`. This tensor is [m, k], or [k, m] if `transposeSelf`.
    ///   - bias: [n].
    /// - Returns: [m, n].
    /// - Throws: `TensorError` if the shapes do not fit.
    public func matmul(
        _ other: Tensor, transposeSelf: Bool = false, transposeOther: Bool = false, bias: Tensor? = nil,
        activation: Activation = .none
    ) throws -> Tensor {
        guard rank == 2, other.rank == 2 else {
            throw TensorError("matmul", "operands of shapes \(shape) and \(other.shape), expected two matrices")
        }
        let (m, k) = transposeSelf ? (shape[1], shape[0]) : (shape[0], shape[1])
        let (otherK, n) = transposeOther ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
        guard k == otherK else {
            throw TensorError(
                "matmul",
                "inner dimensions differ: \(k) of \(shape)\(transposeSelf ? " transposed" : ""), "
                    + "\(otherK) of \(other.shape)\(transposeOther ? " transposed" : "")")
        }
        try requireBias(bias, count: n, for: "matmul")
        try requireSlope(activation, for: "matmul")
        try requireSameType("matmul", self, other, bias ?? self)
        let output = try Tensor(uninitialized: [m, n], elementType)
        let problem = Problem.matmul(
            elementType, m: m, n: n, k: k, transposeA: transposeSelf, transposeB: transposeOther, bias: bias != nil,
            activation: activation)
        try Kernels.kernel(for: problem).run(pointer, other.pointer, bias?.pointer, into: output.pointer)
        return recorded(
            .matmul(transposeA: transposeSelf, transposeB: transposeOther, activation: activation),
            [self, other] + (bias.map { [$0] } ?? []), output)
    }
}

func requireBias(_ bias: Tensor?, count: Int, for operation: String) throws {
    guard let bias, bias.shape != [count] else { return }
    throw TensorError(operation, "a bias of shape \(bias.shape), expected [\(count)]")
}
