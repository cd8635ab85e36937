import KantoCommunication
import KantoKernels
import KantoTensor
import Synchronization

/// Runs `body` as training: `Dropout` draws its masks from the given random numbers, `BatchNorm` goes by a batch's own
/// statistics and keeps up the running ones, and `SpectralNorm` takes its power iterations. Elsewhere layers do what they do
/// after training, and change nothing of themselves.
///
/// What a layer draws or keeps up in a pass is a constant of that pass for gradients of every order. The random numbers are a
/// value: named by a seed and an iteration they repeat, whatever was drawn before.
///
///     try withTraining(random: Random(seed: seed, stream: UInt64(iteration))) { try step(iteration) }
public func withTraining<R, E: Error>(random: Random, _ body: () throws(E) -> R) throws(E) -> R {
    // In one turn, in which running statistics may change in place.
    try Kernels.run { () throws(E) -> R in try TrainingPass.$current.binding(TrainingPass(random), body) }
}

/// Whose rows layers see from here on within a training: they draw the rows that this rank has of what the whole batch draws.
package func drawRows(of share: RowShare?) { TrainingPass.current?.share(share) }

/// The training that layers run within.
final class TrainingPass: Sendable {
    private let random: Mutex<Random>

    @TaskLocal static var current: TrainingPass?

    init(_ random: Random) { self.random = Mutex(random) }

    func share(_ share: RowShare?) { random.withLock { $0.share = share } }

    /// Uniform numbers in [0, 1).
    func uniform(like tensor: Tensor) throws -> Tensor {
        // Drawn outside of the lock: it may have to wait for its turn.
        var drawn = random.withLock { random in
            defer { random.skip(tensor.shape) }
            return random
        }
        return try drawn.uniform(tensor.shape, elementType: tensor.elementType)
    }
}
