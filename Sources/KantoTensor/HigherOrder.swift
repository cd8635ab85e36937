/// The value of a function and its gradients at some point.
///
/// - Parameters:
///   - points: one for each argument. If one is tracked, value and gradients can be differentiated again with respect to it.
///   - body: the function; as a rule of rank 0, otherwise the gradients are those of its sum.
/// - Throws: `TensorError` if the value does not depend on any point, and what `body` throws.
public func valueWithGradients(
    at points: [Tensor], _ body: ([Tensor]) throws -> Tensor
) throws -> (value: Tensor, gradients: [Tensor]) {
    let isDifferentiable = points.contains(where: \.isTracked)
    let variables = points.map { $0.isTracked ? $0 : $0.tracked() }
    let value = try body(variables)
    let slopes = try gradients(of: value, withRespectTo: variables, isDifferentiable: isDifferentiable)
    return (isDifferentiable ? value : value.detached(), slopes)
}

/// `valueWithGradients` of a function of one tensor.
public func valueWithGradient(
    at point: Tensor, _ body: (Tensor) throws -> Tensor
) throws -> (value: Tensor, gradient: Tensor) {
    let (value, slopes) = try valueWithGradients(at: [point]) { try body($0[0]) }
    return (value, slopes[0])
}

/// The Hessian of a function at some point times a direction, H v, without the Hessian: the gradient of ⟨∇f, v⟩
/// (Pearlmutter 1994, by reverse over reverse).
///
///     // f(x, y) = x³ y has the Hessian [[6 x y, 3 x²], [3 x², 0]].
///     let x = try Tensor.scalar(1), y = try Tensor.scalar(2)
///     let product = try hessianVectorProduct(at: [x, y], along: [.scalar(1), .scalar(0)]) { point in
///         try point[0] * point[0] * point[0] * point[1]
///     }
///     // [12, 3]
///
/// - Parameters:
///   - points: one for each argument.
///   - directions: of the points' shapes.
///   - body: the function; as a rule of rank 0, otherwise its sum is meant.
/// - Returns: a tensor of each point's shape; zeros where the function is linear.
/// - Throws: `TensorError` if a direction's shape is not its point's or the value does not depend on any point.
public func hessianVectorProduct(
    at points: [Tensor], along directions: [Tensor], _ body: ([Tensor]) throws -> Tensor
) throws -> [Tensor] {
    guard points.map(\.shape) == directions.map(\.shape) else {
        throw TensorError(
            "Hessian-vector product", "directions of shapes \(directions.map(\.shape)) at points of \(points.map(\.shape))")
    }
    let variables = points.map { $0.tracked() }
    let slopes = try gradients(of: body(variables), withRespectTo: variables)
    let products = try zip(slopes, directions).filter { $0.0.isTracked }.map { try Tensor.product($0, $1.detached(), to: []) }
    guard let first = products.first else { return try zeros(like: points) }
    let slope = try products.dropFirst().reduce(first) { try $0 + $1 }
    return try gradients(of: slope, withRespectTo: variables, isDifferentiable: false, allowsConstant: true)
}
