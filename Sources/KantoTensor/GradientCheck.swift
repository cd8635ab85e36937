import KantoKernels

/// The largest difference between gradients and central differences, relative to the largest gradient (at least 1).
///
/// The function is checked at float64 on whichever backend is selected; the reference backend serves that type.
///
/// - Parameters:
///   - point: the inputs, float64.
///   - step: of the differences.
///   - body: any function of the inputs; what is checked is the gradient of a fixed random projection of its result.
public func gradientCheck(at point: [Tensor], step: Double = 1e-6, _ body: ([Tensor]) throws -> Tensor) throws -> Double {
    let output = try withoutGradient { try body(point) }
    let projection = try projection(like: output, seed: 1)
    func value(_ inputs: [Tensor]) throws -> Tensor { try (body(inputs) * projection).sum() }

    let variables = point.map { $0.tracked() }
    // The gradient of a linear function is a constant.
    let analytic = try gradients(
        of: value(variables), withRespectTo: variables, isDifferentiable: false, allowsConstant: true)
    var worst = 0.0, scale = 1.0
    for index in point.indices {
        let elements = point[index].doubles
        for (position, gradient) in analytic[index].doubles.enumerated() {
            func at(_ shift: Double) throws -> Double {
                var moved = elements
                moved[position] += shift
                var inputs = point
                inputs[index] = try Tensor(moved, shape: point[index].shape)
                return try withoutGradient { try value(inputs).item() }
            }
            let difference = try (at(step) - at(-step)) / (2 * step)
            worst = max(worst, abs(difference - gradient))
            scale = max(scale, abs(gradient))
            if difference.isNaN || gradient.isNaN { return .nan }
        }
    }
    return worst / scale
}

/// `gradientCheck` of the gradient itself: a fixed random projection of the gradients with respect to all inputs.
public func secondGradientCheck(at point: [Tensor], step: Double = 1e-6, _ body: ([Tensor]) throws -> Tensor) throws -> Double {
    try withoutActuallyEscaping(body) { body in
        try gradientCheck(at: point, step: step, projectedGradient(of: body, at: point, seed: 2))
    }
}

/// `secondGradientCheck` of the gradient.
public func thirdGradientCheck(at point: [Tensor], step: Double = 1e-6, _ body: ([Tensor]) throws -> Tensor) throws -> Double {
    try withoutActuallyEscaping(body) { body in
        try secondGradientCheck(at: point, step: step, projectedGradient(of: body, at: point, seed: 3))
    }
}

/// The gradients of a random projection of a function, one behind the other.
private func projectedGradient(
    of body: @escaping ([Tensor]) throws -> Tensor, at point: [Tensor], seed: UInt64
) throws -> ([Tensor]) throws -> Tensor {
    let seed = try projection(like: withoutGradient { try body(point) }, seed: seed)
    return { inputs in
        // The differences call this without recording; the inner gradient needs its own graph there.
        try Kernels.recordingGradients(true) {
            let variables = inputs.map { $0.isTracked ? $0 : $0.tracked() }
            let slopes = try gradients(of: body(variables), withRespectTo: variables, seed: seed, allowsConstant: true)
            return try Tensor.concatenated(slopes.map { try $0.reshaped([-1]) })
        }
    }
}

private func projection(like tensor: Tensor, seed: UInt64) throws -> Tensor {
    var random = Random(seed: seed)
    return try random.normal(tensor.shape, elementType: .float64)
}
