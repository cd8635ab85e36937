import KantoNN
import KantoTensor

/// Where a training stands, beside its networks' parameters and state: with these, enough to go on bit for bit.
///
/// Random numbers are drawn by iteration (see `RandomStream`), so that they need no state of their own.
public struct TrainingState: Sendable {
    /// Iterations that are done.
    public var iteration: Int
    /// Of the critic's optimizer.
    public var criticOptimizer: Optimizer.State
    /// Of the generator's optimizer.
    public var generatorOptimizer: Optimizer.State
    /// Of the generator's parameters, in their order, where they are averaged.
    public var averages: [Tensor]?
    /// Batches of real samples that were taken.
    public var batchCount: Int

    /// See the properties.
    public init(
        iteration: Int, criticOptimizer: Optimizer.State, generatorOptimizer: Optimizer.State, averages: [Tensor]?,
        batchCount: Int
    ) {
        self.iteration = iteration
        self.criticOptimizer = criticOptimizer
        self.generatorOptimizer = generatorOptimizer
        self.averages = averages
        self.batchCount = batchCount
    }
}
