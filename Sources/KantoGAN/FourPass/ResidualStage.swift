import KantoNN
import KantoTensor

/// The sum of two branches: linear, so each pass goes through both and sums.
final class ResidualStage: Stage {
    private let main: Chain
    private let shortcut: Chain

    init(main: Chain, shortcut: Chain) {
        self.main = main
        self.shortcut = shortcut
    }

    var hasParameters: Bool { main.hasParameters || shortcut.hasParameters }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        let sum = (try main.primal(input, batch), try shortcut.primal(input, batch))
        guard sum.0.shape == sum.1.shape else {
            throw TensorError("residual", "main gives \(sum.0.shape), the shortcut \(sum.1.shape); both must have the same shape")
        }
        return try sum.0 + sum.1
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        func through(_ branch: Chain) throws -> Tensor {
            // A branch without parameters wants no other rows than the wanted ones.
            try branch.adjoint(hasParameters && !branch.hasParameters ? output.sliced(rows) : output, rows: rows)
        }
        return try through(main) + through(shortcut)
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        try main.tangent(input, &gradients) + shortcut.tangent(input, &gradients)
    }
}
