import KantoData
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import Synchronization
import TestSupport
import Testing

struct TrainerTests {
    /// A small pair of networks on the digits.
    static func trainer(
        batchSize: Int = 16, criticSteps: Int = 2, channels: Int = 8, seed: UInt64 = 3,
        criticStep: CriticStepMethod = .automatic
    ) throws -> Trainer {
        let digits = try ImageSet.digits()
        var random = Random(seed: seed)
        var configuration = TrainingConfiguration()
        configuration.batchSize = batchSize
        configuration.criticSteps = criticSteps
        configuration.seed = seed
        configuration.criticStep = criticStep
        return try Trainer(
            critic: Sequential(
                try Conv2D(1, channels, kernel: 4, stride: 2, padding: 1, using: &random), LeakyReLU(0.2), Flatten(),
                try Dense(16 * channels, 1, using: &random)),
            generator: Sequential(
                try Dense(8, 64, using: &random), ReLU(), Reshape(4, 4, 4),
                try ConvTranspose2D(4, 1, kernel: 4, stride: 2, padding: 1, using: &random), Sigmoid()),
            latentSize: 8, data: Tensor(digits.pixels, shape: [digits.count, 8, 8, 1]), configuration: configuration)
    }

    /// All parameters, in words.
    static func bits(_ trainer: Trainer) -> [UInt32] {
        (trainer.critic.parameters + trainer.generator.parameters).flatMap { $0.value.floats.map(\.bitPattern) }
    }

    @Test(arguments: float32Backends) func sameSeedSameBits(on backend: String) throws {
        func run(seed: UInt64) throws -> (metrics: [IterationMetrics], bits: [UInt32]) {
            try onBackend(backend) {
                let trainer = try Self.trainer(seed: seed)
                let metrics = try (0..<3).map { _ in try trainer.runIteration() }
                return (metrics, Self.bits(trainer))
            }
        }
        let (first, second, other) = (try run(seed: 3), try run(seed: 3), try run(seed: 4))
        #expect(first.metrics == second.metrics)
        #expect(first.bits == second.bits)
        #expect(first.bits != other.bits)
        #expect(first.metrics.map(\.iteration) == [1, 2, 3])
    }

    /// `relaxed` is served here by what is exact; bfloat16 by what rounds.
    @Test func productsAreOfThePrecisionThatIsAskedFor() throws {
        try Kernels.run {
            func bits(_ precision: Precision?) throws -> [UInt32] {
                var random = Random(seed: 5)
                var configuration = TrainingConfiguration()
                (configuration.batchSize, configuration.precision) = (4, precision)
                let trainer = try Trainer(
                    critic: Sequential(Dense(3, 1, using: &random)), generator: Sequential(Dense(2, 3, using: &random)),
                    latentSize: 2, data: random.normal([16, 3]), configuration: configuration)
                _ = try trainer.runIteration()
                return Self.bits(trainer)
            }
            #expect(try bits(nil) == bits(.float32))
            #expect(try bits(.relaxed) == bits(.float32))
            #expect(try bits(.bfloat16) == bits(.bfloat16))
            #expect(try bits(.bfloat16) != bits(.float32))
            try withPrecision(.bfloat16) {
                // 257 has nine digits.
                let product = try Tensor([257, 2], shape: [1, 2]).matmul(Tensor([1, 2], shape: [2, 1]))
                let sum = try Tensor([257], shape: [1]) + Tensor([0], shape: [1])
                #expect(product.floats == [260])
                #expect(sum.floats == [257])
            }
        }
    }

    /// Notes down how many rows it is given.
    private final class RowCounter: Layer {
        let counts = Mutex<[Int]>([])
        func callAsFunction(_ input: Tensor) throws -> Tensor {
            counts.withLock { $0.append(input.shape[0]) }
            return input
        }
    }

    @Test func theGeneratorMayHaveABatchOfItsOwn() throws {
        try Kernels.run {
            var random = Random(seed: 5)
            let counter = RowCounter()
            var configuration = TrainingConfiguration()
            configuration.batchSize = 4
            configuration.generatorBatchSize = 9
            configuration.criticSteps = 2
            func trainer() throws -> Trainer {
                try Trainer(
                    critic: Sequential(Dense(3, 1, using: &random)), generator: Sequential(counter, Dense(2, 3, using: &random)),
                    latentSize: 2, data: random.normal([16, 3]), configuration: configuration)
            }
            _ = try trainer().runIteration()
            #expect(counter.counts.withLock { $0 } == [4, 4, 9])
            configuration.loss = LossDescription(RelativisticLoss())
            let error = #expect(throws: TensorError.self) { _ = try trainer().runIteration() }
            #expect(error?.description == "relativistic loss: compares each generated sample with a real one, 9 with 4; expected no generator_batch_size")
        }
    }

    /// A training goes on where another was left as if it had not been: with every optimizer, an average, a layer that keeps up
    /// state, and in the middle of a pass through the data.
    @Test(arguments: ["adam", "adamw", "rmsprop", "sgd"]) func goesOnWithTheSameBits(_ optimizer: String) throws {
        func trainer() throws -> Trainer {
            let digits = try ImageSet.digits()
            var random = Random(seed: 5)
            var configuration = TrainingConfiguration()
            configuration.batchSize = 700
            configuration.criticSteps = 2
            configuration.averageDecay = 0.9
            configuration.optimizer = try OptimizerDescription(
                .object(["name": .text(optimizer), "learning_rate": .number(1e-3), "schedule": .text("linear")]))
            return try Trainer(
                critic: Sequential(Flatten(), try SpectralNorm(Dense(64, 1, using: &random), using: &random)),
                generator: Sequential(
                    try Dense(8, 64, using: &random), try BatchNorm(64, statistics: .running()), Sigmoid(), Reshape(8, 8, 1)),
                latentSize: 8, data: Tensor(digits.pixels, shape: [digits.count, 8, 8, 1]), configuration: configuration)
        }
        func tensors(_ layer: any Layer) -> [Parameter] { layer.parameters + layer.namedState.map(\.state) }
        func bits(_ trainer: Trainer) -> [UInt32] {
            (tensors(trainer.critic) + tensors(trainer.generator)).flatMap { $0.value.floats.map(\.bitPattern) }
                + trainer.average!.averages.flatMap { $0.floats.map(\.bitPattern) }
        }
        let first = try trainer()
        for _ in 0..<3 { _ = try first.runIteration() }
        let state = first.state
        let values = (tensors(first.critic) + tensors(first.generator)).map(\.value)
        let expected = try (0..<3).map { _ in try first.runIteration() }

        let second = try trainer()
        // Of no consequence for what is restored.
        _ = try second.runIteration()
        for (parameter, value) in zip(tensors(second.critic) + tensors(second.generator), values) { parameter.value = value }
        try second.restore(state)
        let found = try (0..<3).map { _ in try second.runIteration() }
        #expect(found == expected)
        #expect(bits(second) == bits(first))
        #expect(found.map(\.iteration) == [4, 5, 6])

        // What is another training's is refused.
        let other = try Self.trainer()
        #expect(throws: TensorError.self) { try other.restore(state) }
        var wrong = state
        wrong.criticOptimizer.moments[0] = []
        #expect(throws: TensorError.self) { try second.restore(wrong) }
        wrong = state
        wrong.batchCount = -1
        #expect(throws: TensorError.self) { try second.restore(wrong) }
    }

    @Test func lossesAgreeAcrossBackends() throws {
        func losses(on backend: String) throws -> [Double] {
            try onBackend(backend) {
                let trainer = try Self.trainer()
                return try (0..<20).flatMap { _ in
                    let metrics = try trainer.runIteration()
                    return [metrics.criticLoss, metrics.generatorLoss]
                }
            }
        }
        let expected = try losses(on: "reference")
        let scale = expected.reduce(1) { max($0, abs($1)) }
        for backend in float32Backends where backend != "reference" {
            let differences = zip(try losses(on: backend), expected).map { abs($0 - $1) }
            #expect(differences[..<2].allSatisfy { $0 <= 1e-5 * scale }, "\(backend): \(differences[..<2])")
            #expect(differences.allSatisfy { $0 <= 1e-3 * scale }, "\(backend): \(differences.max()!)")
        }
    }

    @Test func theGeneratorStepLeavesTheCriticAlone() throws {
        let trainer = try Self.trainer(criticSteps: 0)
        func values(_ layer: any Layer) -> [[Float]] { layer.parameters.map(\.value.floats) }
        let (critic, generator) = (values(trainer.critic), values(trainer.generator))
        _ = try trainer.runIteration()
        #expect(values(trainer.critic) == critic)
        #expect(zip(values(trainer.generator), generator).allSatisfy { $0 != $1 })
    }

    /// If a weight gradient of the critic's convolution was computed, then its kernel is in the cache.
    @Test(arguments: [(CriticStepMethod.taped, 1, 7), (.fourPass, 3, 6)])
    func onlyTheCriticStepComputesWeightGradientsOfTheCritic(_ method: CriticStepMethod, batches: Int, channels: Int) throws {
        func lookUp(batchSize: Int, criticSteps: Int) throws -> (hits: Int, misses: Int) {
            // Shapes that no other test has.
            let trainer = try Self.trainer(
                batchSize: batchSize, criticSteps: criticSteps, channels: channels, criticStep: method)
            _ = try trainer.runIteration()
            #expect(trainer.criticStepMethod == method)
            let geometry = Convolution2D(
                batch: batches * batchSize, height: 8, width: 8, channels: 1, outputChannels: channels, kernel: (4, 4),
                stride: (2, 2), padding: (1, 1, 1, 1))
            let before = try Registry.shared().cacheStatistics
            _ = try Kernels.kernel(for: .convolution(.convolution2DWeightGradient, .float32, geometry))
            let after = try Registry.shared().cacheStatistics
            return (after.hits - before.hits, after.misses - before.misses)
        }
        let generatorStep = try Kernels.run { try lookUp(batchSize: 13, criticSteps: 0) }
        let bothSteps = try Kernels.run { try lookUp(batchSize: 11, criticSteps: 1) }
        // Tests that run beside this one can only add to the counts.
        #expect(generatorStep.misses > 0)
        #expect(bothSteps.hits > 0)
    }
}
