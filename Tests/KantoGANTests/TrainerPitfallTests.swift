import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import Synchronization
import Testing

/// What a training loop may get wrong: its batches, its frozen networks, what it logs and keeps.
struct TrainerPitfallTests {
    /// Samples [n, 1] that say which they are.
    static func numbered(_ count: Int) throws -> Tensor {
        try Tensor((0..<count).map { Float($0 + 1) }, shape: [count, 1])
    }

    /// A critic that remembers the batches which it is given.
    final class Watching: Layer {
        let seen = Mutex<[Tensor]>([])
        let inner: Dense
        init(_ inner: Dense) { self.inner = inner }

        func callAsFunction(_ input: Tensor) throws -> Tensor {
            seen.withLock { $0.append(input.detached()) }
            return try inner(input)
        }
        var namedParameters: [(path: String, parameter: Parameter)] { inner.namedParameters }
    }


    @Test func eachCriticStepHasAFreshBatch() throws {
        var random = Random(seed: 1)
        let critic = Watching(try Dense(1, 1, using: &random))
        var configuration = TrainingConfiguration()
        configuration.batchSize = 4
        let trainer = try Trainer(
            critic: critic, generator: try Dense(2, 1, using: &random), latentSize: 2, data: Self.numbered(20),
            configuration: configuration)
        #expect(trainer.criticStepMethod == .taped)
        _ = try trainer.runIteration()
        // A taped step shows the points, then both batches; the generator step shows generated samples.
        let seen = critic.seen.withLock { $0.map { ($0.shape[0], $0.floats) } }
        #expect(seen.map(\.0) == [4, 8, 4, 8, 4, 8, 4, 8, 4, 8, 4])
        let real = seen.filter { $0.0 == 8 }.flatMap { $0.1[..<4] }
        #expect(real.sorted() == (1...20).map(Float.init))
        let fake = seen.filter { $0.0 == 8 }.flatMap { $0.1[4...] } + seen.last!.1
        #expect(Set(fake).count == fake.count)
    }

    @Test func numbersThatMakeNoSenseAreNamed() throws {
        let mistakes: [(name: String, change: (inout TrainingConfiguration) -> Void)] = [
            ("critic_steps", { $0.criticSteps = -1 }), ("batch_size", { $0.batchSize = 0 }),
            ("regularizer.weight", { $0.regularizer.weight = .nan }),
            ("optimizer.learning_rate", { $0.optimizer = OptimizerDescription(Adam.Description(), learningRate: .nan) }),
            ("critic_optimizer.beta2", { $0.criticOptimizer = OptimizerDescription(Adam.Description(beta1: 0, beta2: 1)) }),
        ]
        for mistake in mistakes {
            var random = Random(seed: 1)
            var configuration = TrainingConfiguration()
            configuration.batchSize = 4
            mistake.change(&configuration)
            do {
                _ = try Trainer(
                    critic: try Dense(1, 1, using: &random), generator: try Dense(2, 1, using: &random), latentSize: 2,
                    data: Self.numbered(20), configuration: configuration)
                Issue.record("a \(mistake.name) that makes no sense is taken")
            } catch let error as TensorError {
                #expect(error.description.contains(mistake.name))
            }
        }
    }

    @Test func aLastPartialBatchIsDropped() throws {
        var batches = try BatchSampler(Self.numbered(10), batchSize: 4, seed: 5)
        var passes: [[Float]] = []
        for _ in 0..<20 {
            let pass = try batches.next().floats + batches.next().floats
            #expect(Set(pass).count == 8)
            passes.append(pass)
        }
        // The two that one pass leaves out are others in the next.
        #expect(Set(passes).count == 20 && Set(passes.joined()).count == 10)
        var whole = try BatchSampler(Self.numbered(4), batchSize: 4, seed: 5)
        #expect(try Set(whole.next().floats) == [1, 2, 3, 4])
        let error = #expect(throws: TensorError.self) { try BatchSampler(Self.numbered(3), batchSize: 4, seed: 5) }
        #expect(error?.description == "batches: 3 samples do not fill a batch of 4")
    }

    @Test(arguments: PitfallTests.methods) func emptyAndUnequalBatchesAreNamed(_ method: CriticStepMethod) throws {
        var random = Random(seed: 1)
        let critic = try Dense(2, 1, using: &random), wide = try Dense(2, 3, using: &random)
        func message(_ critic: any Layer, _ real: [Int], _ fake: [Int], _ points: [Int]) -> String? {
            let error = #expect(throws: TensorError.self) {
                try CriticGradients(
                    critic, real: Tensor.zeros(real), fake: Tensor.zeros(fake), points: Tensor.zeros(points), method: method)
            }
            return error?.description
        }
        #expect(message(critic, [0, 2], [0, 2], [0, 2])?.contains("critic step: samples of shape [0, 2]: an empty batch") == true)
        #expect(message(critic, [3, 2], [2, 2], [3, 2]) == "critic step: real samples of shape [3, 2], generated ones of [2, 2]")
        #expect(message(critic, [3, 2], [3, 2], [0, 2])?.contains("points of shape [0, 2]") == true)
        #expect(message(critic, [3, 2], [3, 2], [3, 1])?.contains("points of shape [3, 1] for samples of [3, 2]") == true)
        #expect(message(wide, [3, 2], [3, 2], [3, 2])?.contains("samples, expected one a sample") == true)
        #expect(throws: TensorError.self) { try gradientPenalty({ try critic($0) }, at: Tensor.zeros([0, 2])) }
        for regularizer in Objective.regularizers.prefix(4) {
            #expect(throws: TensorError.self) {
                try regularizer.points(real: Tensor.zeros([0, 2]), fake: Tensor.zeros([0, 2]), using: &random)
            }
        }
        // One sample is a batch.
        let one = try CriticGradients(
            critic, real: Tensor.zeros([1, 2]), fake: Tensor.zeros([1, 2]), points: Tensor.zeros([1, 2]), method: method)
        #expect(one.loss.isFinite && one.penalty.norms.shape == [1])
    }

    @Test(arguments: [CriticStepMethod.taped, .fourPass]) func whatIsLoggedIsWhatItIsCalled(_ method: CriticStepMethod) throws {
        var random = Random(seed: 1)
        // D(x) = 3 x - 2, real samples of mean 2.5, generated ones of 0.
        let critic = Dense(weight: try Tensor([3 as Float], shape: [1, 1]), bias: try Tensor([-2 as Float], shape: [1]))
        var configuration = TrainingConfiguration()
        (configuration.batchSize, configuration.criticSteps, configuration.criticStep) = (4, 1, method)
        let trainer = try Trainer(
            critic: critic, generator: Sequential(try Dense(2, 1, using: &random), Affine(scale: 0)), latentSize: 2,
            data: Self.numbered(4), configuration: configuration)
        let metrics = try trainer.runIteration()
        #expect(metrics.wassersteinEstimate == 3 * 2.5)
        #expect(metrics.penalty == 4)
        #expect(metrics.criticLoss == -7.5 + 10 * 4)
        #expect(metrics.meanGradientNorm == 3 && metrics.largestGradientNorm == 3)
        // After the critic's step: its bias alone is what zeros score.
        #expect(abs(metrics.generatorLoss + Double(critic.bias!.value.floats[0])) < 1e-6)
    }

    @Test func theHeldOutLossIsThatOfOtherSamplesAndMovesNothing() throws {
        func run(isLogged: Bool) throws -> (losses: [Double], bits: [UInt32]) {
            let trainer = try TrainerTests.trainer()
            let other = try Tensor(repeating: 0.5, shape: [10, 8, 8, 1])
            let losses = try (0..<3).flatMap { _ in
                let loss = isLogged ? [try trainer.criticLoss(onHeldOut: other)] : []
                _ = try trainer.runIteration()
                return loss
            }
            return (losses, TrainerTests.bits(trainer))
        }
        let logged = try run(isLogged: true)
        #expect(Set(logged.losses).count == 3)
        #expect(try run(isLogged: false).bits == logged.bits)

        // Of a generator of zeros: D(0) - E D(x), D(x) = 3 x - 2.
        let critic = Dense(weight: try Tensor([3 as Float], shape: [1, 1]), bias: try Tensor([-2 as Float], shape: [1]))
        var random = Random(seed: 1)
        let trainer = try Trainer(
            critic: critic, generator: Sequential(try Dense(2, 1, using: &random), Affine(scale: 0)), latentSize: 2,
            data: Self.numbered(64), configuration: TrainingConfiguration())
        #expect(try trainer.criticLoss(onHeldOut: Self.numbered(4)) == -7.5)
        #expect(throws: TensorError.self) { try trainer.criticLoss(onHeldOut: Tensor.zeros([0, 1])) }
    }

    struct Affine: Layer {
        let scale: Double
        func callAsFunction(_ input: Tensor) throws -> Tensor { try input * scale }
    }

    @Test(arguments: PitfallTests.methods) func aNaNIsNamedWithItsIteration(_ method: CriticStepMethod) throws {
        let trainer = try TrainerTests.trainer(criticStep: method)
        #expect(try trainer.runIteration().firstNonFinite == nil)
        let bias = trainer.critic.parameters.last!
        bias.value = try Tensor(repeating: .nan, shape: bias.shape)
        let metrics = try trainer.runIteration()
        #expect(metrics.iteration == 2 && metrics.firstNonFinite == "critic loss")
    }

    @Test func aRelativisticGeneratorSeesFreshRealSamples() throws {
        var random = Random(seed: 1)
        let critic = Watching(try Dense(1, 1, using: &random))
        var configuration = TrainingConfiguration()
        (configuration.batchSize, configuration.criticSteps) = (4, 1)
        configuration.loss = LossDescription(RelativisticLoss())
        configuration.regularizer = RegularizerDescription(ZeroCenteredPenalty(.both))
        let trainer = try Trainer(
            critic: critic, generator: try Dense(2, 1, using: &random), latentSize: 2, data: Self.numbered(8),
            configuration: configuration)
        _ = try trainer.runIteration()
        let seen = critic.seen.withLock { $0.map(\.floats) }
        #expect(seen.map(\.count) == [8, 8, 4, 4])
        #expect(Set(seen[1][..<4] + seen[3]) == Set((1...8).map(Float.init)))
    }
}
