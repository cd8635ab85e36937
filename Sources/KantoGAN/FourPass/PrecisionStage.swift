import KantoKernels
import KantoNN
import KantoTensor

/// Stages whose products have a precision of their own, in each pass.
final class PrecisionStage: Stage {
    private let precision: Precision
    private let chain: Chain

    init(_ precision: Precision, _ chain: Chain) { (self.precision, self.chain) = (precision, chain) }

    var hasParameters: Bool { chain.hasParameters }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        try withPrecision(precision) { try chain.primal(input, batch) }
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        try withPrecision(precision) { try chain.adjoint(output, rows: rows) }
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        try withPrecision(precision) { try chain.tangent(input, &gradients) }
    }
}
