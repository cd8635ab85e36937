import KantoKernels
import Synchronization

/// How a tensor was computed: its op, its inputs and, where the gradient rule needs it, its output.
///
/// A node points to its inputs only, so a graph is free of cycles and goes when its last tensor goes.
final class Node: @unchecked Sendable {
    /// Rises with each node, so that inputs come before what is computed from them.
    let identifier: UInt64
    let operation: Operation
    /// Of the scope that the op was computed in; its gradient rule is computed in the same.
    let precision: Precision?
    /// Written once more only when the node is released.
    private(set) var inputs: [Tensor]
    private let savedOutput: Tensor?

    private static let counter = Atomic<UInt64>(0)

    /// - Parameter output: the op's output, if the rule needs it; kept without its node, which would be a cycle.
    init(_ operation: Operation, inputs: [Tensor], output: Tensor?) {
        identifier = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        self.operation = operation
        precision = Kernels.precisionOfScope
        self.inputs = inputs
        savedOutput = output?.detached()
    }

    /// The op's output, differentiable again.
    var output: Tensor { savedOutput!.attached(to: self) }

    /// The same op of its inputs' magnitudes, with the output that it had.
    func withMagnitudesOfInputs() throws -> Node {
        Node(operation, inputs: try inputs.map { try $0.detached().absolute() }, output: savedOutput)
    }

    /// Releases a graph of any depth by a loop: nested deinits would overflow the stack.
    deinit {
        var rest = inputs.compactMap(\.node)
        inputs = []
        while var node = rest.popLast() {
            guard isKnownUniquelyReferenced(&node) else { continue }
            rest += node.inputs.compactMap(\.node)
            node.inputs = []
        }
    }
}

/// Makes the tensor that an op returns, with a node if one of the inputs is tracked and recording is on.
func recorded(_ operation: Operation, _ inputs: [Tensor], _ output: Tensor) -> Tensor {
    guard Kernels.recordsGradients, inputs.contains(where: \.isTracked) else { return output }
    return output.attached(to: Node(operation, inputs: inputs, output: operation.ruleNeedsOutput ? output : nil))
}

/// Runs `body` without noting down how to differentiate what it computes.
public func withoutGradient<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try Kernels.recordingGradients(false, body)
}
