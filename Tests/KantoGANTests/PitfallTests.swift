import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import TestSupport
import Testing

/// Where others went wrong, and what is right.
struct PitfallTests {
    /// Both ways to a critic's gradients.
    static let methods: [CriticStepMethod] = [.taped, .fourPass]

    /// No loss: the penalty alone moves the critic.
    struct PenaltyAlone: AdversarialLoss {
        func critic(real: Tensor, fake: Tensor) throws -> Tensor { try (real.mean() + fake.mean()) * 0 }
        func generator(fake: Tensor, real: () throws -> Tensor) throws -> Tensor { try fake.mean() * 0 }
    }

    /// A step of the penalty alone, with a weight of 1, at given points.
    static func penaltyStep(
        _ critic: any Layer, at points: Tensor, _ method: CriticStepMethod, _ regularizer: any Regularizer = TwoSidedPenalty()
    ) throws -> CriticGradients {
        try CriticGradients(
            critic, real: points, fake: points, points: points, loss: PenaltyAlone(), regularizer: regularizer, penaltyWeight: 1,
            method: method)
    }

    // MARK: - The norm

    @Test(arguments: methods) func aGradientOfZeroHasAPenaltyAndNoNaN(_ method: CriticStepMethod) throws {
        var random = Random(seed: 1)
        let critic = Sequential(
            Dense(weight: try Tensor.zeros([2, 4]), bias: try random.normal([4])), ReLU(), try Dense(4, 1, using: &random))
        for regularizer in Objective.regularizers {
            let step = try Self.penaltyStep(critic, at: random.normal([3, 2]), method, regularizer)
            #expect(step.penalty.norms.floats == [0, 0, 0])
            #expect(try step.penalty.value.item() == regularizer.penalty(Tensor.zeros([3])).item())
            #expect(step.gradients.allSatisfy { $0.floats.allSatisfy { $0 == 0 } })
        }
    }

    /// The square of the elements is 0 or infinite in single precision.
    @Test(arguments: [1e-30, 1e-20, 1, 1e20, 1e30], methods)
    func tinyAndHugeGradientsNeitherVanishNorOverflow(_ size: Double, _ method: CriticStepMethod) throws {
        let direction: [Double] = [0.3, -1.2, 0, 0.8]
        let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let critic = Dense(weight: try Tensor(direction.map { Float($0 * size) }, shape: [4, 1]), bias: try Tensor.zeros([1]))
        // Its derivative in the norm is 1 everywhere: the gradient of the weights is their direction.
        let step = try Self.penaltyStep(critic, at: Tensor.zeros([5, 4]), method, MeanNorm())
        #expect(step.penalty.norms.doubles.allSatisfy { abs($0 / (size * length) - 1) < 1e-6 })
        #expect(zip(step.gradients[0].doubles, direction).allSatisfy { abs($0 - $1 / length) < 1e-6 })
    }

    struct MeanNorm: Regularizer {
        func points(real: Tensor, fake: Tensor, using random: inout Random) throws -> Tensor { real }
        func penalty(_ norms: Tensor) throws -> Tensor { try norms.mean() }
        func formula(weight: Double) -> String { "\(weight) E‖∇D‖" }
    }

    @Test(arguments: [[4], [3, 2], [3, 4, 2]], methods)
    func theNormIsOverAllElementsOfOneSample(_ sampleShape: [Int], _ method: CriticStepMethod) throws {
        var random = Random(seed: 4)
        let size = sampleShape.reduce(1, *)
        let critic = Sequential(
            Flatten(), try Dense(size, 8, using: &random), LeakyReLU(0.2), try Dense(8, 1, using: &random))
        let points = try random.normal([6] + sampleShape)
        let together = try Self.penaltyStep(critic, at: points, method).penalty
        #expect(together.inputGradient.shape == points.shape)
        #expect(Set(together.norms.floats).count > 1)
        for sample in 0..<6 {
            let alone = try Self.penaltyStep(critic, at: points.sliced(sample..<sample + 1), method).penalty
            let squares = alone.inputGradient.doubles.reduce(0) { $0 + $1 * $1 }
            #expect(alone.inputGradient.count == size)
            #expect(abs(together.norms.doubles[sample] - squares.squareRoot()) < 1e-6)
            #expect(abs(alone.norms.doubles[0] - squares.squareRoot()) < 1e-6)
        }
    }

    // MARK: - The points

    @Test(arguments: [[], [2], [3, 2], [3, 2, 2], [2, 1, 2, 3]])
    func theCoefficientIsUniformAndOneASample(_ sampleShape: [Int]) throws {
        var random = Random(seed: 9)
        let shape = [500] + sampleShape, size = sampleShape.reduce(1, *)
        let ones = try Tensor(repeating: 1, shape: shape), zeros = try Tensor.zeros(shape)
        for regularizer in [TwoSidedPenalty(), OneSidedPenalty(), MaximumPenalty()] as [any Regularizer] {
            let points = try regularizer.points(real: ones, fake: zeros, using: &random)
            #expect(points.shape == shape && !points.isTracked)
            let values = points.floats
            let coefficients = stride(from: 0, to: values.count, by: size).map { values[$0] }
            for (index, value) in values.enumerated() { #expect(value == coefficients[index / size]) }
            #expect(Set(coefficients).count > 490)
            #expect(coefficients.allSatisfy { (0..<1).contains($0) })
            // Four standard errors of a uniform distribution's mean; a tenth of it beyond each end's tenth.
            #expect(abs(coefficients.reduce(0, +) / 500 - 0.5) < 0.052)
            #expect(coefficients.filter { $0 < 0.1 }.count > 20 && coefficients.filter { $0 > 0.9 }.count > 20)
        }
    }

    @Test func draganStaysNearTheRealSamples() throws {
        var random = Random(seed: 9)
        let real = try random.normal([200, 3, 2]) * 2 + 5
        let deviation = try (real - real.mean()).square().mean().item().squareRoot()
        let points = try DRAGANPenalty().points(real: real, fake: Tensor.zeros([200, 3, 2]), using: &random)
        let moves = try (points - real).doubles.map { $0 / deviation }
        #expect(moves.allSatisfy { $0 > -1e-5 && $0 < 0.5 })
        // ½ · E[U] · E[U] of the deviation, element by element.
        #expect(abs(moves.reduce(0, +) / Double(moves.count) - 0.125) < 0.02)
        #expect(Set(moves).count > 1000)
    }

    @Test func zeroCenteredPenaltiesAreAtTheSamples() throws {
        var random = Random(seed: 9)
        let real = try random.normal([2, 3]), fake = try random.normal([2, 3])
        func points(_ samples: ZeroCenteredPenalty.Samples) throws -> [Float] {
            try ZeroCenteredPenalty(samples).points(real: real, fake: fake, using: &random).floats
        }
        #expect(try points(.real) == real.floats)
        #expect(try points(.generated) == fake.floats)
        #expect(try points(.both) == real.floats + fake.floats)
    }

    // MARK: - Layers that do not fit

    @Test(arguments: methods) func batchNormalizationInTheCriticIsRefused(_ method: CriticStepMethod) throws {
        var random = Random(seed: 2)
        let critic = Sequential(
            try Dense(2, 4, using: &random), Residual(main: Sequential(ReLU(), try BatchNorm(4))), try Dense(4, 1, using: &random))
        let error = #expect(throws: TensorError.self) {
            try Self.penaltyStep(critic, at: Tensor.zeros([3, 2]), method)
        }
        let text = error?.description ?? ""
        #expect(text.contains("layer 1.main.1 (BatchNorm) mixes the samples of a batch: the gradient at one sample depends"))
        #expect(text.contains("LayerNorm") && text.contains("InstanceNorm") && text.contains("allowsSampleMixing"))

        let data = try random.normal([8, 2])
        var configuration = TrainingConfiguration()
        configuration.batchSize = 4
        func trainer() throws -> Trainer {
            try Trainer(
                critic: critic, generator: Dense(3, 2, using: &random), latentSize: 3, data: data, configuration: configuration)
        }
        #expect(throws: TensorError.self) { try trainer() }
        configuration.allowsSampleMixing = true
        Said.listen()
        #expect(try trainer().runIteration().firstNonFinite == nil)
        #expect(Said.lines(with: "warning: critic: layer 1.main.1 (BatchNorm) mixes the samples").count == 1)
        // Without a penalty there is nothing against it.
        configuration.allowsSampleMixing = false
        configuration.regularizer.weight = 0
        #expect(throws: Never.self) { try trainer() }
    }

    @Test func anELUIsWarnedOf() throws {
        var random = Random(seed: 2)
        func step(_ layer: any Layer) throws {
            let critic = Sequential(try Dense(2, 4, using: &random), ReLU(), ReLU(), layer, try Dense(4, 1, using: &random))
            _ = try Self.penaltyStep(critic, at: Tensor.zeros([3, 2]), .automatic)
        }
        Said.listen()
        try step(ELU())
        try step(ELU())
        try step(SmoothELU())
        let warnings = Said.lines(with: "critic: layer 3 (")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("layer 3 (ELU) has a second derivative that jumps at 0") == true)
        #expect(warnings.first?.contains("SmoothELU, softplus(2x + 2) / 2 - 1") == true)
    }

    @Test func theSmoothELUIsCloseToAnELU() throws {
        let points = try Tensor(Array(stride(from: -10.0, through: 10, by: 0.25)) as [Double], shape: [81])
        let distance = zip(try SmoothELU()(points).doubles, try ELU()(points).doubles).map { abs($0 - $1) }
        #expect(distance.max()! < 0.1 && distance.first! < 1e-4 && distance.last! < 1e-4)
        #expect(try secondGradientCheck(at: [points]) { try SmoothELU()($0[0]) } < 1e-6)
    }

    struct Masking: Layer {
        let mask: Tensor
        func callAsFunction(_ input: Tensor) throws -> Tensor { try input * mask }
    }

    @Test func aDropoutMaskIsOneAPass() throws {
        var maker = LayerMaker(random: Random(seed: 3), type: .float64)
        let (first, last) = (try maker.dense(3, 6), try maker.dense(6, 1))
        func critic(_ layer: any Layer) -> Sequential { Sequential(first, Tanh(), layer, last) }
        let points = try maker.normal([4, 3], 1)
        func penaltyAndGradients(_ critic: Sequential) throws -> [Double] {
            let penalty = try gradientPenalty({ try critic($0) }, at: points)
            let gradients = try gradients(of: penalty.value, withRespectTo: critic.parameters.map(\.value))
            return penalty.inputGradient.doubles + gradients.flatMap(\.doubles)
        }
        let random = Random(seed: 8), dropout = try Dropout(0.5)
        let dropped = try withTraining(random: random) { try penaltyAndGradients(critic(dropout)) }
        // The mask of a first pass with these numbers: it is the same in the forward pass and in both backward passes.
        let ones = try Tensor(repeating: 1, shape: [4, 6], elementType: .float64)
        let mask = try withTraining(random: random) { try dropout(ones) }
        #expect(Set(mask.doubles) == [0, 2])
        #expect(try penaltyAndGradients(critic(Masking(mask: mask))) == dropped)
        #expect(try penaltyAndGradients(critic(dropout)) != dropped)
    }
}
