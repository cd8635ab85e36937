import KantoKernels

/// The gradients of a tensor with respect to others, by walking the recorded ops backwards.
///
/// The result is differentiable again unless `isDifferentiable` is false, which saves the memory of its graph.
///
/// - Parameters:
///   - output: the tensor to differentiate.
///   - variables: tracked tensors. One that the output does not depend on gets a gradient of zeros.
///   - seed: the adjoint of the output, of its shape; ones by default, so that the gradient is that of the sum.
/// - Returns: a gradient of each variable's shape.
/// - Throws: `TensorError` if a variable or the output is not tracked, or the seed's shape or type is wrong.
public func gradients(
    of output: Tensor, withRespectTo variables: [Tensor], seed: Tensor? = nil, isDifferentiable: Bool = true
) throws -> [Tensor] {
    guard isDifferentiable else {
        return try withoutGradient { try gradients(of: output, withRespectTo: variables, seed: seed) }
    }
    for (index, variable) in variables.enumerated() where !variable.isTracked {
        throw TensorError(
            "gradients", "variable \(index) of shape \(variable.shape) is not tracked; use tracked() before computing with it")
    }
    guard let root = output.node else {
        throw TensorError("gradients", "the output of shape \(output.shape) was not computed from anything tracked")
    }
    if let seed, seed.shape != output.shape || seed.elementType != output.elementType {
        throw TensorError(
            "gradients", "a seed of shape \(seed.shape) (\(seed.elementType)) for an output of \(output.shape) (\(output.elementType))")
    }

    let walk = Walk(from: root, to: variables.map { $0.node! })
    var adjoints = [root.identifier: try seed ?? Tensor(repeating: 1, shape: output.shape, elementType: output.elementType)]
    var results: [UInt64: Tensor] = [:]
    for node in walk.nodes {
        guard let adjoint = adjoints.removeValue(forKey: node.identifier) else { continue }
        if walk.targets.contains(node.identifier) { results[node.identifier] = adjoint }
        let inputs = node.inputs
        let parts = try node.operation.adjoints(of: node, adjoint) { $0 < inputs.count && walk.leadsToTarget(inputs[$0]) }
        for (input, part) in zip(inputs, parts) {
            guard let part, walk.leadsToTarget(input) else { continue }
            let identifier = input.node!.identifier
            adjoints[identifier] = try adjoints[identifier].map { try $0 + part } ?? part
        }
    }
    return try variables.map { variable in
        try results[variable.node!.identifier] ?? Tensor.zeros(variable.shape, elementType: variable.elementType)
    }
}

/// The gradient of a tensor with respect to one other.
public func gradient(
    of output: Tensor, withRespectTo variable: Tensor, seed: Tensor? = nil, isDifferentiable: Bool = true
) throws -> Tensor {
    try gradients(of: output, withRespectTo: [variable], seed: seed, isDifferentiable: isDifferentiable)[0]
}

/// The nodes between an output and the variables, latest first. Loops, no recursion: graphs may be deep.
private struct Walk {
    private(set) var nodes: [Node] = []
    let targets: Set<UInt64>
    private var leading: Set<UInt64> = []

    init(from root: Node, to variables: [Node]) {
        targets = Set(variables.map(\.identifier))
        let oldest = targets.min() ?? .max
        var seen: Set<UInt64> = [root.identifier]
        var rest = [root]
        // What is older than every variable cannot depend on one.
        while let node = rest.popLast() {
            nodes.append(node)
            for input in node.inputs {
                if let next = input.node, next.identifier >= oldest, seen.insert(next.identifier).inserted { rest.append(next) }
            }
        }
        nodes.sort { $0.identifier < $1.identifier }
        for node in nodes where targets.contains(node.identifier) || node.inputs.contains(where: leadsToTarget) {
            leading.insert(node.identifier)
        }
        nodes = nodes.reversed().filter { leading.contains($0.identifier) }
    }

    func leadsToTarget(_ tensor: Tensor) -> Bool {
        tensor.node.map { leading.contains($0.identifier) } ?? false
    }
}
