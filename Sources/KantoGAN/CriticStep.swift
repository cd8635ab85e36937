import KantoNN
import KantoTensor

/// How the critic's gradients are computed. Both ways give the same numbers, up to rounding.
public enum CriticStepMethod: String, Sendable, CaseIterable, Codable {
    /// In four passes where the critic allows it, taped elsewhere.
    case automatic
    /// By double backward on the recorded graph: any critic.
    case taped
    /// Without a graph, in fewer and larger kernels and less memory: critics of dense and convolution layers,
    /// piecewise-linear activations, and linear layers. Any other is an error.
    case fourPass = "four-pass"

    /// The method that serves a critic: taped or four-pass.
    ///
    /// - Throws: `TensorError` if four passes are demanded of a critic that does not allow them; it names the layer.
    public func resolved(for critic: any Layer) throws -> CriticStepMethod {
        try fourPassStep(for: critic) == nil ? .taped : .fourPass
    }

    /// The four passes through a critic; nil if it is to be taped.
    func fourPassStep(for critic: any Layer) throws -> FourPassStep? {
        switch self {
        case .taped: nil
        case .fourPass: try FourPassStep(critic)
        case .automatic: try? FourPassStep(critic)
        }
    }
}

/// The critic's loss on a batch, and its parameters' gradients.
public struct CriticGradients: Sendable {
    /// The adversarial loss + λ · penalty.
    public let loss: Double
    /// The critic's scores of the real and the generated samples, [batch, 1] each or as the critic gives them.
    public let scores: (real: Tensor, fake: Tensor)
    /// What is known of the gradient penalty: its value before it is weighted, and the norms.
    public let penalty: GradientPenalty
    /// In the order of the critic's parameters.
    public let gradients: [Tensor]
    /// Taped or four-pass.
    public let method: CriticStepMethod

    /// - Parameters:
    ///   - real, fake: [n, …], of one shape; constants here.
    ///   - points: [m, …], where the input gradient is taken; as a rule from the regularizer.
    ///   - classes: [n, classes], for a critic that is told them: those of the real samples, and of the generated ones and the
    ///     points, which are of the same in the same order, batch by batch.
    ///   - penaltyWeight: λ.
    ///   - allowsSampleMixing: a critic with batch normalization, say, is warned of, not refused.
    /// - Throws: `TensorError` if the shapes do not fit, a batch is empty, the critic does not give one score a sample, mixes
    ///   samples or stores parameters that it does not list, or four passes are demanded of a critic that does not allow them.
    public init(
        _ critic: any Layer, real: Tensor, fake: Tensor, points: Tensor, classes: Tensor? = nil,
        loss: any AdversarialLoss = WassersteinLoss(), regularizer: any Regularizer = TwoSidedPenalty(),
        penaltyWeight: Double = 10, method: CriticStepMethod = .automatic, allowsSampleMixing: Bool = false
    ) throws {
        let pass = penaltyWeight == 0 ? nil : try auditCritic(critic, allowsSampleMixing: allowsSampleMixing)
        try self.init(
            critic, real: real, fake: fake, points: points, classes: classes, loss: loss, regularizer: regularizer,
            penaltyWeight: penaltyWeight, method: method, pass: pass)
    }

    /// - Parameters:
    ///   - pass: what an audit of the critic gave; nil without a penalty.
    ///   - shared: whose rows these are, where several ranks have some. Loss, scores, penalty and norms are then those of the
    ///     whole batch, the gradients this rank's part of a sum over the ranks.
    init(
        _ critic: any Layer, real: Tensor, fake: Tensor, points: Tensor, classes: Tensor?, loss: any AdversarialLoss,
        regularizer: any Regularizer, penaltyWeight: Double, method: CriticStepMethod, pass: PenalizedPass?,
        shared: SharedBatch? = nil
    ) throws {
        try requireSamples(real, fake, for: "critic step")
        guard let pointCount = points.shape.first, pointCount > 0, points.shape.dropFirst() == real.shape.dropFirst() else {
            throw TensorError(
                "critic step",
                "points of shape \(points.shape) for samples of \(real.shape), expected [m, …] with m of at least 1")
        }
        let batches = CriticBatches(
            real: real.detached(), fake: fake.detached(), points: points.detached(), classes: classes?.detached())
        try batches.checkClasses()
        let objective = CriticObjective(
            loss: loss, regularizer: regularizer, penaltyWeight: penaltyWeight, shared: shared)
        if let step = try method.fourPassStep(for: critic) {
            self = try step.gradients(batches, objective)
        } else {
            self = try Self.taped(critic, batches, objective, pass)
        }
    }

    init(
        loss: Double, scores: (real: Tensor, fake: Tensor), penalty: GradientPenalty, gradients: [Tensor],
        method: CriticStepMethod
    ) {
        self.loss = loss
        self.scores = (scores.real.detached(), scores.fake.detached())
        self.penalty = penalty
        self.gradients = gradients
        self.method = method
    }

    /// By double backward on the recorded graph: the definition of every other way.
    private static func taped(
        _ critic: any Layer, _ batches: CriticBatches, _ objective: CriticObjective, _ pass: PenalizedPass?
    ) throws -> CriticGradients {
        let (loss, scores, penalty) = try recorded(critic, batches, objective, pass)
        let gradients = try KantoTensor.gradients(
            of: loss, withRespectTo: critic.parameters.map(\.value), isDifferentiable: false)
        return CriticGradients(loss: try loss.item(), scores: scores, penalty: penalty, gradients: gradients, method: .taped)
    }

    /// The sums of the magnitudes of the terms that the parameters' gradients are sums of, see `gradientTerms`. The arguments are
    /// those of a step.
    package static func terms(
        _ critic: any Layer, real: Tensor, fake: Tensor, points: Tensor, loss: any AdversarialLoss = WassersteinLoss(),
        regularizer: any Regularizer, penaltyWeight: Double
    ) throws -> [Tensor] {
        let batches = CriticBatches(real: real.detached(), fake: fake.detached(), points: points.detached(), classes: nil)
        let objective = CriticObjective(loss: loss, regularizer: regularizer, penaltyWeight: penaltyWeight, shared: nil)
        return try gradientTerms(
            of: recorded(critic, batches, objective, nil).loss, withRespectTo: critic.parameters.map(\.value))
    }

    /// The loss with its graph.
    private static func recorded(
        _ critic: any Layer, _ batches: CriticBatches, _ objective: CriticObjective, _ pass: PenalizedPass?
    ) throws -> (loss: Tensor, scores: (real: Tensor, fake: Tensor), penalty: GradientPenalty) {
        let classesOfPoints = try batches.classes(ofBatches: batches.pointBatchCount)
        let penalty = try gradientPenalty(
            { try critic.output($0, classes: classesOfPoints) }, at: batches.points, objective.regularizer, pass,
            shared: objective.shared)
        // One pass over both batches: the kernels see twice the rows.
        let count = batches.count
        let scores = try critic.output(
            Tensor.concatenated([batches.real, batches.fake]), classes: batches.classes(ofBatches: 2))
        try requireScores(scores, 2 * count)
        let real = try objective.shared.whole(scores.sliced(0..<count))
        let fake = try objective.shared.whole(scores.sliced(count..<2 * count))
        let loss = try objective.loss.critic(real: real, fake: fake) + penalty.value * objective.penaltyWeight
        return (loss, (real, fake), penalty)
    }
}

/// What a critic step looks at.
struct CriticBatches {
    let real, fake, points: Tensor
    /// Those of `real`, of `fake`, and of each of the batches that `points` consists of; nil for a critic that is told none.
    let classes: Tensor?
    var count: Int { real.shape[0] }

    func checkClasses() throws {
        guard let classes else { return }
        guard classes.rank == 2, classes.shape[0] == count, points.shape[0] % count == 0 else {
            throw TensorError(
                "critic step",
                "classes of shape \(classes.shape) for \(count) samples and \(points.shape[0]) points, expected [\(count), classes] "
                    + "and a multiple of \(count) points")
        }
    }

    /// How many batches `points` consists of, where there are classes.
    var pointBatchCount: Int { points.shape[0] / count }

    /// The classes of so many batches, one behind the other.
    func classes(ofBatches batchCount: Int) throws -> Tensor? {
        try classes.map { try Tensor.concatenated(Array(repeating: $0, count: batchCount)) }
    }
}

/// What a critic step minimizes.
struct CriticObjective {
    let loss: any AdversarialLoss
    let regularizer: any Regularizer
    let penaltyWeight: Double
    /// Where several ranks have rows of the batch.
    let shared: SharedBatch?
}
