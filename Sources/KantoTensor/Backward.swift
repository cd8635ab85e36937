import KantoKernels

/// The gradients of a tensor with respect to others, by walking the recorded ops backwards.
///
/// The result is differentiable again unless `isDifferentiable` is false, which saves the memory of its graph.
///
/// Variables are the values that the output was computed from. An optimizer gives a parameter a new value, so take
/// `parameter.value` anew in each step: what was taken before an update is no part of the next step's graph.
///
/// - Parameters:
///   - output: the tensor to differentiate.
///   - variables: tracked tensors. One that the output does not depend on gets a gradient of zeros, as long as another one is
///     reached.
///   - seed: the adjoint of the output, of its shape; ones by default, so that the gradient is that of the sum.
///   - allowsConstant: zeros, and no error, where the output depends on none of the variables. The gradient of a linear
///     function is such an output.
/// - Returns: a gradient of each variable's shape.
/// - Throws: `TensorError` if a variable is not tracked, the output depends on none of them, or the seed's shape or type is
///   wrong.
public func gradients(
    of output: Tensor, withRespectTo variables: [Tensor], seed: Tensor? = nil, isDifferentiable: Bool = true,
    allowsConstant: Bool = false
) throws -> [Tensor] {
    guard isDifferentiable else {
        return try withoutGradient {
            try gradients(of: output, withRespectTo: variables, seed: seed, allowsConstant: allowsConstant)
        }
    }
    for (index, variable) in variables.enumerated() where !variable.isTracked {
        throw TensorError(
            "gradients", "variable \(index) of shape \(variable.shape) is not tracked; use tracked() before computing with it")
    }
    if let seed, seed.shape != output.shape || seed.elementType != output.elementType {
        throw TensorError(
            "gradients",
            "a seed of shape \(seed.shape) (\(seed.elementType)) for an output of \(output.shape) (\(output.elementType))")
    }

    if variables.isEmpty { return [] }
    guard let root = output.node else {
        if allowsConstant { return try zeros(like: variables) }
        throw TensorError("gradients", "the output of shape \(output.shape) was not computed from anything tracked")
    }
    let walk = Walk(from: root, to: variables.map { $0.node! })
    if walk.nodes.isEmpty {
        if allowsConstant { return try zeros(like: variables) }
        throw TensorError(
            "gradients",
            "the output of shape \(output.shape) was computed from none of the \(variables.count) variables. Values that "
                + "were taken before an update are no longer a parameter's: take parameter.value again in each step. Where the output "
                + "may be a constant, allowsConstant gives zeros")
    }
    let results = try walk.adjoints(of: root, seed ?? Tensor(repeating: 1, shape: output.shape, elementType: output.elementType))
    return try variables.map { variable in
        try results[variable.node!.identifier] ?? Tensor.zeros(variable.shape, elementType: variable.elementType)
    }
}

/// The gradient of a tensor with respect to one other.
///
/// - Throws: `TensorError` as `gradients(of:withRespectTo:)` does.
public func gradient(
    of output: Tensor, withRespectTo variable: Tensor, seed: Tensor? = nil, isDifferentiable: Bool = true,
    allowsConstant: Bool = false
) throws -> Tensor {
    try gradients(
        of: output, withRespectTo: [variable], seed: seed, isDifferentiable: isDifferentiable, allowsConstant: allowsConstant)[0]
}

func zeros(like variables: [Tensor]) throws -> [Tensor] {
    try variables.map { try .zeros($0.shape, elementType: $0.elementType) }
}

/// The nodes between an output and the variables, latest first. Loops, no recursion: graphs may be deep.
struct Walk {
    private(set) var nodes: [Node] = []
    private let targets: Set<UInt64>
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

    private func leadsToTarget(_ tensor: Tensor) -> Bool {
        tensor.node.map { leading.contains($0.identifier) } ?? false
    }

    func isTarget(_ tensor: Tensor) -> Bool { tensor.node.map { targets.contains($0.identifier) } ?? false }

    /// The adjoints of the variables that an adjoint of the output reaches, by their nodes.
    ///
    /// - Parameter visit: sees each node with the adjoint of its output.
    func adjoints(
        of root: Node, _ seed: Tensor, visit: (Node, Tensor) throws -> Void = { _, _ in }
    ) throws -> [UInt64: Tensor] {
        var adjoints = [root.identifier: seed]
        var results: [UInt64: Tensor] = [:]
        for node in nodes {
            guard let adjoint = adjoints.removeValue(forKey: node.identifier) else { continue }
            if targets.contains(node.identifier) { results[node.identifier] = adjoint }
            try visit(node, adjoint)
            let inputs = node.inputs
            let parts = try Kernels.inPrecision(ofScope: node.precision) {
                try node.operation.adjoints(of: node, adjoint) { $0 < inputs.count && leadsToTarget(inputs[$0]) }
            }
            for (input, part) in zip(inputs, parts) {
                guard let part, leadsToTarget(input) else { continue }
                let identifier = input.node!.identifier
                adjoints[identifier] = try adjoints[identifier].map { try $0 + part } ?? part
            }
        }
        return results
    }
}
