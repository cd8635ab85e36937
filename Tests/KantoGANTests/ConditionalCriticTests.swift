import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import TestSupport
import Testing

/// Critics that are told the class of each sample.
@Suite struct ConditionalCriticTests {
    private static let classCount = 3
    private static let labels = [2, 0, 1, 1, 2]

    private static func critic(_ kind: String, _ type: ElementType = .float64) throws -> (any Layer, sampleShape: [Int]) {
        var make = LayerMaker(random: Random(seed: 12), type: type)
        switch kind {
        case "concat, rows":
            let network = Sequential(try make.dense(5 + classCount, 7), LeakyReLU(0.2), try make.dense(7, 1))
            return (ClassConcatenation(network, classCount: classCount), [5])
        case "concat, pictures":
            let network = Sequential(
                try make.convolution(2 + classCount, 4, 3, Window(stride: 2, padding: 1)), LeakyReLU(0.2), Flatten(),
                try make.dense(48, 1))
            return (ClassConcatenation(network, classCount: classCount), [6, 8, 2])
        default:
            let features = Sequential(
                try make.convolution(2, 4, 3, Window(stride: 2, padding: 1)), LeakyReLU(0.2), Flatten(),
                try make.dense(48, 6), ReLU())
            let projection = try ClassProjection(
                features: features, output: make.dense(6, 1), embedding: make.normal([classCount, 6], 0.5))
            return (projection, [6, 8, 2])
        }
    }

    private static func step(
        _ critic: any Layer, _ sampleShape: [Int], _ type: ElementType, _ regularizer: any Regularizer, _ method: CriticStepMethod
    ) throws -> CriticGradients {
        var random = Random(seed: 22)
        let real = try random.normal([labels.count] + sampleShape, elementType: type)
        let fake = try random.normal([labels.count] + sampleShape, elementType: type) * 0.7 + 0.2
        let points = try regularizer.points(real: real, fake: fake, using: &random)
        return try CriticGradients(
            critic, real: real, fake: fake, points: points, classes: .oneHot(labels, count: classCount, elementType: type),
            regularizer: regularizer, penaltyWeight: 3, method: method)
    }

    @Test(arguments: ["concat, rows", "concat, pictures", "projection"], [true, false])
    func fourPassesAreTheTape(_ kind: String, ofBothBatches: Bool) throws {
        try Kernels.run {
            for type in [ElementType.float64, .float32] {
                let (critic, shape) = try Self.critic(kind, type)
                let regularizer: any Regularizer = ofBothBatches ? .r1AndR2 : .twoSided()
                let taped = try Self.step(critic, shape, type, regularizer, .taped)
                let fourPass = try Self.step(critic, shape, type, regularizer, .automatic)
                FourPassTests.expectEqual(taped, fourPass, type == .float64 ? 1e-12 : 1e-5)
                #expect(taped.penalty.inputGradient.shape.dropFirst() == shape[...], "of the sample alone")
            }
        }
    }

    /// The weights of each class, the penalty included, by central differences.
    @Test(arguments: ["concat, rows", "projection"]) func gradientsAreThoseOfTheLoss(_ kind: String) throws {
        try Kernels.run {
            let (critic, shape) = try Self.critic(kind)
            let gradients = try Self.step(critic, shape, .float64, .twoSided(), .automatic).gradients
            for (parameter, gradient) in zip(critic.parameters, gradients) {
                let values = parameter.value.doubles
                for index in stride(from: 0, to: values.count, by: max(1, values.count / 9)) {
                    func loss(_ difference: Double) throws -> Double {
                        var moved = values
                        moved[index] += difference
                        parameter.value = try Tensor(moved, shape: parameter.shape)
                        defer { parameter.value = try! Tensor(values, shape: parameter.shape) }
                        return try Self.step(critic, shape, .float64, .twoSided(), .taped).loss
                    }
                    let slope = try (loss(1e-6) - loss(-1e-6)) / 2e-6
                    #expect(abs(slope - gradient.doubles[index]) < 1e-6 * max(1, abs(slope)))
                }
            }
        }
    }

    @Test func classesThatDoNotFitAreErrors() throws {
        try Kernels.run {
            var random = Random(seed: 1)
            let (critic, shape) = try Self.critic("concat, rows", .float32)
            let samples = try random.normal([4] + shape)
            for method in [CriticStepMethod.taped, .fourPass] {
                #expect(throws: TensorError.self, "without classes") {
                    try CriticGradients(critic, real: samples, fake: samples, points: samples, method: method)
                }
                #expect(throws: TensorError.self, "points that are of no class") {
                    try CriticGradients(
                        critic, real: samples, fake: samples, points: random.normal([5] + shape),
                        classes: .oneHot([0, 1, 2, 0], count: 3), method: method)
                }
            }
            let configuration = TrainingConfiguration()
            let error = #expect(throws: TensorError.self) {
                try Trainer(
                    critic: critic, generator: Sequential(), latentSize: 2, data: random.normal([64] + shape),
                    configuration: configuration)
            }
            #expect(error?.description.contains("the data have no labels") == true)
        }
    }

    /// Two classes of points far apart: after a short training each class is drawn where it lies.
    @Test(arguments: [ConditioningDescription(ConcatConditioning(), classes: ["left", "right"]), ConditioningDescription(ProjectionConditioning(), classes: ["left", "right"])])
    func eachClassIsDrawnWhereItLies(_ conditioning: ConditioningDescription) throws {
        try Kernels.run {
            var random = Random(seed: 7)
            let labels = (0..<256).map { $0 % 2 }
            let centers = try Tensor(labels.flatMap { [$0 == 0 ? -2 : 2, 0] as [Float] }, shape: [256, 2])
            let data = try centers + random.normal([256, 2]) * 0.1
            var networks = NetworkPairDescription(
                generator: NetworkDescription(input: [2], Dense.Description(32), ReLU(), Dense.Description(2)),
                critic: NetworkDescription(input: [2], Dense.Description(32), ReLU(), Dense.Description(32), ReLU(), Dense.Description(1)))
            networks.conditioning = conditioning
            let pair = try networks.makeNetworks(seed: 3)
            var configuration = TrainingConfiguration()
            configuration.batchSize = 64
            configuration.criticSteps = 2
            configuration.regularizer.weight = 0.1
            configuration.optimizer = OptimizerDescription(Adam.Description(), learningRate: 3e-3)
            let trainer = try Trainer(
                critic: pair.critic, generator: pair.generator, latentSize: 2, data: data, labels: labels, configuration: configuration)
            #expect(trainer.criticStepMethod == .fourPass)
            for _ in 0..<300 { _ = try trainer.runIteration() }
            let generator = try #require(pair.generator as? ClassConcatenation)
            for (label, center) in [-2.0, 2].enumerated() {
                let noise = try random.normal([64, 2])
                let samples = try generator(noise, classes: .oneHot(Array(repeating: label, count: 64), count: 2))
                let mean = try samples.sliced(0..<1, axis: 1).mean().item()
                #expect(abs(mean - center) < 0.7, "class \(label) is drawn around \(mean)")
            }
        }
    }
}
