import KantoNN
import KantoTensor

/// The gradients of a piecewise-linear critic in four passes, without a tape.
///
/// Where the second derivative of every activation is zero, the penalty's gradient needs no graph of a graph. With the rows
/// [x; x̃; x̂] in one batch:
/// 1. *primal*: forward, all rows.
/// 2. *adjoint*: backward, all rows at once, since the adjoint of a sample is linear in its own seed: the derivative of the
///    score loss for x and x̃, 1 for x̂. The rows of x̂ reach the input, where they are ∇D(x̂).
/// 3. *tangent*: the penalty's derivative in ∇D(x̂), δ = λ φ'(n) ∇D(x̂) / n with norms n, goes forward through the layers
///    without bias and with the signs of pass 1. Rows of x̂ only.
/// 4. *weight gradient*: one call a layer, inputs [x; x̃; δ] against the adjoints of pass 2. Bias gradients come from the
///    rows of x and x̃ alone. It runs beside pass 3, layer by layer, so that memory is given back on the way.
///
/// With B rows each that is 3 + 3 + 1 + 3 forward-sized units of work, less two in the first layer, where the adjoint needs
/// the rows of x̂ only. The tape, which skips derivatives that are zero by structure, does as many, but in 26 kernels where
/// these are 16 (the mnist critic's), each with up to three times the rows, and keeps more memory (41 MB, here 34).
struct FourPassStep {
    private let parameters: [Parameter]
    private let chain: Chain

    /// - Throws: `TensorError`, which names the layer that the four passes do not serve.
    init(_ critic: any Layer) throws {
        parameters = critic.parameters
        chain = try ChainBuilder.chain(PlacedLayer(critic, network: "critic"))
    }

    func gradients(_ batches: CriticBatches, _ objective: CriticObjective) throws -> CriticGradients {
        let (count, pointCount) = (batches.count, batches.points.shape[0])
        let pointRows = 2 * count..<2 * count + pointCount

        // A copy of the scores: pass 3 overwrites what the layers keep.
        let scores = try withoutGradient {
            let rows = try Tensor.concatenated([batches.real, batches.fake, batches.points])
            let classes = try batches.classes(ofBatches: 2 + batches.pointBatchCount)
            return try Tensor.concatenated([chain.primal(rows, PassBatch(scoredCount: 2 * count, classes: classes))])
        }
        try requireScores(scores, pointRows.upperBound)
        let scored = try scores.sliced(0..<2 * count).tracked()
        let realScores = try objective.shared.whole(scored.sliced(0..<count))
        let fakeScores = try objective.shared.whole(scored.sliced(count..<2 * count))
        let scoreLoss = try objective.loss.critic(real: realScores, fake: fakeScores)
        let seed = try gradient(of: scoreLoss, withRespectTo: scored, isDifferentiable: false)
        let pointScores = try scores.sliced(pointRows)
        let ones = try Tensor(repeating: 1, shape: pointScores.shape, elementType: pointScores.elementType)

        let inputGradient = try withoutGradient {
            let seeds = try Tensor.concatenated([seed, ones])
            return try chain.adjoint(chain.hasParameters ? seeds : ones, rows: pointRows)
        }
        let norms = try inputGradient.sampleNorm().tracked()
        let allNorms = try objective.shared.whole(norms)
        let penalty = try objective.regularizer.penalty(allNorms)
        let slope = try gradient(of: penalty * objective.penaltyWeight, withRespectTo: norms, isDifferentiable: false)

        var gradients = ParameterGradients()
        try withoutGradient {
            let perSample = [pointCount] + Array(repeating: 1, count: batches.points.rank - 1)
            // Divided first: a tiny norm's reciprocal may overflow.
            let direction = try inputGradient.dividedOrZero(by: norms.reshaped(perSample))
            _ = try chain.tangent(direction * slope.reshaped(perSample), &gradients)
        }
        return CriticGradients(
            loss: try scoreLoss.item() + objective.penaltyWeight * penalty.item(), scores: (realScores, fakeScores),
            penalty: GradientPenalty(
                value: penalty.detached(), norms: allNorms.detached(), inputGradient: inputGradient, scores: pointScores),
            gradients: try parameters.map { try gradients.gradient(of: $0) }, method: .fourPass)
    }
}
