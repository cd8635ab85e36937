import KantoTensor

/// The cross entropy of a softmax: the mean over the rows of log Σⱼ exp(xⱼ) − x_label, in nats.
///
/// - Parameters:
///   - logits: [n, classes].
///   - labels: the class of each row, in 0..<classes.
/// - Returns: a scalar.
/// - Throws: `TensorError` if there is not one label a row, or one is no class.
public func softmaxCrossEntropy(_ logits: Tensor, labels: [Int]) throws -> Tensor {
    guard logits.rank == 2, logits.shape[0] == labels.count, !labels.isEmpty else {
        throw TensorError(
            "softmax cross entropy", "\(labels.count) labels for logits of shape \(logits.shape), expected one a row")
    }
    let wanted = try Tensor.oneHot(labels, count: logits.shape[1], elementType: logits.elementType)
    let ofLabels = try (logits * wanted).sum(axes: [1], keepsAxes: true)
    return try (logits.logSumExp() - ofLabels).mean()
}
