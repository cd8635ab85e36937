import KantoKernels

/// The sums of the magnitudes of the terms that gradients are sums of. Where they are far larger than a gradient its terms
/// cancel, and what rounding took from these is left in it: a gradient whose true value is 0 is nothing else.
///
/// Terms are those of the sum that a gradient ends with, over samples and positions, and over the places that a variable stands
/// in. Of a weight they are the products of inputs and adjoints, of a bias the adjoints.
///
/// - Parameters:
///   - output: of rank 0, as a rule; otherwise its sum is meant.
///   - variables: tracked tensors.
/// - Returns: a tensor of each variable's shape, zeros for one that is not reached.
package func gradientTerms(of output: Tensor, withRespectTo variables: [Tensor]) throws -> [Tensor] {
    try withoutGradient {
        var terms = try zeros(like: variables)
        guard let root = output.node else { return terms }
        let walk = Walk(from: root, to: variables.map { $0.node! })
        let indexes = Dictionary(variables.enumerated().map { ($1.node!.identifier, $0) }) { first, _ in first }
        let seed = try Tensor(repeating: 1, shape: output.shape, elementType: output.elementType)
        _ = try walk.adjoints(of: root, seed) { node, adjoint in
            guard node.inputs.contains(where: walk.isTarget) else { return }
            // A rule is linear in the adjoint and, where it ends a variable's gradient, in the other operands.
            let magnitudes = try node.withMagnitudesOfInputs()
            let parts = try node.operation.adjoints(of: magnitudes, adjoint.absolute()) {
                $0 < node.inputs.count && walk.isTarget(node.inputs[$0])
            }
            for (input, part) in zip(node.inputs, parts) {
                guard let part, let index = input.node.flatMap({ indexes[$0.identifier] }) else { continue }
                terms[index] = try terms[index] + part.absolute()
            }
        }
        return terms
    }
}
