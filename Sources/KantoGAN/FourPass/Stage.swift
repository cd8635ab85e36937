import KantoNN
import KantoTensor

/// A part of a piecewise-linear critic on its way through the four passes of a critic step, with what it keeps from one
/// pass for the next.
///
/// The rows of a batch are [x; x̃; x̂]: real samples, generated ones, and the points of the penalty. Each pass runs once, in
/// the order of the requirements.
protocol Stage: AnyObject {
    var hasParameters: Bool { get }

    /// The output of all rows.
    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor

    /// The adjoint of the input, from that of the output.
    ///
    /// - Parameters:
    ///   - output: of all rows, for the weight gradient; where the stage has no parameters, of `rows` alone.
    ///   - rows: those whose input adjoint is wanted.
    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor

    /// The tangent of the output, from that of the input; both are of the penalty's points alone. Adds the gradients of the
    /// stage's parameters and gives up what was kept.
    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor
}

/// What the stages are told of the rows.
struct PassBatch {
    /// The rows of x and x̃ together; those of x̂ are behind them.
    let scoredCount: Int
    /// The classes of all rows, [rows, classes], for a critic that is told them.
    let classes: Tensor?
}

/// Gradients by parameter; that of one which several layers share is the sum.
struct ParameterGradients {
    private var values: [ObjectIdentifier: Tensor] = [:]

    mutating func add(_ gradient: Tensor, for parameter: Parameter) throws {
        let key = ObjectIdentifier(parameter)
        values[key] = try values[key].map { try $0 + gradient } ?? gradient
    }

    /// The gradient of a parameter; zeros for one that nothing reached.
    func gradient(of parameter: Parameter) throws -> Tensor {
        let value = parameter.value
        return try values[ObjectIdentifier(parameter)] ?? Tensor.zeros(value.shape, elementType: value.elementType)
    }
}

/// Stages one behind the other.
final class Chain: Stage {
    private let stages: [any Stage]
    /// The stage from which on, backwards, only some rows are wanted: none before it has parameters.
    private let first: Int?

    init(_ stages: [any Stage]) {
        self.stages = stages
        first = stages.firstIndex(where: \.hasParameters)
    }

    var hasParameters: Bool { first != nil }

    func primal(_ input: Tensor, _ batch: PassBatch) throws -> Tensor {
        try stages.reduce(input) { try $1.primal($0, batch) }
    }

    func adjoint(_ output: Tensor, rows: Range<Int>) throws -> Tensor {
        var value = output
        for (index, stage) in stages.enumerated().reversed() {
            let isBehindFirst = first.map { index > $0 } ?? false
            value = try stage.adjoint(value, rows: isBehindFirst ? 0..<output.shape[0] : rows)
        }
        return value
    }

    func tangent(_ input: Tensor, _ gradients: inout ParameterGradients) throws -> Tensor {
        try stages.reduce(input) { try $1.tangent($0, &gradients) }
    }
}
